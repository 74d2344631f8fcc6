"""How much the token does between two yields of the matching, in lines of its code: a step may not reach into a window.

A line takes a chip some 10 us; the guard before a window is 500 ms.
"""

import random
import sys
from collections import namedtuple

import rules
from dual_support import Flash

from emask import clock, keylist, scheme, sighting, spec
from emask.match import Matcher
from emask.store import Store

_MIDNIGHT = 20660 * 86400
_LINES = 10_000
_Header = namedtuple("_Header", ("scheme", "issued_s", "rule"))


def _kept(days, strangers=3):
    """A store with the case of KEY and some strangers in each slot."""
    store = Store(Flash(60))
    store.mount()
    draw = random.Random(1)
    chain = scheme.get(spec.BLUEZONE).Chain(bytes(range(32)), _MIDNIGHT // 900)
    for slot in range(_MIDNIGHT // 900, _MIDNIGHT // 900 + 96 * days):
        for ident in [chain.id()] + [draw.randbytes(12) for _ in range(strangers)]:
            levels = bytes(draw.choice((0x88, 0x79, 0x97, 0xA8)) for _ in range(8))
            minute = 15 * (slot - _MIDNIGHT // 900)
            store.append(spec.SIGHTING, slot, sighting.pack(spec.BLUEZONE, ident, 1, minute, 90, -76, 0, levels))
        chain.step()
    return store


def _steps(matcher, records):
    """Lines of emask's code that each step executes."""
    lines = 0

    def count(frame, event, _argument):
        nonlocal lines
        lines += event == "line"
        return count

    def enter(frame, _event, _argument):
        return count if "/lib/emask/" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        for _ in matcher.run(lambda: iter(records)):
            yield lines
            lines = 0
    finally:
        sys.settrace(before)


def test_no_step_of_the_matching_is_long():
    store = _kept(2)
    anchors = clock.Anchors([clock.pack_anchor(1, 0, _MIDNIGHT, 0, 0)], 0)
    records = [keylist.pack_record(key, _MIDNIGHT // 900, 0, 672) for key in (bytes(32), bytes(range(32)))]
    matcher = Matcher(_Header(spec.BLUEZONE, _MIDNIGHT + 9 * 86400, rules.BUILT_IN), store, anchors)
    found = list(_steps(matcher, records))
    assert matcher.exposure.decided is not None
    assert 0 < max(found) < _LINES < sum(found) / 10
