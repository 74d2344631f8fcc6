"""Owns recordings as samples: DP-3T sqlite files and the MIT Matrix csv. Hostile input; knows no method of judging."""

import csv
import math
import random
import sqlite3
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from emask import spec

NEAR_M = 2.0
WINDOW_S = 300
WINDOW_ADVERTS = 6  # a token's window of 600 ms holds six adverts of another token, one each 100 ms
_FEET_M = 0.3048
_BURST_GAP_S = 2.0
_DEFAULT_INTERVAL_S = 0.285  # of the phones recorded, if a recording is too thin to show its own
_NEEDED = ("receiver_id", "transmitter_id", "timestamp", "rssi")
_MIT_NEEDED = ("positions", "distance_ft", "t_ms", "rssi_dbm")


class DataError(Exception):
    """The file is no recording that can be judged; the text says what is wrong."""


@dataclass(frozen=True)
class Sample:
    """One advert heard. rssi None: the radio gave none. tx_dbm None: nobody said. distance_m None: not recorded."""

    receiver: str
    sender: str
    t_s: float
    rssi: int | None
    tx_dbm: int | None
    distance_m: float | None


@dataclass(frozen=True)
class Recording:
    """Samples in the order of their time, seconds from the first. skipped: rows that could not be read."""

    name: str
    samples: tuple[Sample, ...]
    skipped: int = 0

    @property
    def length_s(self) -> float:
        return self.samples[-1].t_s

    @property
    def people(self) -> list[str]:
        return sorted({name for s in self.samples for name in (s.receiver, s.sender)}, key=lambda n: (len(n), n))


def load(path: Path) -> Recording:
    """Read a recording of either kind; DataError if it is none, or says nothing of distance."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        with path.open("rb") as file:
            sqlite = file.read(16) == b"SQLite format 3\0"
        rows = list(_sqlite_rows(path) if sqlite else _csv_rows(path))
    except (OSError, UnicodeDecodeError, sqlite3.Error, csv.Error) as error:
        raise DataError(f"{path}: can't be read ({error})") from None
    samples = [row for row in rows if row is not None]
    if not samples:
        raise DataError(f"{path}: the recording holds no sample" + (" that can be read" if rows else ""))
    if all(sample.distance_m is None for sample in samples):
        raise DataError(f"{path}: no sample has a true distance, so that nothing can be judged")
    return Recording(path.stem, _from_zero(samples), len(rows) - len(samples))


def _from_zero(samples: list[Sample]) -> tuple[Sample, ...]:
    start_s = min(sample.t_s for sample in samples)
    ordered = sorted(samples, key=lambda s: (s.t_s, s.receiver, s.sender))
    return tuple(replace(sample, t_s=sample.t_s - start_s) for sample in ordered)


def _sqlite_rows(path: Path) -> Iterator[Sample | None]:
    database = sqlite3.connect(f"file:{path.resolve()}?mode=ro&immutable=1".replace("#", "%23"), uri=True)
    try:
        columns = {row[1] for row in database.execute("PRAGMA table_info(results)")}
        lacking = [name for name in _NEEDED if name not in columns]
        if lacking:
            what = f"its table results lacks {', '.join(lacking)}" if columns else "it has no table results"
            raise DataError(f"{path}: not a DP-3T recording: {what}")
        names = ", ".join(_NEEDED)
        for name in ("tx_power", "ground_truth_distance"):
            names += f", {name}" if name in columns else ", NULL"
        scale = None
        for row in database.execute(f"SELECT {names} FROM results"):
            t_s = _time(row[2])
            if scale is None and t_s is not None:
                scale = 1e-3 if t_s > 1e11 else 1.0  # milliseconds since 1970, as some exports have it
            yield _sample(row[0], row[1], None if t_s is None else t_s * (scale or 1.0), row[3], row[4], row[5])
    finally:
        database.close()


def _csv_rows(path: Path) -> Iterator[Sample | None]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        lacking = [name for name in _MIT_NEEDED if name not in (reader.fieldnames or [])]
        if lacking:
            raise DataError(f"{path}: neither sqlite nor an MIT Matrix csv: it lacks {', '.join(lacking)}")
        for row in reader:
            feet, t_ms = _number(row["distance_ft"]), _number(row["t_ms"])
            # One trial is one carrying position at one distance: a pair of its own, with the position as its person.
            yield _sample(
                row["positions"],
                f"{row['positions']}@{row['distance_ft']}ft",
                None if t_ms is None else t_ms / 1000,
                row["rssi_dbm"],
                None,
                None if feet is None else feet * _FEET_M,
            )


def _sample(
    receiver: object, sender: object, t_s: float | None, rssi: object, tx: object, far: object
) -> Sample | None:
    level = _number(rssi)
    names = _name(receiver), _name(sender)
    if t_s is None or not all(names) or names[0] == names[1]:
        return None
    known = level is not None and level != spec.RSSI_UNKNOWN and -127 <= level <= 20
    sent, distance = _number(tx), _number(far)
    return Sample(
        names[0],
        names[1],
        t_s,
        round(level) if known and level is not None else None,
        round(sent) if sent is not None and -127 <= sent <= 126 else None,
        distance if distance is not None and 0 <= distance < 10_000 else None,
    )


def _name(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return (
        value.decode(errors="replace").strip()
        if isinstance(value, bytes)
        else str(value or "").strip() or ("0" if value == 0 else "")
    )


def _number(value: object) -> float | None:
    try:
        number = float(value.decode() if isinstance(value, bytes) else value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _time(value: object) -> float | None:
    number = _number(value)
    if number is None and isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError):
            return None
    return number


def thinned(recording: Recording, seed: int = 1, adverts: int = WINDOW_ADVERTS) -> Recording:
    """What a token's schedule would have heard: in each minute in which a receiver heard anything, one window, as long
    as `adverts` advertising intervals of the recorded senders, at a place drawn from what it heard in that minute.
    """
    window_s = adverts * interval_s(recording)
    minutes: dict[tuple[str, int], list[float]] = defaultdict(list)
    for sample in recording.samples:
        minutes[sample.receiver, int(sample.t_s // 60)].append(sample.t_s)
    opened = {key: _opening(key, times, window_s, seed) for key, times in sorted(minutes.items())}

    def inside(sample: Sample) -> bool:
        return 0 <= sample.t_s - opened[sample.receiver, int(sample.t_s // 60)] <= window_s

    kept = tuple(sample for sample in recording.samples if inside(sample))
    return replace(recording, name=recording.name, samples=kept)


def _opening(key: tuple[str, int], times: list[float], window_s: float, seed: int) -> float:
    last = max(min(times), max(times) - window_s)
    starts = [t for t in times if t <= last]
    return random.Random(f"{seed} {key[0]} {key[1]}").choice(starts)


def interval_s(recording: Recording) -> float:
    """The senders' advertising interval as the recording shows it: the median gap within bursts."""
    last: dict[tuple[str, str], float] = {}
    gaps = []
    for sample in recording.samples:
        pair = (sample.receiver, sample.sender)
        if pair in last and 0 < sample.t_s - last[pair] < _BURST_GAP_S:
            gaps.append(sample.t_s - last[pair])
        last[pair] = sample.t_s
    return statistics.median(gaps) if len(gaps) >= 20 else _DEFAULT_INTERVAL_S


def grouped(samples: Iterable[Sample], key: Callable[[Sample], tuple]) -> dict[tuple, list[Sample]]:
    """Samples by key, in the order in which the keys first appear."""
    groups: dict[tuple, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(key(sample), []).append(sample)
    return groups
