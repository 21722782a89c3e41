"""Options of `traceviewer replay` that say under which conditions it replays: docs/replay.md, "Conditions"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simulation.replay import Conditions

EventDriven = Annotated[
    bool, typer.Option("--event-driven", help="The order of launches, and what waits find, may change.")
]
QueueLimit = Annotated[int, typer.Option(min=0, help="So many events fit into a stream's queue; 0: any number.")]
SlowDown = Annotated[
    list[str] | None,
    typer.Option(metavar="KIND=C", help="compute=1.2: kernels beside communication take 1.2 times as long."),
]
Link = Annotated[
    list[str] | None, typer.Option(metavar="KIND=GB/S", help="communication=50: what a link carries; or copy=...")
]
RanksPerLink = Annotated[
    list[str] | None, typer.Option(metavar="KIND=N", help="communication=8: so many ranks share a link.")
]
MeasuredSlowDown = Annotated[
    list[str] | None, typer.Option(metavar="KIND=C", help="What the measurement had of it; `fitted`: from the run.")
]
MeasuredLink = Annotated[
    list[str] | None, typer.Option(metavar="KIND=GB/S", help="What links carried in the measurement.")
]


def conditions_of(
    event_driven: bool,
    queue_limit: int,
    slow_down: list[str] | None,
    link: list[str] | None,
    ranks_per_link: list[str] | None,
    measured_slow_down: list[str] | None,
    measured_link: list[str] | None,
) -> Conditions:
    """The conditions that the options say. Raises TraceError where they mean nothing."""
    from simulation.replay.conditions import FITTED, Conditions

    is_fitted = measured_slow_down == [FITTED]
    return Conditions(
        event_driven=event_driven,
        queue_limit=queue_limit,
        slow_down=_pairs("--slow-down", slow_down),
        link_gb_per_s=_pairs("--link", link),
        ranks_per_link={kind: round(count) for kind, count in _pairs("--ranks-per-link", ranks_per_link).items()},
        measured_slow_down=FITTED if is_fitted else _pairs("--measured-slow-down", measured_slow_down),
        measured_link_gb_per_s=_pairs("--measured-link", measured_link),
    )


def _pairs(option: str, given: list[str] | None) -> dict[str, float]:
    """["compute=1.2"] -> {"compute": 1.2}."""
    found = {}
    for text in given or ():
        kind, _, number = text.partition("=")
        try:
            found[kind] = float(number)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} is not of the form kind=number", param_hint=option) from error
    return found
