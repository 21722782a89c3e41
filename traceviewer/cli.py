"""The `traceviewer` command. Engine commands need no server and import no web framework."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.errors import TraceError
from traceviewer import report
from traceviewer.conditions import (
    EventDriven,
    Link,
    MeasuredLink,
    MeasuredSlowDown,
    QueueLimit,
    RanksPerLink,
    SlowDown,
    conditions_of,
)
from traceviewer.synth import synth

if TYPE_CHECKING:
    from simulation.progress import Progress

app = typer.Typer(
    help="See, replay, change and compare profiler traces of AI workloads.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Traces of one run: files, folders, archives.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


class ClockMode(StrEnum):
    RECORDED = "recorded"
    ALIGNED = "aligned"


class ExportFormat(StrEnum):
    CHROME = "chrome"
    ARROW = "arrow"
    PARQUET = "parquet"
    CSV = "csv"


BAD_INPUT = 2
"""Exit status for a TraceError: the input is at fault, not the program."""

OBJECTS_BETWEEN_LOOKS = 100_000
"""New objects before Python looks for garbage again: loading a program makes many, and hardly any is garbage."""


@app.command()
def up(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Start the web server and the worker; Ctrl-C stops both."""
    from traceviewer import supervisor

    raise typer.Exit(supervisor.up(host, port))


@app.command()
def down() -> None:
    """Stop what `up` started."""
    from traceviewer import supervisor

    raise typer.Exit(supervisor.down())


@app.command()
def inspect(files: Files, as_json: AsJson = False) -> None:
    """Say what the files hold: ranks, steps, device time, and what could not be read."""
    from simulation.analysis.inspect import inspect_run
    from simulation.run import read_run

    with progress_bar() as progress:
        figures = inspect_run(read_run(files, progress))
    show(figures, report.inspect_lines, as_json)


@app.command()
def replay(
    files: Files,
    as_json: AsJson = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the predicted run as Chrome JSON (.json or .json.gz), for Perfetto or this program."),
    ] = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Replay once more for each kernel, operator, ...: what would it gain?")
    ] = False,
    event_driven: EventDriven = False,
    queue_limit: QueueLimit = 0,
    slow_down: SlowDown = None,
    link: Link = None,
    ranks_per_link: RanksPerLink = None,
    measured_slow_down: MeasuredSlowDown = None,
    measured_link: MeasuredLink = None,
) -> None:
    """Rebuild the dependencies, replay the run, and say how far the prediction is from the measurement."""
    from simulation.graph import build_graph
    from simulation.replay import predict_under
    from simulation.run import read_run

    conditions = conditions_of(
        event_driven, queue_limit, slow_down, link, ranks_per_link, measured_slow_down, measured_link
    )
    with progress_bar() as progress:
        run = read_run(files, progress)
        prediction = predict_under(run, build_graph(run), conditions)
        figures = dict(prediction.report)
        if sensitivity:
            from simulation.replay.sensitivity import sensitivity as find_sensitivity

            figures["sensitivity"] = find_sensitivity(run, prediction.graph, progress=progress)
        if out is not None:
            from simulation.formats.chrome import write_chrome

            tables = tuple(prediction.table(trace) for trace in range(len(run.traces)))
            write_chrome(run, out, tables)
    show(figures, report.replay_lines, as_json)


@app.command()
def analyze(
    files: Files,
    as_json: AsJson = False,
    section: Annotated[list[str] | None, typer.Option(help="Only this section; may be given several times.")] = None,
    rank: Annotated[list[int] | None, typer.Option(min=0, help="Only this rank; several times.")] = None,
    step: Annotated[list[int] | None, typer.Option(help="Only this step, by its number; several times.")] = None,
    linked_only: Annotated[
        bool, typer.Option(help="Leave out device work whose launch is not in the trace, as TraceLens does.")
    ] = False,
    top: Annotated[int, typer.Option(min=1, help="Lines of each table.")] = 15,
) -> None:
    """Say where the time goes: breakdown, idle causes, kernels, operators, collectives, memory and more."""
    from simulation.analysis.report import UnknownSection
    from simulation.analysis.report import analyze as analyzed
    from simulation.analysis.selection import Selection
    from simulation.run import read_run
    from traceviewer import analysis_text

    with progress_bar() as progress:
        run = read_run(files, progress)
    if missing := set(rank or ()) - set(run.ranks):
        raise typer.BadParameter(f"the run has no rank {min(missing)}", param_hint="--rank")
    selection = Selection(frozenset(rank) if rank else None, frozenset(step) if step else None, linked_only)
    try:
        figures = analyzed(run, selection, section or ())
    except UnknownSection as error:
        raise typer.BadParameter(str(error), param_hint="--section") from error
    if as_json:
        print(json.dumps(figures))
    else:
        analysis_text.show(figures, top)


