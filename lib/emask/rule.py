# Owns the bytes of the rule that comes with a list (SPEC 5.1). Must not know how it is applied (emask.exposure,
# emask.encounter: they know the places of its fields) nor how it was fitted (docs/EXPOSURE).
import struct

from micropython import const

from emask import spec

FORMAT = "<BBBBhHBBbbbBBBBBB"
_MINUTES, _TOLERANCE, _TX_LOW, _TX_HIGH = const(1), const(2), const(8), const(9)
_LEAST, _RIGID = const(10), const(11)


class RuleError(ValueError):
    """Bytes that are no rule that we can apply; the text says what is wrong."""


def unpack(data):
    """The fields of 19 bytes, but for the version; RuleError if they are no rule, or one that never says no."""
    if len(data) != spec.RULE_BYTES or data[0] != spec.RULE_VERSION:
        raise RuleError("rule of an unknown form")
    rule = struct.unpack(FORMAT, data)[1:]
    if (
        not (rule[_MINUTES] and rule[_LEAST])
        or rule[_TOLERANCE] > spec.MAX_TOLERANCE_SLOTS
        or rule[_TX_LOW] > rule[_TX_HIGH]
        or rule[_RIGID] > 60
    ):
        raise RuleError("rule is out of range")
    return rule
