"""All communication of a run, meeting by meeting, and who waited in it.

Which events are one meeting is for `simulation.rendezvous` to say, and who waited for whom for
`simulation.analysis.waiting`, as in a replay. Communication that no meeting tells of, or whose partners cannot be told,
stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulation import rendezvous
from simulation.analysis.breakdown import Work
from simulation.analysis.selection import RankView, Selection
from simulation.analysis.waiting import Waits
from simulation.batches import described
from simulation.meetings import NO_STEP, Key, kind_of
from simulation.rendezvous import Rendezvous, State, told_sizes
from simulation.run import Run, measured_times


@dataclass(frozen=True)
class Attendance:
    """The meetings of the selected steps, columns by meeting and by member; of all ranks, chosen or not."""

    run: Run  # on aligned clocks
    met: Rendezvous
    start_ns: np.ndarray  # i64 per member
    dur_ns: np.ndarray  # i64 per member
    last: np.ndarray  # i64 per meeting: the member that came last
    step: np.ndarray  # i64 per meeting: number of the step in which that member is, NO_STEP
    waits: Waits  # of the meetings that `is_seen`

    @cached_property
    def is_seen(self) -> np.ndarray:
        """Per meeting, whether it is known who waited: bool."""
        return self.met.shows_waits

    @cached_property
    def wait_ns(self) -> np.ndarray:
        """Per member, 0 where it is not known: i64."""
        waited = np.zeros(len(self.start_ns), np.int64)
        waited[self.is_seen[self.met.meeting]] = self.waits.wait_ns
        return waited

    @cached_property
    def row(self) -> np.ndarray:
        """Per member, row of its trace's table: i64."""
        return np.asarray(self.met.row - self.run.row_base[self.met.trace])

    @cached_property
    def group_size(self) -> np.ndarray:
        """Per meeting as the file tells it, -1 unknown: i64."""
        return rendezvous.told_group_sizes(self.met, self.run)

    def of_ranks(self, views: Sequence[RankView]) -> np.ndarray:
        """Members of the chosen ranks: bool."""
        return np.isin(self.met.trace, [view.trace for view in views])


def attendance(views: Sequence[RankView]) -> Attendance:
    """Costs finding the meetings, and a sort of the device work."""
    if not views:
        raise ValueError("no rank is selected")
    run, steps = views[0].run.aligned(), views[0].selection.steps
    everyone = Selection().views(run)
    met = _with_the_lone(_apart(rendezvous.find(views[0].measured), run), everyone)
    start_ns, end_ns = measured_times(run)
    numbers = np.concatenate([np.append(view.step_numbers, NO_STEP)[view.table.step] for view in everyone])
    if steps is not None:
        _, last = met.came_last(start_ns)
        met = met.at(np.isin(numbers[met.row[last]], list(steps)))
    _, last = met.came_last(start_ns)
    start, end = start_ns[met.row], end_ns[met.row]
    return Attendance(run, met, start, end - start, last, numbers[met.row[last]], Waits.of(met, start_ns, end_ns))


def _apart(met: Rendezvous, run: Run) -> Rendezvous:
    """What cannot be matched for sure: each member is a meeting of its own.

    That is where some rank lacks one of those that only their order tells apart, and where clocks cannot be compared.
    """
    no_clock = np.array([clock is None for clock in run.clocks])
    unsure = (met.state == State.MISSING) & ~met.is_numbered
    alone = ~met.shows_waits & (unsure | met.of_each(np.logical_or, no_clock[met.trace]))
    apart = met.at(alone)
    each = apart.meeting
    lone = Rendezvous(
        apart.keys, apart.key[each], apart.number[each], apart.is_numbered[each], apart.state[each],
        apart.size_bytes[each], np.arange(len(each) + 1), apart.trace, apart.row,
    )  # fmt: skip
    return _together(met.at(~alone), lone)


def _with_the_lone(met: Rendezvous, everyone: Sequence[RankView]) -> Rendezvous:
    """And the communication that no meeting tells of, each event by itself, a key per name."""
    for view in everyone:
        device, base = view.device, int(view.run.row_base[view.trace])
        rows = np.setdiff1d(device.rows[device.work == Work.COMMUNICATION], met.row[met.trace == view.trace] - base)
        code, key = np.unique(view.table.name[rows], return_inverse=True)
        names = [view.table.names[at] for at in code.tolist()]
        keys = tuple(Key(("name", name), kind_of(name) or "other", NO_STEP) for name in names)
        alone = np.full(len(rows), State.ABSENT, np.uint8)
        size_bytes = told_sizes(view.table)[0][described(view.table, rows)]
        met = _together(met, Rendezvous(
            keys, key, np.arange(len(rows)), np.zeros(len(rows), bool), alone, size_bytes, np.arange(len(rows) + 1),
            np.full(len(rows), view.trace), rows + base,
        ))  # fmt: skip
    return met


def _together(first: Rendezvous, second: Rendezvous) -> Rendezvous:
    """The meetings of both."""

    def both(name: str) -> np.ndarray:
        return np.concatenate([getattr(first, name), getattr(second, name)])

    return Rendezvous(
        (*first.keys, *second.keys),
        np.concatenate([first.key, second.key + len(first.keys)]),
        both("number"), both("is_numbered"), both("state"), both("size_bytes"),
        np.concatenate([first.offsets, first.offsets[-1] + second.offsets[1:]]),
        both("trace"), both("row"),
    )  # fmt: skip
