# Owns one window of the plan (SPEC 7): what describes it, its slot's shift, how adverts follow each other in it. Must
# not know when windows are, nor clocks: chance is passed in.
from collections import namedtuple

from micropython import const

MINUTE, MEETING, PROBE, SEARCH = const(0), const(1), const(2), const(3)
ADV_DELAY_MS = const(10)  # the controller's own random delay
JITTER_MS = const(30)  # a slot's own shift: what is left of a clock beside others is a seventh of that (docs/POWER)

_TELL_MS = const(50)  # so often an advert is given its time to the next window anew

# One window. start_ms, length_ms; point_ms: tick of the grid's point that it belongs to; adv_ms: advertising interval
# (0: don't send); scan_ms, listen_ms: listen for the latter in each of the former, without a pause if they are equal.
# shift_ms: the slot's own, within point_ms.
Plan = namedtuple(
    "Plan", ("kind", "number", "start_ms", "length_ms", "point_ms", "adv_ms", "scan_ms", "listen_ms", "shift_ms")
)


def slot_shift_ms(entropy):
    """A slot's own shift of its windows, -30..30 ms; fresh for every slot. entropy(count) -> bytes."""
    chance = entropy(2)
    return (chance[0] | chance[1] << 8) % (2 * JITTER_MS + 1) - JITTER_MS


def advert_delay_ms(chance, plan):
    """Random pause before the first advert of a window, from one byte: tokens in one window do not start as one."""
    return chance * plan.adv_ms // 256


def step(plan, rest_ms, entropy):
    """How adverts follow each other in the rest of a window: (ms that one says the same, ms into them for which its
    field is right, advertising interval in ms). entropy(count) -> bytes.

    A controller sends at once, then each time up to 10 ms later than asked. Each step ends before the next event might
    come, so that the field is right for the mean of those that it holds: a bias here would move all who follow.
    """
    adv_ms = plan.adv_ms
    count = 3 if plan.kind == MEETING and rest_ms >= 3 * adv_ms else 2
    if 2 * adv_ms > _TELL_MS:
        adv_ms += entropy(1)[0] * ADV_DELAY_MS >> 8  # one event: its random delay is ours to draw
    elif rest_ms >= count * adv_ms:
        return count * adv_ms, (count - 1) * (adv_ms + ADV_DELAY_MS // 2) // 2, adv_ms
    return min(adv_ms, rest_ms), 0, adv_ms
