"""Owns what a person has to record for a language, and placeholders until it is recorded. Knows no device.

OUT/phrases.csv      file and text of each phrase
OUT/*.wav            with placeholders: a tone in place of each phrase, so that a pack can be tried before it is spoken
OUT/PLACEHOLDER.txt  says which files are tones; a recorded phrase takes its tone's place
"""

import csv
import io
import math
import struct
import wave
from pathlib import Path

from tools.files import write_whole
from tools.kiosk.hall.words import Language

_RATE_HZ = 8_000
_TONE_MS = 250
_LOW_HZ, _STEP_HZ = 330, 8  # each phrase has a tone of its own
_WARNING = (
    "PLACEHOLDER: these files are tones, not speech. Do not use them in a hall. Replace each by a recorded phrase.\n"
)


def script(language: Language) -> list[tuple[str, str]]:
    """(name of the file, text) of each phrase; dates stand apart, after their sentence."""
    gaps = dict.fromkeys(("day", "phone", "code", *language.grades), "…")
    phrases = [(key, text.format_map(gaps).replace("_", " ")) for key, text in language.screen.items()]
    days = [(f"day-{number}", text) for number, text in enumerate(language.spoken["days"], 1)]
    months = [(f"month-{number}", text) for number, text in enumerate(language.spoken["months"], 1)]
    grades = [(f"{name}-{n}", text) for name, texts in language.grades.items() for n, text in enumerate(texts)]
    return [*phrases, *days, *months, *grades]


def write(language: Language, out: Path, placeholders: bool) -> int:
    """The script, and tones for what is not there yet; how many tones were written. OSError."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("file", "text"))
    rows.writerows((f"{name}.wav", said) for name, said in script(language))
    write_whole(out / "phrases.csv", text.getvalue().encode())
    if not placeholders:
        return 0
    lacking = [(n, name) for n, (name, _) in enumerate(script(language)) if not (out / f"{name}.wav").exists()]
    for number, name in lacking:
        write_whole(out / f"{name}.wav", _tone(_LOW_HZ + _STEP_HZ * number))
    listed = "".join(f"{name}.wav\n" for _, name in lacking)
    write_whole(out / "PLACEHOLDER.txt", (_WARNING + listed).encode())
    return len(lacking)


def _tone(hz: int) -> bytes:
    """A WAV file."""
    count = _RATE_HZ * _TONE_MS // 1000
    samples = (int(8_000 * math.sin(2 * math.pi * hz * n / _RATE_HZ)) for n in range(count))
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(struct.pack(f"<{count}h", *samples))
    return made.getvalue()
