"""Owns files of a fitted rule: JSON with the rule, the baselines fitted beside it, and where both come from."""

import hashlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path

from emask.rule import unpack
from tools import rule as rules
from tools import wire
from tools.exposure import methods

DEFAULT = Path(__file__).with_name("fitted.json")


class RuleFileError(Exception):
    """The file holds no rule that can be used; the text says why."""


def text(rule: rules.Rule, baselines: Sequence[methods.Method], found: dict, paths: Sequence[Path]) -> str:
    """The file's content. found: figures of the fit. paths: the recordings, kept by name and SHA-256."""
    plain = {
        "made": "emask exposure fit " + " ".join(path.name for path in paths),
        "recordings": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths},
        **found,
        "rule": rule._asdict(),
        "baselines": methods.to_plain(baselines),
    }
    return json.dumps(plain, indent=2) + "\n"


def load(path: Path = DEFAULT) -> tuple[rules.Rule, list[methods.Method]]:
    """Rule and baselines; RuleFileError if it is no such file or the rule is out of range."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        rule = rules.Rule(**plain["rule"])
        unpack(wire.pack_rule(rule))
        return rule, methods.from_plain(plain["baselines"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
        raise RuleFileError(f"{path}: no rule that can be used ({type(error).__name__}: {error})") from None
