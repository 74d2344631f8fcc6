# The party after it was played: who had contact by the recording, who was alerted, why they differ.
# Plays nothing itself.
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tools import lists
from tools import rule as rules
from tools.bench import outcome, party, summary
from tools.bench.demo_watch import Watcher
from tools.bench.node import Node
from tools.bench.run import Run

_NOT_KNOWN_SHARE = 0.5  # of the recording's length: below that the recording does not say who was near


@dataclass
class Person:
    """One wearer beside the case. truth None: the recording does not say."""

    name: str
    truth: bool | None
    alert: bool
    signalled: bool
    contact: party.Contact
    token_minutes: int
    why: str = ""


@dataclass
class Result:
    """What the demo tells, for the screen, for JSON and for the report."""

    run: Run
    watcher: Watcher
    case: str
    rule: rules.Rule
    people: list[Person]
    contacts: list[dict[str, Any]]
    all_cases: tuple[int, int, int]
    interpolated: float
    pulled: list[str]
    kept: dict[str, outcome.Kept]
    summary: dict[str, Any] = field(default_factory=dict)

    def count(self, truth: bool, alert: bool) -> int:
        return sum(p.truth is truth and p.alert is alert for p in self.people)

    def failed(self) -> bool:
        """True when the machinery broke, not when the radio misjudged.

        That is: an alert without a signal, an outcome unexplained, a token that lost its sightings or never got the
        list.
        """
        silent = any(p.alert and not p.signalled for p in self.people)
        unexplained = any(p.truth is not None and p.truth != p.alert and not p.why for p in self.people)
        lost = any(self.kept[name].sightings == 0 for name in self.pulled)
        return silent or unexplained or lost or not self.people

    def facts(self) -> dict[str, Any]:
        return {
            **self.summary,
            "case": self.case,
            "rule": self.rule._asdict(),
            "people": [
                {
                    "name": p.name,
                    "contact": p.truth,
                    "alert": p.alert,
                    "minutes_near_by_distance": round(p.contact.minutes_near, 1),
                    "minutes_near_by_level": p.contact.minutes_strong,
                    "minutes_near_by_token": p.token_minutes,
                    "why": p.why,
                }
                for p in self.people
            ],
            "interpolated_share": round(self.interpolated, 4),
            "all_cases": dict(zip(("right", "false_alarms", "missed"), self.all_cases, strict=True)),
            "battery_pulled": {
                n: {"sightings": self.kept[n].sightings, "damaged": self.kept[n].damaged} for n in self.pulled
            },
        }

    def words(self) -> list[str]:
        right, false, missed = self.count(True, True), self.count(False, True), self.count(True, False)
        known = sum(p.truth is not None for p in self.people)
        words = [
            f"{len(self.people) + 1} people wore tokens at a party whose radio levels and distances were recorded. "
            f"{self.case} was ill. At the health station the wearer's token gave its keys, the authority made a list "
            "of them, and the kiosk in the market handed it to each token. Every token compared it with what it had "
            "heard, and decided by itself.",
            f"By the recorded distances, people within 2 m of {self.case} for at least {self.rule.minutes} minutes: "
            f"{right + missed}. "
            f"Alerted of them: {right}; not alerted: {missed}. Alerted without such a contact: {false}. Rightly "
            "left in peace: "
            f"{known - right - missed - false}. Not known, since the recording does not say how far away they were: "
            f"{len(self.people) - known}.",
        ]
        words += [self._battery(name) for name in self.pulled]
        words.append(self._ruler())
        return words

    def _battery(self, name: str) -> str:
        kept = self.kept[name]
        return (
            f"The battery of {name} was pulled in the middle of the party. It came back with its sightings, went on "
            "under a new key "
            f"without knowing the time, and was dated again at the next kiosk: {kept.sightings} sightings, "
            f"{kept.damaged} damaged."
        )

    def _ruler(self) -> str:
        right, false, missed = self.all_cases
        return (
            "Signal strength is a poor ruler: a body between two people costs as much as many metres. With each of "
            "the people as "
            "the case in turn, a perfect receiver of these recorded levels, under this same rule, would alert "
            f"{right + false} times, {right} of them rightly, and miss {missed} contacts. The rule's weights were "
            "fitted on another recording (a lunch), never on this one."
        )

    def text(self) -> str:
        lines = [
            "",
            *self.words(),
            "",
            f"{'person':<10}{'contact':>9}{'alert':>7}{'min. near':>11}{'by level':>10}{'by token':>10}  why",
        ]
        for p in self.people:
            truth = "unknown" if p.truth is None else "yes" if p.truth else "no"
            lines.append(
                f"{p.name:<10}{truth:>9}{'YES' if p.alert else '-':>7}{p.contact.minutes_near:>11.1f}"
                f"{p.contact.minutes_strong:>10}{p.token_minutes:>10}  {p.why}"
            )
        return "\n".join([*lines, "", summary.text(self.summary)])


