# Owns the choice of an identifier scheme by number or name. Must not know what any scheme computes.
from emask import spec

_NAMES = ("bluezone", "gaen")


def get(which):
    """The module of a scheme, from its number (1, 2) or name; ValueError if there is none.

    Each has NUMBER, NAME, SLOT_S, ID_BYTES, KEY_BYTES, SLOTS_PER_DAY, KEY_DAYS, Chain, advance, build_advert.
    """
    if which == spec.BLUEZONE or which == _NAMES[0]:
        from emask import bluezone

        return bluezone
    if which == spec.GAEN or which == _NAMES[1]:
        from emask import gaen

        return gaen
    raise ValueError("unknown scheme")


def names():
    """Names of all schemes, by number from 1."""
    return _NAMES
