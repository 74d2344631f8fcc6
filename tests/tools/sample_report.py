"""Owns a made-up report dict that uses every key of tools.report, for its tests."""

import random


def sample(people_count: int = 18, seed: int = 1) -> dict:
    """The same dict for the same seed."""
    rng = random.Random(seed)
    people = [f"P{number:02d}" for number in range(people_count)]
    pairs = [(a, b) for i, a in enumerate(people) for b in people[i + 1 :]]
    contacts = [{"a": a, "b": b, "minutes": rng.choice([0, 0, 1, 3, 7, 12, 16, 19, None])} for a, b in pairs]
    near = {
        pair["b"] if pair["a"] == "P02" else pair["a"]: pair["minutes"]
        for pair in contacts
        if "P02" in (pair["a"], pair["b"])
    }
    outcomes = {
        name: {
            "truth": None if m is None else m >= 15,
            "alert": (m or 0) >= 12,
            "minutes_true": m,
            "minutes_token": (m or 0) + 1,
            "why": "twelve minutes, read as near" if m == 12 else "",
        }
        for name, m in near.items()
    }
    consumers = ["sleep", "boot", "processor", "radio start", "receive", "send", "flash", "signals"]
    lanes = [
        {"name": "listens", "spans": [[60 * k + 3, 60 * k + 3.6] for k in range(40)]},
        {
            "name": "sends",
            "spans": [[60 * k + 3 + j / 10, 60 * k + 3.001 + j / 10] for k in range(40) for j in range(6)],
        },
        {"name": "processor", "spans": [[60 * k + 2.8, 60 * k + 3.8] for k in range(40)]},
        {"name": "connected", "spans": [[1900, 1914]]},
    ]
    return {
        "title": "A token's first day",
        "subtitle": "scenario party.toml, seed 1, aioble 0.6.2",
        "words": [
            "Eighteen people wore tokens for 20 minutes of a party.",
            "P02 became a case. Five others had been near for long enough; the tokens warned five & more.",
        ],
        "facts": [
            {"value": "5 of 5", "label": "contacts alerted"},
            {"value": "1", "label": "alerted without contact"},
            {"value": "10.9 mAh", "label": "a day and token"},
        ],
        "people": people,
        "case": "P02",
        "contacts": contacts,
        "rule_minutes": 15,
        "outcomes": outcomes,
        "tokens": [
            {
                "name": name,
                "heard": rng.randrange(4000),
                "missed": rng.randrange(900),
                "charge_mah": 0.31,
                "mah_per_day": 10.9,
                "percent_per_day": 2.72,
                "days": 36,
                "note": "battery pulled at minute 12" if name == "P05" else "",
            }
            for name in people
        ],
        "timeline": {
            "token": "P00",
            "start_s": 0,
            "end_s": 2400,
            "zoom": [115, 190],
            "clock_at_0": "09:00 UTC",
            "lanes": lanes,
            "marks": [
                {"at_s": 124, "label": "a window"},
                {"at_s": 1890, "label": "button"},
                {"at_s": 1915, "label": "alert"},
            ],
        },
        "energy": {
            "unit": "mAh a day",
            "consumers": consumers,
            "tokens": [{"name": name, "values": [rng.uniform(0.1, 3) for _ in consumers]} for name in people],
        },
        "notes": ["The energy model is a model; nothing here was measured by this project."],
        "made": ["emask bench demo --seed 1"],
    }
