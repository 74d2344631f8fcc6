# Owns the alert's state, its record (SPEC 3.3), how often and when it is signalled. Must not know how.
import struct

from micropython import const

_FORMAT = "<HBBIH"  # day of contact, grade, flags, list serial, last day
ALERT_BYTES = 10
GRADE_CONTACT = const(1)  # in the low two bits of the grade
HEARD = const(1)  # the wearer answered by a long press
ACKNOWLEDGED = const(2)  # ended at a kiosk
TAKEN_BACK = const(4)  # its records were withdrawn; the day is that of the alert before
EXPIRY_DAYS = const(14)

REPEAT_MS = const(600000)
REMIND_MS = const(86400000)  # once heard: one quiet reminder a day
_FIRST_HOUR = const(7)
_LAST_HOUR = const(21)
_HOUR_S = const(3600)


def pack(day, grade, flags, serial, last_day):
    """10 bytes of an ALERT record; days since the epoch, UTC."""
    return struct.pack(_FORMAT, day, grade, flags, serial, last_day)


def unpack(record):
    """(day, grade, flags, serial, last_day) or None if it is none."""
    return struct.unpack(_FORMAT, record) if len(record) == ALERT_BYTES else None


def renewed(known, decision, serial):
    """The ALERT record to keep after a list's decision, or None if nothing new: the same contact alerts once.

    known: the fields of the present record or None; decision: what emask.exposure decided, or None.
    """
    if decision is None or known is not None and decision[0] <= known[0]:
        return None
    day, _minutes, details = decision
    return pack(day, GRADE_CONTACT | details << 2, 0, serial, day + EXPIRY_DAYS)


def flagged(known, flag):
    """The ALERT record with one more flag, HEARD or ACKNOWLEDGED."""
    return pack(known[0], known[1], known[2] | flag, known[3], known[4])


def judged(known, decision):
    """The ALERT record after some of its records were withdrawn and the rest decided anew: no new signal."""
    day, _minutes, details = decision
    return pack(day, GRADE_CONTACT | details << 2, known[2], known[3], day + EXPIRY_DAYS)


def taken_back(known, before):
    """The ALERT record after all of its records were withdrawn. before: day of the alert before it, which must not
    come back; the wearer is told as long as this one would have stood."""
    return pack(before, known[1], TAKEN_BACK, known[3], known[4])


def active(known, day):
    """Whether the alert of these fields still stands on this UTC day; None never does."""
    return known is not None and not known[2] & (ACKNOWLEDGED | TAKEN_BACK) and day <= known[4]


def unsaid(known, day):
    """Whether it was taken back and the wearer is to be told; None never was."""
    return known is not None and known[2] & (TAKEN_BACK | HEARD | ACKNOWLEDGED) == TAKEN_BACK and day <= known[4]


def repeat_ms(flags):
    """Milliseconds from one signal to the next."""
    return REMIND_MS if flags & HEARD else REPEAT_MS


def grade(known):
    """1 a contact, 2 a lesser one, of the ALERT fields."""
    return known[1] & 3


def aloud(utc_s, has_motor):
    """Whether a signal may beep, which others hear: once an hour, or each time where nothing can be felt."""
    return not has_motor or utc_s % _HOUR_S * 1000 < REPEAT_MS


def daytime(utc_s, zone_s=25200):
    """Whether it is between 07:00 and 21:00 where the clock is zone_s ahead of UTC (Viet Nam unless given)."""
    return _FIRST_HOUR <= (utc_s + zone_s) % 86400 // _HOUR_S < _LAST_HOUR