def evaluate(run: Run, watcher: Watcher) -> Result:
    """Compare the recording with what the tokens decided."""
    model = run.recorded[0]
    recording, start_utc = model.recording, run.scenario.start_utc.timestamp() + model.start_us / 1e6
    published = lists.load(run.out / "list.eml")
    rule = rules.Rule(*published.header.rule)
    minutes = rule.minutes
    case = next(e.node for e in run.scenario.events if e.do == "case")
    ids = {name: person for person, name in model.people.items()}
    kept = {name: _kept(node, published) for name, node in run.nodes.items()}
    pulled = [name for name in run.nodes if any(at < run.scenario.duration_s for at in watcher.cuts.get(name, []))]
    people = [
        _person(
            name,
            party.contacts(recording, ids[name], rule, start_utc)[ids[case]],
            kept[name],
            minutes,
            watcher,
            recording.length_s,
            pulled,
        )
        for name in run.nodes
        if name != case
    ]
    heard = model.heard_measured + model.heard_interpolated
    facts = summary.summarize(run)
    return Result(
        run,
        watcher,
        case,
        rule,
        people,
        _contacts(recording, model.people),
        _all_cases(recording, rule, start_utc),
        model.heard_interpolated / max(1, heard),
        pulled,
        kept,
        facts,
    )


def _kept(node: Node, published: lists.ListFile) -> outcome.Kept:
    place = next(p for p in node.flash.partitions if p.name == "sightings")
    return outcome.read(node.flash.path, place.offset, place.size, published)


def _person(
    name: str,
    contact: party.Contact,
    kept: outcome.Kept,
    minutes: int,
    watcher: Watcher,
    length_s: float,
    pulled: list[str],
) -> Person:
    known = contact.minutes_known * 60 >= _NOT_KNOWN_SHARE * length_s or contact.minutes_near >= minutes
    person = Person(
        name,
        contact.minutes_near >= minutes if known else None,
        kept.alert_day is not None,
        name in watcher.motor,
        contact,
        kept.near_minutes or 0,
    )
    person.why = _why(person, minutes, name in pulled)
    return person


def _why(person: Person, minutes: int, pulled: bool) -> str:
    """The reason for the decision: what speaks for it if truth and alert agree, why they differ if they do."""
    level = "unheard" if person.contact.mean_dbm is None else f"{person.contact.mean_dbm:.0f} dBm"
    counted = f"{person.token_minutes} of {minutes} minutes counted, {level} on average"
    if person.truth is None:
        return f"{counted}; the recording does not say how far"
    if person.truth == person.alert:
        return counted
    strong = person.contact.minutes_strong >= minutes
    if person.truth and not strong:
        return f"near, but weak in the recording itself ({level} on average): bodies in the way"
    if not person.truth and strong:
        return f"not near for long enough, but as strong in the recording ({level} on average) as those who were"
    if pulled:
        return "its battery was out for a part of the time"
    if person.contact.minutes_strong == person.token_minutes:
        return f"within a minute of the rule: {person.contact.minutes_near:.0f} near by distance"
    return (
        f"the level ({level}) lies at the limit: the token's samples of {person.token_minutes} minutes fell on one "
        "side, "
        f"the recording's {person.contact.minutes_strong} on the other"
    )


def _contacts(recording: Any, people: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for at, a in enumerate(recording.people):
        for b in recording.people[at + 1 :]:
            near_s, known_s = recording.near_s(a, b)
            found.append({"a": people[a], "b": people[b], "minutes": round(near_s / 60, 1) if known_s else None})
    return found


def _all_cases(recording: Any, rule: rules.Rule, start_utc: float) -> tuple[int, int, int]:
    """(right, false, missed) alerts of a perfect receiver, with each person as the case."""
    minutes = rule.minutes
    pairs = [
        contact
        for receiver in recording.people
        for contact in party.contacts(recording, receiver, rule, start_utc).values()
    ]
    right = sum(c.minutes_near >= minutes and c.minutes_strong >= minutes for c in pairs)
    false = sum(c.minutes_near < minutes <= c.minutes_strong for c in pairs)
    return right, false, sum(c.minutes_near >= minutes > c.minutes_strong for c in pairs)
