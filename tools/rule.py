"""Owns the rule's fields by name, and the rule built in, for the host; the token knows their places (SPEC 5.1)."""

from typing import NamedTuple

from emask import spec


class Rule(NamedTuple):
    """What counts as a contact; goes out signed with each list.

    distance_dm: the distance, in 0.1 m, that the weights were fitted for. minutes: within it, in 24 hours, that alert.
    tolerance: store slots. bias: of the log odds, 1/256. slope: log odds per dB, 1/1024. share: of the receiver's own
    offset that is taken off, 1/256. adverts: log odds per doubling of the adverts beyond everybody's, 1/256.
    correction_db: added to every attenuation. tx_low, tx_high: dBm that a sender is believed. least: probability
    (1/256) from which on a minute counts. rigid: minutes of unchanging level from which on it is no wearer, 0 never.
    at_rest: minutes of a day that count while the own token lies still, 255 all. noise: what each minute heard further
    away takes off, 1/256 minute, beyond the first `patience` minutes. flags: GROUPS_TOO, F1_TOO.
    """

    distance_dm: int = 20
    minutes: int = 15
    tolerance: int = spec.TOLERANCE_SLOTS
    bias: int = 189
    slope: int = 116
    share: int = 192
    adverts: int = 87
    correction_db: int = 0
    tx_low: int = -21
    tx_high: int = 21
    least: int = 128
    rigid: int = 45
    at_rest: int = 10
    noise: int = 64
    patience: int = 30
    flags: int = 0


DEFAULT = Rule()
GROUPS_TOO = 1  # flag: contacts within the own household or home alert like any other
F1_TOO = spec.RULE_F1
