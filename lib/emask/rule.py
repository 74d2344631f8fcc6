# Owns the rule by which levels become minutes within a distance: its fields, bytes and defaults (SPEC 5.1). Must not
# know how it is applied (emask.exposure) nor how it was fitted (docs/EXPOSURE).
import struct
from collections import namedtuple

from emask import spec

FORMAT = "<BBBBhHBBBBbbbBBBBBBB"

# distance_dm: the distance, in 0.1 m, that the weights were fitted for. minutes: within it, in 24 hours, that alert.
# tolerance: store slots. bias: of the log odds, 1/256. slope: log odds per dB, 1/1024. share: of the receiver's own
# offset that is taken off, 1/256. context: log odds per dB of the rest of the encounter, 1/1024, at full stillness.
# still_low, still_high: correlation (1/128) between which the context comes in. correction_db: added to every
# attenuation. tx_low, tx_high: dBm that a sender is believed. least: probability (1/256) from which on a minute counts.
# bridge: longest gap in minutes that still belongs to an encounter. rigid: minutes of unchanging level from which on it
# is no wearer, 0 never. still: minutes of a day that count while the own token lies still, 255 all. noise: what each
# minute heard further away takes off, 1/256 minute, beyond the first `patience` minutes. flags: as below.
Rule = namedtuple(
    "Rule",
    (
        "distance_dm",
        "minutes",
        "tolerance",
        "bias",
        "slope",
        "share",
        "context",
        "still_low",
        "still_high",
        "correction_db",
        "tx_low",
        "tx_high",
        "least",
        "bridge",
        "rigid",
        "still",
        "noise",
        "patience",
        "flags",
    ),
)
GROUPS_TOO = 1  # flag: contacts within the own household or home alert like any other

DEFAULT = Rule(20, 15, spec.TOLERANCE_SLOTS, 252, 126, 192, 40, 26, 52, 0, -21, 21, 128, 5, 45, 10, 64, 30, 0)


class RuleError(ValueError):
    """Bytes that are no rule that we can apply; the text says what is wrong."""


def unpack(data):
    """The Rule of 22 bytes; RuleError if it is none, or would never or always alert."""
    if len(data) != spec.RULE_BYTES:
        raise RuleError("rule of another length")
    if data[0] != spec.RULE_VERSION:
        raise RuleError("rule of an unknown version")
    rule = Rule(*struct.unpack(FORMAT, data)[1:])
    if rule.minutes < 1 or rule.tolerance > spec.MAX_TOLERANCE_SLOTS or rule.least < 1:
        raise RuleError("rule is out of range")
    if rule.tx_low > rule.tx_high or rule.still_low >= rule.still_high or rule.bridge > 30 or rule.rigid > 240:
        raise RuleError("rule is out of range")
    return rule
