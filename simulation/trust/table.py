"""Assessments of many runs as tables of a page: what docs/accuracy.md holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulation.trust.ablation import TELLING_PERCENT

Assessed = Mapping[str, dict[str, Any]]
"""Figures by the name of the run."""


def tables(assessed: Assessed) -> str:
    """Markdown: the figures, the steps, what each family is worth, and how many edges are how certain."""
    parts = [
        ("Replay with its own durations", _rows(_identity(assessed))),
        ("Each step from the others", _rows(_steps(assessed))),
        ("Without one family", _rows(_ablation(assessed))),
        ("Edges by family and certainty", _rows(_edges(assessed))),
    ]
    return "\n\n".join(f"### {title}\n{text}" for title, text in parts) + "\n"


def _rows(lines: Iterator[Sequence[str]]) -> str:
    head, *body = lines
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body))


def _identity(assessed: Assessed) -> Iterator[Sequence[str]]:
    yield (
        "sample", "with residuals: run %", "device start p95 %", "without: run %", "worst step %",
        "device start p95 %", "unexplained %", "host gap %", "tests the model", "limits missed",
    )  # fmt: skip
    for name, figures in assessed.items():
        same, path = figures["identity"], figures["path"]
        missed = [check["name"].replace("_", " ") for check in figures["checks"] if not check["is_kept"]]
        yield (
            name,
            _signed(same["error_percent"]),
            _share(same["device_start_p95_percent"]),
            _signed(same["error_percent_without_residuals"]),
            _signed(same["worst_step_error_percent_without_residuals"]),
            _share(same["device_start_p95_percent_without_residuals"]),
            _share(path["unexplained_percent"]),
            _share(path["gap_percent"]),
            _telling(figures),
            ", ".join(missed) or "none",
        )


def _telling(figures: dict[str, Any]) -> str:
    if figures["moved_percent"] >= TELLING_PERCENT:
        return f"yes, {figures['moved_percent']:.1f}"
    return "yes, by residuals" if figures["telling"] else "no"


def _steps(assessed: Assessed) -> Iterator[Sequence[str]]:
    yield "sample", "steps", "ramp-up", "unlike", "mean error %", "of their median %", "difference", "kept own times %"
    for name, figures in assessed.items():
        others = figures["others"]
        error, naive = others["mean_error_percent"], others["naive_mean_error_percent"]
        counts = [str(len(others[key])) for key in ("steps", "ramp_up", "unlike")]
        if error is not None:
            yield name, *counts, _share(error), _share(naive), f"{error - naive:+.2f}", _share(others["kept_percent"])
        elif others["unlike"]:
            yield name, *counts, "–", "–", "–", "–"


def _ablation(assessed: Assessed) -> Iterator[Sequence[str]]:
    """The run's error, and behind it the steps' mean error where there are steps."""
    present = {line["family"] for figures in assessed.values() for line in figures["ablation"][1:]}
    order = [line["family"] for figures in assessed.values() for line in figures["ablation"][1:]]
    families = [family for family in dict.fromkeys(order) if family in present]
    yield "sample", "all families", *(family.replace("_", " ") for family in families)
    for name, figures in assessed.items():
        lines = {line["family"]: line for line in figures["ablation"]}
        yield name, _errors(lines[None]), *(_errors(lines.get(family), lines[None]) for family in families)


def _errors(line: dict[str, Any] | None, whole: dict[str, Any] | None = None) -> str:
    if line is None:
        return "–"
    steps = line["steps_mean_error_percent"]
    said = f"{line['error_percent']:+.2f}" + (f" ({steps:.2f})" if steps is not None else "")
    moved = [abs((line[key] or 0) - (whole[key] or 0)) for key in KEYS] if whole else [0.0]
    return f"**{said}**" if max(moved) >= TELLING_PERCENT else said


KEYS = ("error_percent", "steps_mean_error_percent")


def _edges(assessed: Assessed) -> Iterator[Sequence[str]]:
    """Over all samples."""
    counts: Counter[tuple[str, str]] = Counter()
    for figures in assessed.values():
        for line in figures["edges"]:
            counts[line["family"], line["certainty"]] += line["edges"]
    certainties = ("structural", "recorded", "inferred", "guessed")
    yield "family", *certainties
    for family in dict.fromkeys(family for family, _ in counts):
        numbers = (counts[family, certainty] for certainty in certainties)
        yield family.replace("_", " "), *(f"{number:,}" if number else "–" for number in numbers)


def _signed(percent: float | None) -> str:
    return "–" if percent is None else f"{percent:+.2f}"


def _share(percent: float) -> str:
    return f"{percent:.2f}"
