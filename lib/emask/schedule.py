# Owns when a token sends and listens, first version (SPEC 7). Must not know clocks or radio: milliseconds pass in.
from array import array

from micropython import const

from emask.spec import WINDOW_UNIT_MS

PERIOD_MS = const(60000)
WINDOW_MS = const(600)
WINDOW_LOST_MS = const(2000)  # of a token whose time was never confirmed
ADV_INTERVAL_US = const(100000)
JITTER_MS = const(50)
_MAX_STEP_MS = const(100)
_HEARD = const(16)


def slot_offset_ms(chance):
    """This slot's own shift of the window, -50..50 ms, from two random bytes; fresh for every slot."""
    return (chance[0] | chance[1] << 8) % (2 * JITTER_MS + 1) - JITTER_MS


def next_window(now_ms, offset_ms=0):
    """Start of the first window at or after now_ms: the whole minute of own time, shifted by offset_ms."""
    return -(-(now_ms - offset_ms) // PERIOD_MS) * PERIOD_MS + offset_ms


def window_ms(anchored):
    """How long to send and listen."""
    return WINDOW_MS if anchored else WINDOW_LOST_MS


def advert_field(now_ms, next_ms):
    """What the advert says of the next window, units of 10 ms, 0..65535."""
    return max(0, min(0xFFFF, (next_ms - now_ms) // WINDOW_UNIT_MS))


class Pull:
    """Gathers what others' adverts say of their next windows, and gives one bounded step a minute towards them.

    The middle of what was said counts, not the mean: one hostile beacon among honest ones moves little, and however
    many there are, no step is beyond 100 ms. This moves windows only, never the time that slots are counted in.
    """

    def __init__(self):
        self._seen = array("h", bytes(2 * _HEARD))
        self._count = 0

    def add(self, heard_ms, field, own_ms):
        """An advert heard at heard_ms (own time) said `field`; own_ms is the start of any own window."""
        ahead = (heard_ms + field * WINDOW_UNIT_MS - own_ms) % PERIOD_MS
        if ahead > PERIOD_MS // 2:
            ahead -= PERIOD_MS
        self._seen[self._count % _HEARD] = ahead
        self._count += 1

    def step_ms(self):
        """Milliseconds to move the windows by, -100..100; then starts anew. 0 if nothing was heard."""
        count = min(self._count, _HEARD)
        self._count = 0
        if not count:
            return 0
        middle = sorted(self._seen[:count])[count // 2]
        return max(-_MAX_STEP_MS, min(_MAX_STEP_MS, middle))
