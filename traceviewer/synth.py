"""`traceviewer synth`: its options, which are the figures of a workload, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.errors import TraceError

if TYPE_CHECKING:
    from simulation.progress import Progress
    from simulation.workload import Workload

MODEL, PARALLEL, DISTURBANCE, OUT = "The model", "How it is trained", "What disturbs it", "What is written"


def option(default: str, text: str, panel: str, *names: str) -> Any:
    """An option that is None where it is not given; `default` is what the workload then has, for the help."""
    return typer.Option(*names, show_default=default, help=text, rich_help_panel=panel)


def synth(
    context: typer.Context,
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder for the files.", rich_help_panel=OUT)],
    layers: Annotated[int | None, option("8", "Layers of the transformer.", MODEL)] = None,
    hidden: Annotated[int | None, option("4096", "Width of a layer.", MODEL)] = None,
    heads: Annotated[int | None, option("32", "Attention heads.", MODEL)] = None,
    sequence: Annotated[int | None, option("2048", "Tokens of a sequence.", MODEL)] = None,
    vocabulary: Annotated[int | None, option("50304", "Words.", MODEL)] = None,
    micro_batch: Annotated[int | None, option("1", "Sequences of a micro-batch.", MODEL)] = None,
    micro_batches: Annotated[int | None, option("4", "Micro-batches of a step.", MODEL)] = None,
    dp: Annotated[int | None, option("2", "Data-parallel replicas.", PARALLEL)] = None,
    tp: Annotated[int | None, option("2", "Tensor-parallel ranks of a layer.", PARALLEL)] = None,
    pp: Annotated[int | None, option("2", "Pipeline stages, one-forward-one-backward.", PARALLEL)] = None,
    device: Annotated[str | None, option("H100", "A100, H100, H200 or B200.", PARALLEL)] = None,
    bucket_mib: Annotated[float | None, option("25", "Gradients of one all-reduce, at least.", PARALLEL)] = None,
    seed: Annotated[int | None, option("0", "Equal seeds give equal runs.", DISTURBANCE)] = None,
    jitter: Annotated[float | None, option("0.03", "Spread of every duration, as a share of it.", DISTURBANCE)] = None,
    skew_us: Annotated[float | None, option("0", "Clocks of ranks are off by up to this.", DISTURBANCE)] = None,
    parting_us: Annotated[float | None, option("0", "Ranks leave a collective this far apart.", DISTURBANCE)] = None,
    straggler: Annotated[int | None, option("none", "A rank whose kernels are slow.", DISTURBANCE)] = None,
    straggler_factor: Annotated[float | None, option("1.3", "How slow.", DISTURBANCE)] = None,
    spec: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A workload as JSON; options given beside it win.", rich_help_panel=OUT),
    ] = None,
    steps: Annotated[int | None, option("3", "Training steps.", OUT)] = None,
    events: Annotated[
        int | None,
        typer.Option(min=1, help="As many steps as make this many events, all ranks together.", rich_help_panel=OUT),
    ] = None,
    sync_events: Annotated[
        bool | None, option("no", "Record cuda_sync events: which stream waits for what.", OUT, "--sync-events")
    ] = None,
    as_table: Annotated[
        bool, typer.Option("--table", help="A stored run instead of Kineto files.", rich_help_panel=OUT)
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Make up a training run of a transformer: one Kineto file per rank, with known clock skew and stragglers."""
    from simulation.workload import of_size
    from traceviewer.cli import progress_bar, show

    if steps is not None and events is not None:
        raise typer.BadParameter("steps and events both say how long the run is; give one", param_hint="--events")
    workload = workload_of(spec, context.params)
    if events is not None:
        workload = of_size(workload, events)
    with progress_bar() as progress:
        figures = write(workload, out, as_table, progress)
    show(figures, lines, as_json)


def workload_of(file: Path | None, given: dict[str, Any]) -> Workload:
    """What the file says, changed by the options that were given. Raises TraceError with the key that is wrong."""
    from simulation.workload import Workload

    document = _document(file) if file else {}
    keys = Workload().document().keys()
    return Workload.of(document | {key: given[key] for key in keys if given.get(key) is not None})


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise TraceError(f"cannot be read ({error.strerror})", file=str(file)) from error
    except ValueError as error:
        raise TraceError(f"is not JSON ({error})", file=str(file)) from error
    if not isinstance(document, dict):
        raise TraceError("is not a JSON object", file=str(file))
    return document


def write(workload: Workload, out: Path, as_table: bool, progress: Progress) -> dict[str, Any]:
    """Write it, and the figures of what was written: `clock_skew_ns` is how far each rank's clock is ahead."""
    from simulation.workload import events_of, write_kineto, write_run

    if as_table:
        write_run(workload, out, progress)
    else:
        write_kineto(workload, out, progress)
    return {
        "out": str(out),
        "as": "table" if as_table else "kineto",
        "ranks": workload.ranks,
        "steps": workload.steps,
        "events": events_of(workload, in_files=not as_table),
        "size_bytes": sum(path.stat().st_size for path in out.rglob("*") if path.is_file()),
        "clock_skew_ns": workload.clock_skew_ns().tolist(),
        "workload": workload.document(),
    }


def lines(figures: dict[str, Any]) -> Iterator[str]:
    """For a person."""
    ranks, steps = figures["ranks"], figures["steps"]
    what = "a stored run" if figures["as"] == "table" else f"{ranks} Kineto file{'s' * (ranks != 1)}"
    yield (
        f"{figures['out']}: {what}, {figures['events']:,} events in {steps:,} step{'s' * (steps != 1)} "
        f"of {ranks} rank{'s' * (ranks != 1)}, {figures['size_bytes'] / 1e6:,.1f} MB"
    )
    skew = figures["clock_skew_ns"]
    if any(skew):
        yield f"  clocks ahead by {', '.join(f'{ns / 1000:+,.1f}' for ns in skew[:16])}{', …' * (ranks > 16)} us"
