# Owns the rhythms in which a token speaks: what is felt, seen and heard, step by step. Must not know when, nor why.
from micropython import const

LED = const(1)
MOTOR = const(2)
BUZZER = const(4)

LONG_MS = const(600)
SHORT_MS = const(200)
GAP_MS = const(300)
PAUSE_MS = const(900)
ALIVE_MS = const(15)

# A rhythm in writing: - long, . short, a space rests. An alert's by its grade: 1 a contact, 2 a lesser one.
REMINDER = "-"
TAKEN_BACK = ". -"
_GRADES = ("", "- - -", ".. .. ..")


def steps(word, parts):
    """`word` once for each of `parts`, in their order: a list of (ms on, ms off, part)."""
    found = []
    for part in parts:
        for beat in word:
            if beat == " ":
                on_ms, off_ms, _ = found[-1]
                found[-1] = on_ms, off_ms + GAP_MS, part
            else:
                found.append((LONG_MS if beat == "-" else SHORT_MS, GAP_MS, part))
        on_ms, _, _ = found[-1]
        found[-1] = on_ms, PAUSE_MS, part
    return found


def alert(grade, heard, aloud):
    """An alert's steps: felt, then seen, then heard if aloud. heard: the wearer answered, and is only reminded."""
    if heard:
        return steps(REMINDER, (MOTOR, LED))
    return steps(_GRADES[grade] if 0 < grade < 3 else _GRADES[1], (MOTOR, LED, BUZZER) if aloud else (MOTOR, LED))


def ended():
    """What the token says when it is pressed after the programme's end, felt and seen at once."""
    return steps("-. -.", (MOTOR | LED,))


def taken_back():
    """The steps of a kind word: the alert was a mistake. Felt and seen; nobody else hears it."""
    return steps(TAKEN_BACK, (MOTOR, LED))


def light(level):
    """What the light says by itself: 0, the token is alive; 1 to 3, its battery is low: a long flash, then so many."""
    return steps("-" + "." * level, (LED,)) if level else [(ALIVE_MS, 0, LED)]
