"""Owns the words for a health worker: how long, how near, how sure. The wearer alone decides whether they are said.

Never a time of day, a place, a number of minutes or of metres: these could tell who the case was.
"""

_LENGTH = ("for about a quarter of an hour", "for about half an hour", "for an hour or more", "for several hours")
_NEARNESS = (
    "about as far as the rule allows",
    "within the rule's distance",
    "well within the rule's distance",
    "very near",
)
_CERTAINTY = (
    "This may well be a false alarm: the levels say little.",
    "This is uncertain: about as likely a contact as not.",
    "This is likely.",
    "This is very likely.",
)


def words(length: int, nearness: int, certainty: int) -> str:
    """One sentence or two for `emask.alert.details`; ValueError for numbers other than 0 to 3."""
    if not all(0 <= number <= 3 for number in (length, nearness, certainty)):
        raise ValueError("details are numbers from 0 to 3")
    return f"Near the other person {_LENGTH[length]}, {_NEARNESS[nearness]}. {_CERTAINTY[certainty]}"
