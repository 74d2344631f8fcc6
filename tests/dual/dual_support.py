# Owns what tests on both interpreters share: vectors, a RAM flash, expectations. Must not import pytest.
import json

from flashmodel import Chance, Flash, PowerCut

__all__ = ("Chance", "Flash", "PowerCut", "raises", "vectors")


def vectors(name):
    """The content of tests/vectors/<name>.json."""
    folder = __file__.replace("\\", "/").rsplit("/", 2)[0]
    with open(folder + "/vectors/" + name + ".json") as file:
        return json.load(file)


def raises(kind, function, *args):
    """The exception of this kind that the call raised; fails if it raised none."""
    try:
        function(*args)
    except kind as error:
        return error
    raise AssertionError("nothing was raised")