@app.command()
def validate(files: Files, as_json: AsJson = False) -> None:
    """Say how far a replay of the run can be trusted, and why."""
    from simulation.run import read_run
    from simulation.trust import assess

    with progress_bar() as progress:
        figures = assess(read_run(files, progress), progress)
    show(figures, report.trust_lines, as_json)


@app.command()
def export(
    files: Files,
    out: Annotated[Path, typer.Option(help="The file to write; `.gz` behind `.json` packs it.")],
    format_: Annotated[
        ExportFormat | None, typer.Option("--format", help="As the name of the file says, if not given.")
    ] = None,
    rank: Annotated[int | None, typer.Option(min=0, help="Write this rank alone.")] = None,
    clock: Annotated[
        ClockMode, typer.Option(help="`aligned` takes the ranks' estimated clock offsets off all times.")
    ] = ClockMode.RECORDED,
    counters: Annotated[
        bool, typer.Option("--counters", help="Add launch queues and bandwidths over time to Chrome JSON.")
    ] = False,
) -> None:
    """Write the run as Chrome JSON, Arrow, Parquet or CSV; secrets are masked."""
    from simulation.analysis.counters import counters_of
    from simulation.formats.counters import no_counters
    from simulation.formats.export import export_run, format_of
    from simulation.formats.selection import Selection
    from simulation.run import read_run

    chosen = format_.value if format_ else format_of(out)
    if counters and chosen != "chrome":
        raise typer.BadParameter("only Chrome JSON has counters", param_hint="--counters")
    with progress_bar() as progress:
        run = read_run(files, progress)
        if rank is not None and rank not in run.ranks:
            raise typer.BadParameter(f"the run has no rank {rank}", param_hint="--rank")
        traces = None if rank is None else frozenset([run.ranks.index(rank)])
        shown = run.aligned() if clock is ClockMode.ALIGNED else run
        made = counters_of if counters else no_counters
        export_run(shown, out, chosen, Selection(ranks=traces), progress, made)


@app.command()
def push(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Traces of one run, or an archive of them.")],
    to: Annotated[str, typer.Option(metavar="URL", help="The server, or the address of a project's page.")],
    project: Annotated[str, typer.Option(help="Slug of the project; needed if you may edit several.")] = "",
    name: Annotated[str, typer.Option(help="What to call the run; by default what the files' names share.")] = "",
    token: Annotated[str, typer.Option(envvar="TRACEVIEWER_TOKEN", help="Your token; safer in the environment.")] = "",
) -> None:
    """Upload files, going on where an interrupted push stopped, and print the address of their run."""
    from traceviewer import push as pushing

    try:
        site, named = pushing.site_of(to)
        with progress_bar() as progress:
            url = pushing.push(pushing.Server(site, token), project or named, files, name, progress)
    except pushing.PushError as error:
        print(f"traceviewer: {error}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from error
    print(url)


app.command()(synth)


@app.command(hidden=True)
def warm() -> None:
    """Compile the engine into its cache, so that the first use is as fast as the next."""
    from simulation.warm import warm

    warm()


def show(figures: dict[str, Any], lines: Any, as_json: bool) -> None:
    """Print the figures for a program or for a person."""
    if as_json:
        print(json.dumps(figures))
        return
    for line in lines(figures):
        print(line)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress callback that draws a bar on a terminal's standard error, and nothing elsewhere."""
    from simulation.progress import silent

    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda stage, done, total: bar.update(task, description=stage, completed=done, total=total or None)


def main() -> None:
    """Entry point. What was loaded is not taken down piece by piece at the end: that takes a fifth of a second."""
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS)
    try:
        status = _status()
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = 0  # the reader of a pipe has gone
    os._exit(status)


def _status() -> int:
    """Do what the command line says: a TraceError is one line on standard error, never a traceback."""
    try:
        app()
    except TraceError as error:
        print(f"traceviewer: {error}", file=sys.stderr)
        return BAD_INPUT
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    main()
