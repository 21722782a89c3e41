"""The engine's figures as lines for a terminal; `--json` prints the same figures raw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceviewer.wording import duration, percent

SENSITIVITY_LINES = 20
NAME_CHARS = 70


def rank_label(rank: int | None) -> str:
    return "rank ?" if rank is None else f"rank {rank}"


def inspect_lines(figures: dict[str, Any]) -> Iterator[str]:
    """`inspect` for a person, most important first."""
    ranks = figures["ranks"]
    yield (
        f"{figures['format']}, {len(ranks)} rank{'s' * (len(ranks) != 1)}, "
        f"{figures['events']:,} events, {duration(figures['span_ns'])}"
    )
    if figures["placed"] == "replay":
        yield "  times are not recorded: nodes are placed as early as their dependencies allow"
    for pair in figures["paired"]:
        yield f"  {rank_label(pair['rank'])}: {pair['pairs']:,} operations paired with {pair['file']} by {pair['by']}"
    for gpu in figures["gpu"]:
        if gpu["kernels"]:
            share = 100 * gpu["busy_ns"] / gpu["span_ns"] if gpu["span_ns"] else 0
            yield (
                f"  {rank_label(gpu['rank'])}: {gpu['kernels']:,} kernels, device busy {duration(gpu['busy_ns'])} "
                f"of {duration(gpu['span_ns'])} ({share:.1f} %)"
            )
        else:
            yield f"  {rank_label(gpu['rank'])}: no device events"
    for step in figures["steps"]:
        yield f"  {rank_label(step['rank'])}  {step['name']}  {duration(step['dur_ns'])}"
    yield from clock_lines(ranks)
    yield from quality_lines(figures["quality"])


def clock_lines(ranks: list[dict[str, Any]]) -> Iterator[str]:
    """Each rank's clock against that of the first; nothing where none can be compared."""
    if any(rank["clock"] for rank in ranks):
        yield "clocks, by the common end of collectives (times are shown as recorded):"
        for rank in ranks:
            clock = rank["clock"]
            said = f"{clock['offset_ns']:+,} ns, +-{clock['uncertainty_ns']:,} ns" if clock else "not known"
            yield f"  {rank_label(rank['rank'])}: {said}"


def quality_lines(findings: list[dict[str, Any]]) -> Iterator[str]:
    if findings:
        yield "quality:"
    for finding in findings:
        yield f"  {finding['count']:,} {finding['message']}"


MOST_STRAGGLERS = 3


def collective_lines(figures: dict[str, Any]) -> Iterator[str]:
    """Who was waited for, as measured; and in how many collectives it cannot be seen."""
    hidden = figures["seen"] - figures["matched"]
    if hidden:
        yield (
            f"{hidden:,} of {figures['seen']:,} collectives are not on all their ranks' traces: "
            "who waited in them is not seen, their durations are kept"
        )
    for straggler in figures["stragglers"]["measured"][:MOST_STRAGGLERS]:
        ranks = [other["rank"] for other in straggler["waiting"] if other["rank"] is not None]
        if ranks:
            parts = ", ".join(f"{duration(part['waited_ns'])} {part['collective']}" for part in straggler["of_which"])
            yield (
                f"rank{'s' * (len(ranks) > 1)} {ranges(ranks)} waited {duration(straggler['waited_ns'])} "
                f"for {rank_label(straggler['rank'])}, last in {straggler['last_in']:,} "
                f"of {figures['wait_visible']:,}: {parts}"
            )


