"""The sections of an analysis as tables for a terminal; `--json` prints the same figures raw, and all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from traceviewer.report import rank_label
from traceviewer.wording import UNKNOWN, duration, size

Line = dict[str, Any]
Format = Callable[[Any], str]

NAME_CHARS = 70
FILE_CHARS = 160
"""Width of tables that go to a file or a pipe."""

LEAST_WORDS, GAP = 12, 2
"""Characters that a column of words keeps, and between columns, where a terminal is narrow."""


def text(value: Any) -> str:
    shown = UNKNOWN if value is None else str(value)
    return shown if len(shown) <= NAME_CHARS else shown[: NAME_CHARS - 1] + "…"


def percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"


def place(value: int | None) -> str:
    """A rank, a stream, a device."""
    return "-" if value is None or value < 0 else str(value)


def number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


Columns = Sequence[tuple[str, str, Format]]

PLACES = frozenset({"rank", "stream", "depth", "device", "length"})
"""Keys that tell where a line belongs: 0 is one of them, and they are no figure."""

DEVICE, LAUNCHED = "work on a device", "work on a device whose launch was recorded"
NEEDS = {
    "breakdown": DEVICE, "step_time": "steps (ProfilerStep)", "utilization": DEVICE, "idle": DEVICE,
    "launches": LAUNCHED, "queue": LAUNCHED, "kernels": DEVICE, "kernels_by_op": DEVICE,
    "kernel_overlaps": "kernels that run at the same time on different streams", "short_kernels": "short kernels",
    "ops": "operators", "ops_by_shape": "operators that launch work", "op_categories": "operators that launch work",
    "sequences": "operators that launch work", "modules": "Python stacks (with_stack, with_modules)",
    "annotations": "annotations on the device (gpu_user_annotation)",
    "recompute": "work done again by torch.utils.checkpoint, which Python stacks (with_stack) show",
    "roofline": "operators with recorded shapes (record_shapes) that launch work",
    "collectives": "collectives", "copies": "copies or memory sets",
    "memory": "the allocator's records (profile_memory)",
    "fusion": "chains of kernels that occur again",
}  # fmt: skip
"""What a trace must hold for a section to have anything to show."""

PARTS: Columns = (
    ("span", "window_ns", duration), ("compute alone", "exposed_compute_ns", duration),
    ("overlapped", "overlapped_ns", duration), ("communication alone", "exposed_communication_ns", duration),
    ("copying", "copying_ns", duration), ("idle", "idle_ns", duration), ("overlap %", "overlapped_percent", percent),
)  # fmt: skip
ACTIVITIES: Columns = tuple(
    (name.replace("_", " "), f"{name}_ns", duration)
    for name in ("dur", "kernel", "memcpy", "memset", "communication", "runtime", "data_loader", "host", "other")
)
SPREAD: Columns = (
    ("count", "count", number), ("total", "total_ns", duration), ("%", "percent", percent),
    ("mean", "mean_ns", lambda ns: duration(round(ns))), ("min", "min_ns", duration), ("max", "max_ns", duration),
)  # fmt: skip
IDLE: Columns = (
    ("idle", "idle_ns", duration), ("gaps", "gaps", number), ("host late", "host_wait_ns", duration),
    ("between kernels", "kernel_wait_ns", duration), ("other", "other_ns", duration),
)  # fmt: skip


def show(figures: Line, top: int) -> None:
    """Print each section that is in `figures`, at most `top` lines of each table."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = FILE_CHARS
    if figures["placed"] == "replay":
        console.print("times are not recorded: nodes are placed as early as their dependencies allow")
    empty = []
    for section, render in RENDERERS.items():
        if section not in figures:
            continue
        tables = [(title, *_told(columns, lines), lines) for title, columns, lines in render(figures[section])]
        for title, columns, silent, lines in tables:
            if columns:
                _print(console, title, columns, silent, lines, top)
        if not any(columns for _, columns, _, _ in tables):
            empty.append({"section": section, "needs": NEEDS[section]})
    if empty:
        columns = (("section", "section", text), ("it needs", "needs", str))
        _print(console, "Nothing to say", columns, [], empty, len(empty))


