"""Owns finding the commands of `emask` that a text names, and what is wrong with them. Asserts nothing."""

import re
import shlex

import click

from tools.cli import main

_PROGRAM = re.compile(r"(?:^|[\s/])emask (?!emask )(?=[a-z-])")
_IN_A_LINE = re.compile(r"`([^`]+)`")
_BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def named(text):
    """Each command of a Markdown text, as words after `emask`; comments are dropped, continued lines joined."""
    blocks = "\n".join(_BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    lines = [*blocks, *_IN_A_LINE.findall(_BLOCK.sub("", text))]
    return [words_of(line) for line in lines if _PROGRAM.search(line)]


def words_of(command):
    """What follows `emask`, without what a shell makes of the rest."""
    _, end = _PROGRAM.search(command).span()
    return shlex.split(re.split(r"\s(?:[|>&#]|\d>)", command[end:])[0])


def wrong(words):
    """What is wrong with a command line: a name or an option that there is not; empty if nothing."""
    command, at = main, 0
    with click.Context(main) as context:
        while isinstance(command, click.Group) and at < len(words) and re.fullmatch(r"[a-z][a-z-]*", words[at]):
            following = command.get_command(context, words[at])
            if following is None:
                return f"{' '.join(words[: at + 1])}: no such command"
            command, at = following, at + 1
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    strange = [word for word in words[at:] if word.startswith("--") and word.split("=")[0] not in known]
    return f"{' '.join(words)}: no option {strange[0]}" if strange else ""
