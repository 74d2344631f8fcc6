"""Owns what is heard: recorded phrases first, espeak-ng for what is not recorded, and on which device. Knows no flow.

A result is the wearer's own: it goes to the handset alone, and the loudspeaker says one neutral sentence to all. A
folder for each language, TAG, holds KEY.wav for each screen, day-1.wav to day-31.wav, month-1.wav to month-12.wav, and
length-0.wav to sure-3.wav.
"""

import subprocess
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock, Thread

from tools.kiosk.hall.flow import Screen
from tools.kiosk.hall.words import Language

_NEUTRAL = "neutral"
_LIMIT_S = 30
_SLOW_WORDS_A_MINUTE = "120"


class Silent:
    """No voice."""

    def say(self, screen: Screen, language: Language) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Part:
    """One thing to play on one device: a recorded file, or else a text for espeak-ng in the language `tag`."""

    device: str
    file: Path | None
    text: str = ""
    tag: str = ""


class Voice:
    """speaker, handset: names of ALSA devices; without a handset results are not spoken. packs: where TAG/*.wav are."""

    def __init__(self, speaker: str, handset: str = "", packs: Path | None = None) -> None:
        self._speaker, self._handset, self._packs = speaker, handset, packs
        self._playing = Lock()
        self._wanted = -1
        self._threads: list[Thread] = []

    def say(self, screen: Screen, language: Language) -> None:
        """Speak in the background; a newer screen ends what is being said."""
        self._wanted = screen.number
        thread = Thread(target=self._run, args=(screen.number, self.parts(screen, language)), daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def wait(self) -> None:
        """Until all is said."""
        for thread in list(self._threads):
            thread.join()

    def parts(self, screen: Screen, language: Language) -> list[Part]:
        """What is played where, in order."""
        if not screen.row.private:
            return self._phrase(self._speaker, screen.name, screen, language)
        neutral = self._phrase(self._speaker, _NEUTRAL, screen, language) if screen.name == "closer" else []
        own = self._phrase(self._handset, screen.name, screen, language) if self._handset else []
        return [*neutral, *own]

    def _phrase(self, device: str, key: str, screen: Screen, language: Language) -> list[Part]:
        names = [key, *(f"{name}-{number}" for name, number in _numbers(key, screen, language))]
        files = [self._packs / language.tag / f"{name}.wav" for name in names] if self._packs else []
        if files and all(file.is_file() for file in files):
            return [Part(device, file) for file in files]
        return [Part(device, None, language.speak(key, **screen.fields), language.voice)]

    def _run(self, number: int, parts: list[Part]) -> None:
        with self._playing:
            for part in parts:
                if self._wanted == number:
                    _play(part)


def _numbers(key: str, screen: Screen, language: Language) -> list[tuple[str, int]]:
    if key == _NEUTRAL:
        return []
    day = screen.fields.get("day")
    dates = [("day", day.day), ("month", day.month)] if isinstance(day, date) else []
    return dates + [(name, screen.fields[name]) for name in language.grades if name in screen.fields]


def synthesised(text: str, tag: str, file: Path) -> list[str]:
    """The command that writes `text` as spoken to `file`."""
    return ["espeak-ng", "-v", tag, "-s", _SLOW_WORDS_A_MINUTE, "-w", str(file), "--", text]


def _play(part: Part) -> None:
    """Play one part; a kiosk whose voice fails still has its screen."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = part.file or Path(folder, "said.wav")
            if part.file is None:
                subprocess.run(synthesised(part.text, part.tag, file), check=True, timeout=_LIMIT_S)
            subprocess.run(["aplay", "-q", "-D", part.device, str(file)], check=True, timeout=_LIMIT_S)
    except (OSError, subprocess.SubprocessError):
        pass