def ranges(numbers: list[int]) -> str:
    """[0, 1, 2, 5] -> "0-2, 5"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)


def replay_lines(figures: dict[str, Any]) -> Iterator[str]:
    """`replay` for a person: the whole, each step, then what the prediction rests on."""
    errors = f"{percent(figures['error_percent'])}; {percent(figures['error_percent_without_residuals'])}"
    yield (
        f"measured {duration(figures['measured_ns'])}, predicted {duration(figures['predicted_ns'])} "
        f"({errors} without residuals)"
    )
    yield from condition_lines(figures.get("conditions"))
    for step in figures["steps"]:
        yield (
            f"  {rank_label(step['rank'])}  {step['name']}  {duration(step['measured_ns'])} -> "
            f"{duration(step['predicted_ns'])} ({percent(step['error_percent'])})"
        )
    yield (
        f"critical path: {figures['unexplained_percent']:.2f} % unexplained by dependencies, "
        f"{figures['gap_percent']:.1f} % host gaps kept as measured"
    )
    yield from collective_lines(figures["collectives"])
    for cause in figures["critical_path"]["measured"]["causes"]:
        yield f"  {cause['percent']:6.2f} %  {cause['cause'].replace('_', ' ')}  {duration(cause['ns'])}"
    for line in figures["breakdown"]:
        parts = line["measured"]
        yield (
            f"{rank_label(line['rank'])}  {line['step'] or 'device'}  {duration(parts['total_ns'])}: exposed compute "
            f"{duration(parts['exposed_compute_ns'])}, exposed communication "
            f"{duration(parts['exposed_communication_ns'])}, both {duration(parts['overlapped_ns'])}, "
            f"other {duration(parts['other_ns'])}"
        )
    families = ", ".join(f"{count:,} {family.replace('_', ' ')}" for family, count in figures["edges"].items())
    yield f"{figures['events']:,} events; edges: {families}"
    if "sensitivity" in figures:
        yield from sensitivity_lines(figures["sensitivity"])


def condition_lines(conditions: dict[str, Any] | None) -> Iterator[str]:
    """Under which conditions it was replayed, and what was found of them in the run."""
    if conditions is None:
        return
    said = {key: value for key, value in conditions.items() if key not in ("fitted", "links", "event_by_event")}
    how = "event by event" if conditions["event_by_event"] else "by the forward pass, which is exact here"
    yield f"  {how}: {', '.join(f'{key} {value}' for key, value in said.items())}"
    for name, fit in conditions["fitted"].items():
        found = "too few like works alone and overlapped to tell"
        if fit["slowdown"] is not None:
            spread = f" +- {fit['uncertainty']:.2f}" if fit["uncertainty"] is not None else ""
            found = f"{fit['slowdown']:.2f}{spread} from {fit['overlapped']:,} works, {fit['factor']:.2f} taken"
        yield f"  slow-down of {name}: {found}"
    for name, told in conditions["links"].items():
        yield f"  links of {name}: the bytes of {told['bytes_known']:,} of {told['events']:,} events are known"


def sensitivity_lines(figures: dict[str, Any]) -> Iterator[str]:
    """What gains most, per percent saved of it and at most."""
    of = "step" if figures["steps"] else "run"
    yield f"what a percent saved of it gains the {of} ({duration(figures[f'{of}_ns'])}), and the most it can gain:"
    for entry in figures["entries"][:SENSITIVITY_LINES]:
        gain = entry[of]
        yield (
            f"  {duration(gain['gain_ns_per_percent']):>8}  {duration(gain['bound_ns']):>8} "
            f"({gain['bound_percent']:.1f} %)  {entry['kind']}  {entry['name'][:NAME_CHARS]}  ({entry['events']:,})"
        )
    for kind in figures["kinds"]:
        if kind["left_out"]:
            yield (
                f"  {kind['left_out']:,} of {kind['groups']:,} of kind {kind['kind']} not replayed: "
                f"none takes more than {duration(kind['left_out_most_ns'])}"
            )


def trust_lines(figures: dict[str, Any]) -> Iterator[str]:
    """`validate` for a person: the verdict, the limits, then what it rests on."""
    verdict = figures["verdict"]
    yield verdict["title"]
    yield from (f"  {sentence}" for sentence in verdict["sentences"])
    yield "limits:"
    for check in figures["checks"]:
        mark = "kept  " if check["is_kept"] else "MISSED"
        value, limit = check["value_percent"], check["limit_percent"]
        yield f"  {mark} {check['what']}: {value:.2f} % of at most {limit:.2f}"
    yield from _step_lines(figures["others"])
    yield "without residuals, and without one family of dependencies:"
    for line in figures["ablation"]:
        steps = line["steps_mean_error_percent"]
        said = f"; steps {steps:.2f} % off on average" if steps is not None else ""
        yield f"  {(line['family'] or 'all families').replace('_', ' ')}: {percent(line['error_percent'])}{said}"
    if figures["origins"]:
        yield "where unexplained delays arise:"
    for origin in figures["origins"][:5]:
        yield f"  {duration(origin['residual_ns'])} in {origin['events']:,} x {origin['name'][:80]}"


def _step_lines(others: dict[str, Any]) -> Iterator[str]:
    if others["steps"]:
        yield "each step from the others, beside the median of the others:"
    for step in others["steps"]:
        yield (
            f"  {rank_label(step['rank'])}  {step['name']}  {duration(step['measured_ns'])}: "
            f"{percent(step['error_percent'])}, {percent(step['naive_error_percent'])}"
        )
    for key, why in (("ramp_up", "as ramp-up"), ("unlike", "because their events differ from those of the others")):
        if others[key]:
            names = ", ".join(f"{rank_label(step['rank'])} {step['name']}" for step in others[key])
            yield f"  left out {why}: {names}"
