"""Owns what an upload code looks like: its signs, and the kind that its first sign says. Knows no database."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from emask import spec

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs, none taken for another; 12 of them are 60 bits

Choose = Callable[[str], str]


@dataclass(frozen=True)
class Kind:
    """What a code is for. first: the sign that its codes begin with; how: what the token's upload says (SPEC 4.3)."""

    name: str
    first: str
    how: int
    ask: int
    days: int  # a code holds at most so long


PLAIN = Kind("plain", "", 0, spec.ASK_UPLOAD, 14)
PROXY = Kind("proxy", "P", spec.BY_PROXY, spec.ASK_UPLOAD | spec.ASK_PROXY, 7)
F1 = Kind("f1", "1", spec.OF_F1, spec.ASK_F1, 7)  # of a contact that was warned; "1" stands in no other code
KINDS = (PLAIN, PROXY, F1)


def named(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.name == name)


def kind_of(code: str) -> Kind:
    """The kind of a code, whoever made it up."""
    return next((kind for kind in KINDS if kind.first and code.startswith(kind.first)), PLAIN)


def draw(kind: Kind, choose: Choose = secrets.choice) -> str:
    """A fresh code of 12 signs."""
    reserved = "".join(other.first for other in KINDS)
    first = kind.first or choose("".join(sign for sign in _ALPHABET if sign not in reserved))
    return first + "".join(choose(_ALPHABET) for _ in range(spec.CODE_BYTES - 1))