def _told(columns: Columns, lines: list[Line]) -> tuple[Columns, list[str]]:
    """(columns that say something, figures that are 0 or not known in all lines); no columns if no figure says any."""
    told, silent = [], []
    for heading, key, shown in columns:
        values = {line.get(key) for line in lines if not isinstance(line.get(key), list)}
        if values == {None} or (key not in PLACES and values <= {0, None} and values):
            silent += [] if key in PLACES else [f"{heading} {'unknown' if values == {None} else 'all 0'}"]
        else:
            told.append((heading, key, shown))
    figures = [key for _, key, shown in told if shown is not text and key not in PLACES]
    return (told, silent) if lines and figures else ([], [])


def _print(console: Console, title: str, columns: Columns, silent: list[str], lines: list[Line], top: int) -> None:
    widths = [
        max(map(len, [*heading.split(), *(shown(line.get(key)) for line in lines[:top])]), default=0)
        for heading, key, shown in columns
    ]
    is_words = [shown is text or shown is str for _, _, shown in columns]
    taken = sum(width for width, words in zip(widths, is_words, strict=True) if not words) + GAP * (len(columns) - 1)
    room = max((console.width - taken) // max(sum(is_words), 1), LEAST_WORDS)  # words give way to figures
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for (heading, _, shown), width, words in zip(columns, widths, is_words, strict=True):
        if words:
            table.add_column(heading, overflow="ellipsis", no_wrap=shown is text, max_width=room)
        else:
            table.add_column(heading, justify="right", min_width=width)
    for line in lines[:top]:
        table.add_row(*(Text(shown(line.get(key))) for _, key, shown in columns))
    console.print(table)
    if len(lines) > top:
        console.print(f"  {len(lines) - top:,} more; --top {len(lines)} shows them", style="dim", highlight=False)
    if silent:
        console.print(f"  {', '.join(silent)}", style="dim", highlight=False)
    console.print()


Tables = Iterator[tuple[str, Columns, list[Line]]]


def _ranked(lines: list[Line], inner: str = "steps") -> list[Line]:
    """A line per rank, then one for each of its steps (or streams, or kinds), labelled."""
    found = []
    for line in lines:
        found.append({**line, "label": rank_label(line["rank"])})
        for part in line.get(inner, []):
            label = part.get("name") or f"step {part.get('step')}"
            found.append({**part, "label": f"  {label}"})
    return found


def _inner(section: Line, inner: str) -> list[Line]:
    return [{"rank": line["rank"], **part} for line in section["ranks"] for part in line[inner]]


LABEL: Columns = (("", "label", text),)
RANK: Columns = (("rank", "rank", place),)
NAME: Columns = (("name", "name", text),)


def _breakdown(section: Line) -> Tables:
    yield "Breakdown of device time", (*LABEL, *PARTS), _ranked(section["ranks"])


def _step_time(section: Line) -> Tables:
    yield "Steps by activity, highest priority first", (*RANK, *NAME, *ACTIVITIES), _inner(section, "steps")


def _utilization(section: Line) -> Tables:
    columns = (
        ("busy %", "gpu_utilization_percent", percent), ("SM efficiency %", "sm_efficiency_percent", percent),
        ("occupancy %", "achieved_occupancy_percent", percent),
    )  # fmt: skip
    yield "Utilization", (*RANK, *columns), section["ranks"]


def _idle(section: Line) -> Tables:
    yield "Idle device, by cause", (*LABEL, *IDLE), _ranked(section["ranks"])
    yield "Idle streams", (*RANK, ("stream", "stream", place), *IDLE), _inner(section, "streams")


def _launches(section: Line) -> Tables:
    lines = [{**line, **(line["verdict"] or {})} for line in section["ranks"]]
    verdict = (("", "bound", text), ("because", "reason", str), ("TKLQT", "tklqt_ns", duration))
    yield "Who holds up whom", (*RANK, *verdict), [line for line in lines if line["verdict"]]
    columns = (
        ("count", "count", number), ("call, median", "call_median_ns", duration),
        ("delay, median", "delay_median_ns", duration), ("delay, most", "delay_max_ns", duration),
        ("TKLQT", "tklqt_ns", duration), ("slow calls", "slow_calls", number), ("late", "late", number),
        ("shorter than call", "shorter_than_call", number),
    )  # fmt: skip
    yield "Launches by call", (*RANK, *NAME, *columns), _inner(section, "calls")


def _queue(section: Line) -> Tables:
    columns = (("longest", "max", number), ("mean", "mean", number), ("time full", "full_ns", duration))
    yield "Launch queues", (*RANK, ("stream", "stream", place), *columns), _inner(section, "streams")


def _kernels(section: Line) -> Tables:
    device = (("blocks per SM", "blocks_per_multiprocessor", number), ("occupancy %", "occupancy_percent", percent))
    yield "Kernels", (*NAME, ("work", "work", text), *SPREAD, *device), section["kernels"]


def _kernels_by_op(section: Line) -> Tables:
    yield (
        "Kernels by operator",
        (("operator", "op", text), *NAME, ("stream", "stream", place), *SPREAD),
        section["kernels"],
    )


def _kernel_overlaps(section: Line) -> Tables:
    columns = (("count", "count", number), ("at the same time", "overlap_ns", duration))
    yield "Kernels that overlap", (*NAME, ("other", "other", text), *columns), section["pairs"]


def _short_kernels(section: Line) -> Tables:
    title = f"Kernels under {duration(section['short_ns'])}: {section['count']:,}, {duration(section['total_ns'])}"
    yield title, (("operator", "op", text), *NAME, *SPREAD), section["kernels"]


def _ops(section: Line) -> Tables:
    columns = (
        ("count", "count", number), ("host", "host_ns", duration), ("host, self", "host_self_ns", duration),
        ("device, direct", "direct_ns", duration), ("%", "percent", percent),
        ("device, subtree", "subtree_ns", duration),
    )  # fmt: skip
    yield "Operators", (*NAME, *columns), section["ops"]


def _op_categories(section: Line) -> Tables:
    columns = (
        ("category", "category", text), ("count", "count", number), ("device", "direct_ns", duration),
        ("%", "percent", percent),
    )  # fmt: skip
    yield "Device time by category of operator", columns, section["categories"]


def _ops_by_shape(section: Line) -> Tables:
    columns = (("shapes", "dims", text), *SPREAD)
    yield "Operators by shapes, device time", (*RANK, *NAME, *columns), _inner(section, "ops")


def _sequences(section: Line) -> Tables:
    columns = (
        ("count", "count", number), ("kernels", "kernels", number), ("host", "host_ns", duration),
        ("device", "device_ns", duration), ("to launch", "op_to_launch_ns", lambda ns: duration(round(ns))),
        ("launch to start", "launch_to_start_ns", lambda ns: duration(round(ns))),
    )  # fmt: skip
    yield "Operators by the kernels they launch themselves", (*NAME, *columns), section["innermost"]
    yield "Outermost operators by all kernels under them", (*NAME, *columns), section["outermost"]


def _modules(section: Line) -> Tables:
    columns = (
        ("calls", "calls", number), ("host", "host_ns", duration), ("device, direct", "direct_ns", duration),
        ("device, subtree", "subtree_ns", duration),
    )  # fmt: skip
    lines = []
    for rank in section["ranks"]:
        depth: list[int] = []
        for line in rank["modules"]:
            depth.append(depth[line["parent"]] + 1 if line["parent"] >= 0 else 0)
        lines += [
            {**line, "rank": rank["rank"], "depth": deep} for line, deep in zip(rank["modules"], depth, strict=True)
        ]
    lines.sort(key=lambda line: -line["subtree_ns"])
    yield "Modules", (*RANK, *NAME, ("depth", "depth", number), *columns), lines


def _annotations(section: Line) -> Tables:
    columns = (
        ("count", "count", number), ("span", "span_ns", duration), ("direct", "direct_ns", duration),
        ("with inner", "subtree_ns", duration),
    )  # fmt: skip
    yield "Device time by annotation", (*NAME, *columns), section["annotations"]


def _recompute(section: Line) -> Tables:
    whole = (("regions", "regions", number), ("device", "busy_ns", duration), ("%", "percent", percent))
    ranks = [line for line in section["ranks"] if line["regions"]]
    yield "Done again for the backward pass", (*RANK, *whole), ranks
    columns = (("count", "count", number), ("device", "direct_ns", duration))
    yield "Operators that are done again", (*RANK, *NAME, *columns), _inner(section, "ops")


def _roofline(section: Line) -> Tables:
    columns = (
        ("shapes", "dims", text), ("count", "count", number), ("busy", "busy_ns", duration),
        ("TFLOP/s", "tflops_per_s", number), ("GB/s", "gb_per_s", number), ("bound", "bound", text),
        ("roofline %", "roofline_percent", percent),
    )  # fmt: skip
    yield "FLOPs and bytes by operator and shapes", (*RANK, *NAME, *columns), _inner(section, "ops")


def _collectives(section: Line) -> Tables:
    columns = (
        ("group", "group", text), ("kind", "kind", text), ("size", "size_bytes", size), ("ranks", "ranks_seen", number),
        ("count", "count", number), ("latency", "latency_ns", lambda ns: duration(round(ns))),
        ("algorithm GB/s", "algorithm_gb_per_s", number), ("bus GB/s", "bus_gb_per_s", number),
        ("total", "total_ns", duration), ("waiting", "wait_ns", duration),
    )  # fmt: skip
    yield f"Collectives ({section['clock']} clocks)", columns, section["collectives"]
    columns = (
        ("meetings", "meetings", number), ("came last", "came_last", number), ("came first", "came_first", number),
        ("waited", "wait_ns", duration), ("transfer", "transfer_ns", duration),
        ("others waited for it", "caused_wait_ns", duration),
    )  # fmt: skip
    ranks = [line for line in section["stragglers"]["ranks"] if line["meetings"]]
    yield "Who came late", (*RANK, *columns), ranks


def _copies(section: Line) -> Tables:
    columns = (
        ("kind", "kind", text), ("count", "count", number), ("bytes", "bytes", size), ("time", "total_ns", duration),
        ("GB/s", "gb_per_s", number), ("most", "max_gb_per_s", number),
    )  # fmt: skip
    yield "Copies", (*RANK, *columns), _inner(section, "kinds")


def _memory(section: Line) -> Tables:
    columns = (
        ("of", "device_type", text), ("device", "device", place), ("peak", "peak_allocated_bytes", size),
        ("peak reserved", "peak_reserved_bytes", size), ("allocations", "allocations", number),
        ("allocated in all", "allocated_in_all_bytes", size),
    )  # fmt: skip
    yield "Memory", (*RANK, *columns), _inner(section, "devices")


def _fusion(section: Line) -> Tables:
    columns = (
        ("length", "length", number), ("always the same", "deterministic", number),
        ("launches saved", "launches_saved", number), ("ideal gain", "ideal_gain", number),
    )  # fmt: skip
    lengths = [line for line in section["lengths"] if line["deterministic"]]
    yield f"Chains of kernels, of {section['launches']:,}", columns, lengths
    chains = [{**line, "first": line["kernels"][0], "last": line["kernels"][-1]} for line in section["chains"]]
    ends = (("length", "length", number), ("count", "count", number), ("first", "first", text), ("last", "last", text))
    yield "Candidates for fusion", ends, chains


RENDERERS: dict[str, Callable[[Line], Tables]] = {
    "breakdown": _breakdown, "step_time": _step_time, "utilization": _utilization, "idle": _idle,
    "launches": _launches, "queue": _queue, "kernels": _kernels, "kernels_by_op": _kernels_by_op,
    "short_kernels": _short_kernels, "kernel_overlaps": _kernel_overlaps, "op_categories": _op_categories,
    "ops": _ops, "ops_by_shape": _ops_by_shape, "sequences": _sequences, "modules": _modules,
    "annotations": _annotations, "recompute": _recompute, "roofline": _roofline, "collectives": _collectives,
    "copies": _copies, "memory": _memory, "fusion": _fusion,
}  # fmt: skip
