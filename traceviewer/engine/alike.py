"""The events of a run that share an event's name and category: how many, how long, which comes before and after.

Costs one pass over the names of each trace: an array of four bytes an event, mapped from its file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from traceviewer.engine.details import table_of
from traceviewer.engine.opened import OPENED, Files, OpenedRun


def alike(files: Files, trace: int, row: int) -> dict[str, Any]:
    """As docs/protocol.md, "Events of one name", says; in order of their starts. Raises NoSuchEvent."""
    opened = OPENED.get(files)
    table = table_of(opened, trace, row)
    name = int(opened.run.name_codes[trace][table.columns["name"][row]])
    rows = [_rows(opened, index, name, table.category_of(row)) for index in range(len(opened.run.traces))]
    traces = np.repeat(np.arange(len(rows)), [len(found) for found in rows])
    all_rows = np.concatenate(rows)
    starts = [opened.run.traces[i].start_ns[found] + opened.run.shift_ns[i] for i, found in enumerate(rows)]
    order = np.argsort(np.concatenate(starts), kind="stable")
    place = int(np.flatnonzero((traces[order] == trace) & (all_rows[order] == row))[0])
    durations = np.concatenate([opened.run.traces[i].dur_ns[found] for i, found in enumerate(rows)])

    def at(number: int) -> dict[str, int] | None:
        if not 0 <= number < len(order):
            return None
        return {"trace": int(traces[order[number]]), "row": int(all_rows[order[number]])}

    return {
        **_durations(durations),
        "number": place + 1,
        "previous": at(place - 1),
        "next": at(place + 1),
        "longest": at(int(np.argmax(durations[order]))),
    }


def _rows(opened: OpenedRun, trace: int, name: int, category: str) -> np.ndarray:
    """Rows of a trace with a name, as a code of the run's string table, and a category, ascending: i64[n]"""
    table = opened.run.traces[trace]
    found = np.flatnonzero(np.isin(table.columns["name"], np.flatnonzero(opened.run.name_codes[trace] == name)))
    is_of_category = np.array([word == category for word in table.categories], bool)
    return found[is_of_category[table.columns["category"][found]]]


def _durations(dur_ns: np.ndarray) -> dict[str, int]:
    """The median is the lower one, the percentile the nearest: both are durations that occur."""
    return {
        "count": len(dur_ns),
        "total_ns": int(dur_ns.sum()),
        "median_ns": int(np.percentile(dur_ns, 50, method="lower")),
        "p95_ns": int(np.percentile(dur_ns, 95, method="nearest")),
        "max_ns": int(dur_ns.max()),
    }
