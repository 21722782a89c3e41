"""The demo project: a newcomer's first runs, read the same way as any others.

One was recorded on the CPU and comes with the program; one, of eight GPUs, is made up on the spot.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction

from traceviewer.accounts.models import Project
from traceviewer.runs import reading
from traceviewer.runs.models import Run
from traceviewer.uploads import staging
from traceviewer.uploads.staging import Staged

if TYPE_CHECKING:
    from simulation.workload import Workload

SLUG, NAME, RUN_NAME = "demo", "Demo", "Two-layer transformer, two ranks on the CPU"
GENERATED_NAME = "GPT on eight GPUs, generated: rank 5 is slow, clocks are apart"


def workload() -> Workload:
    """Steps of about 60 ms, in which there is something to find."""
    from simulation.workload import DEVICES, Workload

    return Workload(
        layers=8, hidden=3072, heads=24, sequence=2048, vocabulary=50_304, micro_batches=4, dp=2, tp=2, pp=2, steps=4,
        device=DEVICES["H100"], straggler=5, straggler_factor=1.25, skew_us=400.0, parting_us=1.0, seed=5,
    )  # fmt: skip


def load_demo(user: Any) -> list[Run]:
    """Make the project and start reading its runs; nothing is done if the project is there already."""
    if Project.objects.filter(slug=SLUG).exists():
        return []
    staged: list[list[Staged]] = []
    try:
        staged.append(staging.stage_paths(sorted(Path(__file__).parent.glob("kineto_rank*.json.gz"))))
        staged.append(_generated())
        with transaction.atomic():
            project = Project.objects.make(NAME, user, slug=SLUG)
            named = zip(staged, (RUN_NAME, GENERATED_NAME), strict=True)
            return [reading.begin(project, files, name, user) for files, name in named]
    except BaseException:
        staging.discard([file.key for files in staged for file in files])
        raise


def _generated() -> list[Staged]:
    from simulation.workload import write_kineto

    with tempfile.TemporaryDirectory() as folder:
        return staging.stage_paths(write_kineto(workload(), Path(folder)))
