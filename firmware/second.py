"""Owns what the token keeps of F1 and F2 (SPEC 3.3): may contacts give keys, what warned it, what the list of contacts
came to. Must not know how lists are compared, nor how one is asked.
"""

import struct

from micropython import const

from emask import alert, keylist, met, spec

_FORMAT = "<HBBIH40sII32s"  # as an ALERT, what warned (record and two slots in which it was met), the key that gave F2
_BYTES = const(90)
_LESSER = const(2)
_FLAGS = const(15)  # place in a rule (SPEC 5.1)
_DAY, _GRADE, _MAY, _SERIAL, _LAST_DAY, _RECORD, _SLOT, _SLOT_2, _KEY = range(9)


def load(store):
    """The fields; zeros if there is no record: then contacts give nothing, and no list of theirs is taken."""
    found = store.latest(spec.SECOND)
    return struct.unpack(_FORMAT, found[1] if found and len(found[1]) == _BYTES else bytes(_BYTES))


def compared(device, header, exposure, record_of, warned):
    """A list was compared. record_of(number): one of its records; warned: it gave a new alert."""
    known = load(device.store)
    own = list(known)
    if device.own_s() // spec.DAY_S > own[_LAST_DAY]:
        own[_KEY] = bytes(32)
    if header.kind == spec.F1_LIST:
        if device.clock.anchored:  # else it may come once more
            own[_SERIAL] = header.serial
        if met.mark(own[_KEY], header.serial) in header.withdrawn:
            own[_DAY] = own[_LAST_DAY] = 0  # what is left may warn again
        decision = exposure.decided
        if decision and decision[0] > own[_DAY]:
            own[_DAY], own[_GRADE], own[_LAST_DAY] = decision[0], _LESSER, decision[0] + alert.EXPIRY_DAYS
            own[_KEY] = record_of(exposure.met[0])[:32]
    else:
        own[_MAY] = header.rule[_FLAGS] & spec.RULE_F1
        if not own[_MAY] or not stands(device):
            own[_RECORD:_KEY] = bytes(spec.RECORD_BYTES), 0, 0
        elif warned and header.scheme == device.identity.scheme.NUMBER:
            number, slots = exposure.ground(device.identity.scheme.SLOTS_PER_DAY)
            own[_RECORD:_KEY] = (record_of(number),) + (slots + (0, 0))[:2]
    if tuple(own) != known:
        device.store.append(spec.SECOND, device.slot(), struct.pack(_FORMAT, *own))


def stands(device):
    """Whether there is an alert that has not expired nor was taken back, be it ended at a kiosk."""
    known = device.alert
    return known is not None and not known[2] & alert.TAKEN_BACK and device.own_s() // spec.DAY_S <= known[4]


def lesser(device):
    """Whether only the list of contacts warns: F2. It reads the flash in any case: its time tells nothing."""
    last_day = load(device.store)[_LAST_DAY]
    return device.own_s() // spec.DAY_S <= last_day and not stands(device)


def claim(device):
    """(first scheme slot that a contact gives, the 80 bytes of what warned it); None: it may not, or nothing did."""
    own = load(device.store)
    rules = device.identity.scheme
    day = own[_SLOT] // rules.SLOTS_PER_DAY
    if not own[_MAY] or not stands(device) or not own[_SLOT] or day != device.alert[0]:
        return None
    key, first, index, _count = keylist.unpack_record(own[_RECORD])
    found = own[_RECORD]
    for slot in own[_SLOT:_KEY]:
        ident = b""
        if slot:
            chain = rules.Chain(key[: rules.KEY_BYTES], first, index)
            chain.skip(slot - first)
            ident = chain.id()
        found += struct.pack("<I16s", slot, ident)
    return (day + 1) * rules.SLOTS_PER_DAY, found
