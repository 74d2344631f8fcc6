# Owns rules for tests on both interpreters: the one built in, with changes. A host test holds it against tools.rule.
import struct

from emask import rule, spec

FIELDS = ("distance_dm", "minutes", "tolerance", "bias", "slope", "share", "adverts", "correction_db", "tx_low")
FIELDS += ("tx_high", "least", "rigid", "at_rest", "noise", "patience", "flags")
BUILT_IN = (20, 15, 2, 189, 116, 192, 87, 0, -21, 21, 128, 45, 10, 64, 30, 0)


def changed(**change):
    """The fields of the rule built in, some of them changed."""
    return tuple([change.pop(name, value) for name, value in zip(FIELDS, BUILT_IN)])


def pack(fields):
    """The 19 bytes of a rule."""
    return struct.pack(rule.FORMAT, spec.RULE_VERSION, *fields)
