"""All figures of a run by section: what `traceviewer analyze`, the API and the pages show. Keys: docs/analysis.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from simulation.analysis.annotations import annotations_of
from simulation.analysis.collectives import collectives_of
from simulation.analysis.copies import copies_of
from simulation.analysis.fusion import fusion_of
from simulation.analysis.idle import idle_of
from simulation.analysis.kernels import kernels_by_op_of, kernels_of, short_kernels_of
from simulation.analysis.launches import launches_of
from simulation.analysis.memory import memory_of
from simulation.analysis.modules import modules_of
from simulation.analysis.ops import op_categories_of, ops_of
from simulation.analysis.overlaps import kernel_overlaps_of
from simulation.analysis.queue import queue_of
from simulation.analysis.recompute import recompute_of
from simulation.analysis.roofline import roofline_of
from simulation.analysis.selection import RankView, Selection
from simulation.analysis.sequences import sequences_of
from simulation.analysis.shapes import ops_by_shape_of
from simulation.analysis.time_parts import breakdown_of, step_time_of
from simulation.analysis.utilization import utilization_of
from simulation.run import Run

Section = Callable[[Sequence[RankView]], dict[str, Any]]

SECTIONS: dict[str, Section] = {
    "breakdown": breakdown_of,
    "step_time": step_time_of,
    "utilization": utilization_of,
    "idle": idle_of,
    "launches": launches_of,
    "queue": queue_of,
    "kernels": kernels_of,
    "kernels_by_op": kernels_by_op_of,
    "kernel_overlaps": kernel_overlaps_of,
    "short_kernels": short_kernels_of,
    "ops": ops_of,
    "ops_by_shape": ops_by_shape_of,
    "op_categories": op_categories_of,
    "sequences": sequences_of,
    "modules": modules_of,
    "annotations": annotations_of,
    "recompute": recompute_of,
    "roofline": roofline_of,
    "collectives": collectives_of,
    "copies": copies_of,
    "memory": memory_of,
    "fusion": fusion_of,
}
"""In the order of a report."""


class UnknownSection(LookupError):
    """There is no section of this name."""


def analyze(
    run: Run, selection: Selection | None = None, sections: Sequence[str] = (), measured: Run | None = None
) -> dict[str, Any]:
    """The figures of the chosen sections (all if none are named), of the chosen ranks and steps.

    `measured`: the run that `run` is the replay of, if it is predicted.
    Raises UnknownSection. What a trace does not record is empty or None, never an error.
    """
    wanted = list(dict.fromkeys(sections)) or list(SECTIONS)
    if unknown := [name for name in wanted if name not in SECTIONS]:
        raise UnknownSection(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    views = (selection or Selection()).views(run, measured)
    return {
        "ranks": [view.rank for view in views],
        "steps": sorted({int(number) for view in views for number in view.step_numbers[view.steps]}),
        "linked_only": bool(selection and selection.linked_only),
        "placed": run.placed,
        **{name: SECTIONS[name](views) for name in wanted if views},
    }
