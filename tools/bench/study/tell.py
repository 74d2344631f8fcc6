# What the study found, for a person: text and pictures. Knows the facts' names and no trial.
from __future__ import annotations

from typing import Any

from tools.bench import power
from tools.bench.study import plots


def pictures(facts: dict[str, Any]) -> dict[str, str]:
    """File name -> SVG."""
    own = [(row["mah_per_day"], row["found_15min"]["value"]) for row in facts["frontier"]]
    over = facts["over_charge"]
    names = {
        "optimal_with_wake_ups": "unsynchronised, best possible with wake-ups (upper bound)",
        "optimal_without_wake_ups": "unsynchronised, optimal without wake-up costs (Kindt, a bound)",
        "bluezone_stretched": "Bluezone's schedule, stretched",
        "one_second_loop": "one second in a loop, stretched",
    }
    curves = [plots.Curve("this schedule, variants of it", own, joined=False)]
    curves += [
        plots.Curve(name, [(row["mah_per_day"], row[key]["found"]) for row in over]) for key, name in names.items()
    ]
    hours = [
        plots.Curve(name, [(row["hours"], row[name]["value"]) for row in facts["over_time"]])
        for name in ("crystal", "internal")
    ]
    bound = "optimal_with_wake_ups"
    level = facts["same_charge"][bound]["found"]
    hours_apart = [row["hours"] for row in facts["over_time"]]
    hours.append(
        plots.Curve(f"{names[bound]}, at the crystal's charge", [(hours_apart[0], level), (hours_apart[-1], level)])
    )
    y = "contacts of 15 minutes found in both directions"
    return {
        "found-charge.svg": plots.draw("Found against charge", "mAh a day (ESP32-C3, a model)", y, curves, log_x=True),
        "found-apart.svg": plots.draw("Found against hours apart", "hours apart, both alone", y, hours, log_x=True),
    }


def text(facts: dict[str, Any]) -> str:
    """For a person."""
    lines = [facts["model"], ""]
    for name, charge in facts["charge"].items():
        lines.append(
            f"{name}: {charge['mah_per_day']:.2f} mAh a usual day ({charge['percent_per_day']:.2f} %), "
            f"{charge['days']:.0f} days, {charge['days_of_pack']:.0f} on {power.PACK_MAH} mAh"
        )
    lines += [
        "",
        f"{'case':<22}{'15 min':>9}{'5 min':>8}{'2 min':>8}{'match':>8}{'mean s':>8}{'99.9 %':>8}{'min/15':>8}",
    ]
    rooms = {f"{row['tokens']} in a room, 10h": row for row in facts["rooms"]}
    more = {"10h, recorded levels": facts["fading"], **rooms, "a phone of 2020": facts["phone"]}
    for name, row in {**facts["cases"], **more}.items():
        shares = [100 * row[key]["value"] for key in ("found_15min", "found_5min", "found_2min", "match_15min")]
        late = "> 1800" if row["p999_s"] is None else f"{row['p999_s']:.0f}"
        mean = "-" if row["mean_s"] is None else f"{row['mean_s']:.0f}"
        lines.append(
            f"{name:<22}{shares[0]:>9.2f}{shares[1]:>8.1f}{shares[2]:>8.1f}{shares[3]:>8.1f}"
            f"{mean:>8}{late:>8}{row['minutes_of_15']:>8.1f}"
        )
    ways = facts["phone"]["ways"]
    lines.append(
        f"Of phones the token hears {100 * ways['token_hears']['value']:.1f} % in a quarter of an hour, "
        f"of tokens the phone {100 * ways['phone_hears']['value']:.1f} %"
    )
    same = facts["same_charge"]
    lines += [
        "",
        f"At the same {same['mah_per_day']:.2f} mAh a day, contacts of 15 minutes found in one direction at most:",
    ]
    lines += [f"  {key.replace('_', ' ')}: {100 * same[key]['found']:.1f} %" for key in same if key != "mah_per_day"]
    lines += ["", "Identifiers of ten tokens in a room joined by timing, chance 10 %, by a slot's own shift:"]
    for row in facts["linkability"]:
        joined, low, high, heard = (100 * row[key] for key in ("right", "low", "high", "heard_per_minute_of_4"))
        within = f"{joined:.1f} % ({low:.1f} to {high:.1f})"
        lines.append(f"  {row['shift_ms']:>3} ms: {within}; minutes heard in a home of four {heard:.1f} %")
    lines += ["", "In company, adverts that all hear late by some ms; ms moved in common, and beyond their own clocks:"]
    lines += [
        f"  {row['tokens']} tokens, {row['heard_late_ms']:+.0f} ms, {row['hours']} h: {row['most_moved_ms']}, "
        f"{row['outside_ms']}"
        for row in facts["company"]
    ]
    lines += ["", "The firmware in VMs beside the model: found in 15, 5, 2 minutes, mean seconds, minutes of 15:"]
    for row in facts["firmware"]:
        lines.append(
            f"  {row['hours']:g} h apart, {row['pairs']} pairs: {_kept(row['firmware'])}; {_kept(row['model'])}"
        )
    lines += ["", "A beacon of 20 identifiers that lies for an hour: windows moved (bound), left behind after"]
    for row in facts["attacks"]["liar"]:
        lines.append(
            f"  {row['lie_ms']:>6} ms, {row['ppm']} ppm, after {row['hours_alone']} h: {row['moved_ms']} ms "
            f"({row['bound_ms']:.0f}), {row['back_with_an_honest_token_after_s']} s"
        )
    attacks = facts["attacks"]
    lines.append(f"  a flood of 200 invented identifiers all day: {attacks['flood_mah_per_day']} mAh a day")
    lines += [
        f"  a jammer, {name.replace('_', ' ')}: {mah} mAh a day" for name, mah in attacks["jammer_mah_per_day"].items()
    ]
    return "\n".join([*lines, "", sensitive(facts["sensitivity"])])


def _kept(row: dict[str, Any]) -> str:
    shares = ", ".join(f"{100 * row[f'found_{minutes}min']['value']:.1f} %" for minutes in (15, 5, 2))
    return f"{shares}, {row['mean_s']} s, {row['minutes_of_15']}"


def sensitive(rows: list[dict[str, Any]]) -> str:
    """The figures of the model that matter most, each made twice as bad."""
    lines = ["If a figure were twice as bad, a usual day costs:"]
    lines += [f"  {row['figure']:<28}{row['mah_per_day']:>8.2f} mAh, x {row['ratio']:.2f}" for row in rows]
    return "\n".join(lines)
