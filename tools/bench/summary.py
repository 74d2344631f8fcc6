# What a run came to, as a plain dict and as text for a person. Draws nothing, runs nothing.
from __future__ import annotations

from typing import Any

from tools.bench.node import Node
from tools.bench.run import Run

MODEL = "Charge is a model (boards/*/power.toml), not a measurement."


def summarize(run: Run) -> dict[str, Any]:
    """scenario, seed, aioble, duration_s, model, nodes, kiosks, recording."""
    measured = sum(link.heard_measured for link in run.recorded)
    between = sum(link.heard_interpolated for link in run.recorded)
    return {
        "scenario": run.scenario.name,
        "seed": run.seed,
        "aioble": run.image.aioble,
        "duration_s": run.scenario.duration_s,
        "model": MODEL,
        "nodes": [_node(run, node) for node in run.nodes.values()],
        "kiosks": [{"name": k.spec.name, "visits": k.visits, "broken": k.broken} for k in run.kiosks.values()],
        "recording": {"heard_in_bursts": measured, "heard_between_bursts": between} if run.recorded else None,
    }


def _node(run: Run, node: Node) -> dict[str, Any]:
    charge = node.account.charge_mah()
    used = sum(charge.values())
    on_s = max(1.0, node.account.on_us / 1e6)
    per_day = used * 86400 / on_s
    missed = dict(sorted(node.radio.total.missed.items()))
    return {
        "name": node.name,
        "boots": node.boots,
        "sent": node.radio.sent,
        "heard": sum(node.radio.total.heard.values()),
        "missed": sum(missed.values()),
        "missed_why": missed,
        "charge_mah": round(used, 4),
        "mah_per_day": round(per_day, 3),
        "percent_per_day": round(100 * per_day / node.config.battery_mah, 2),
        "consumers_mah": {name: round(value, 5) for name, value in charge.items()},
    }


def text(summary: dict[str, Any]) -> str:
    lines = [
        f"Scenario {summary['scenario']}, seed {summary['seed']}, {summary['duration_s'] / 3600:.1f} simulated hours, "
        f"aioble: {summary['aioble']}.",
        "",
        f"{'node':<16}{'boots':>6}{'sent':>8}{'heard':>8}{'missed':>8}{'mAh':>9}{'mAh/day':>9}{'%/day':>7}",
    ]
    for node in summary["nodes"]:
        lines.append(
            f"{node['name']:<16}{node['boots']:>6}{node['sent']:>8}{node['heard']:>8}{node['missed']:>8}"
            f"{node['charge_mah']:>9.3f}{node['mah_per_day']:>9.2f}{node['percent_per_day']:>7.2f}"
        )
    lines.append("")
    for kiosk in summary["kiosks"]:
        lines.append(f"Kiosk {kiosk['name']}: {kiosk['visits']} visits, {kiosk['broken']} broken off.")
    lines.append(summary["model"])
    return "\n".join(lines)
