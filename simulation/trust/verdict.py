"""The verdict in plain words, and the limits that it is measured by."""

from __future__ import annotations

from typing import Any

from simulation.trust.ablation import TELLING_PERCENT

ERROR_PERCENT = 0.5
ERROR_PERCENT_WITHOUT_RESIDUALS = 2.0
START_PERCENT = 0.5
UNEXPLAINED_PERCENT = 2.0
OVER_NAIVE_POINTS = 0.5
"""What the model may be off at most; the last: how much further than the median of the other steps."""


TITLES = {
    "good": "The replay of this run can be trusted.",
    "limited": "The replay of this run can be trusted within limits.",
    "untested": "The replay is exact, but this run does not test it.",
    "none": "There is nothing to trust or to distrust.",
}

WHAT = {
    "identity": "Replay with the run's own durations",
    "identity_without_residuals": "The same without residuals",
    "device_start_p95": "Starts of device events, 95th percentile, as part of a step",
    "unexplained": "Part of the critical path that no dependency explains",
    "step_from_others": "A step predicted from the other steps, on average",
}


def checks(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """Each figure that has a limit, the limit, and whether it is kept."""
    same, others = figures["identity"], figures["others"]
    found = [
        _check("identity", abs(same["error_percent"]), ERROR_PERCENT),
        _check(
            "identity_without_residuals",
            abs(same["error_percent_without_residuals"]),
            ERROR_PERCENT_WITHOUT_RESIDUALS,
        ),
        _check("device_start_p95", same["device_start_p95_percent"], START_PERCENT),
        _check("unexplained", figures["path"]["unexplained_percent"], UNEXPLAINED_PERCENT),
    ]
    if others["mean_error_percent"] is not None:
        limit = others["naive_mean_error_percent"] + OVER_NAIVE_POINTS
        found.append(_check("step_from_others", others["mean_error_percent"], limit))
    return found


def verdict(figures: dict[str, Any]) -> dict[str, Any]:
    """`level`, "good", "limited" (a limit is missed), "untested" (it cannot tell) or "none" (no times); and why."""
    if figures["placed"] == "replay":
        text = "The files hold no times: the events were placed by replay, and there is nothing to compare it with."
        return {"level": "none", "title": TITLES["none"], "sentences": [text]}
    is_telling = figures["telling"]
    kept = all(check["is_kept"] for check in figures["checks"])
    level = ("good" if is_telling else "untested") if kept else "limited"
    sentences = [_replay(figures), _explained(figures), *_others(figures), _says(figures)]
    return {"level": level, "title": TITLES[level], "sentences": sentences}


def _check(name: str, value: float, limit: float) -> dict[str, Any]:
    kept = value <= limit
    return {"name": name, "what": WHAT[name], "value_percent": value, "limit_percent": round(limit, 4), "is_kept": kept}


def _replay(figures: dict[str, Any]) -> str:
    same = figures["identity"]
    worst = same["worst_step_error_percent_without_residuals"]
    run = abs(same["error_percent_without_residuals"])
    if worst is None:
        return f"With its own durations the run replays within {_within(run)}."
    return f"With its own durations the run replays within {_within(run)}, each step within {_within(abs(worst))}."


def _explained(figures: dict[str, Any]) -> str:
    unexplained = figures["path"]["unexplained_percent"]
    if unexplained < 0.005:
        return "Dependencies explain all of the critical path."
    return f"{_percent(unexplained)} of the critical path is not explained by any dependency."


def _others(figures: dict[str, Any]) -> list[str]:
    others = figures["others"]
    error, naive = others["mean_error_percent"], others["naive_mean_error_percent"]
    if error is None and others["unlike"]:
        return ["The steps differ too much in their events to predict one from the others."]
    if error is None:
        return ["There are too few steps to predict one from the others."]
    text = f"Predicted from the other steps, a step is off by {_percent(error)} on average"
    return [f"{text}; their median alone is off by {_percent(naive)}."]


def _says(figures: dict[str, Any]) -> str:
    if figures["moved_percent"] >= TELLING_PERCENT:
        return "Leaving out a family of dependencies changes the error: this run tests the model."
    if figures["telling"]:
        return "What the dependencies leave unexplained shows: this run tests the model."
    gap, host = figures["path"]["gap_percent"], figures["path"]["families"].get("thread_order", 0.0)
    if gap >= 50:
        why = f"{_percent(gap)} of its critical path is host gap, kept as measured"
    else:
        why = f"{_percent(host)} of its critical path is work and gaps of host threads, kept as measured"
    moved = f"no family of dependencies changes an error by {TELLING_PERCENT} points"
    return f"This run says little about the model: {why}, and {moved}."


def _within(value: float) -> str:
    return _percent(max(value, 0.01))


def _percent(value: float) -> str:
    """Three significant digits, at most two decimals, as pages and tables show it: 0.34 %, 1.23 %, 97.4 %, 100 %."""
    decimals = 2 if round(value, 2) < 10 else 1 if round(value, 1) < 100 else 0
    return f"{value:.{decimals}f} %"
