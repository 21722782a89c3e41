"""Who waited for whom: of each collective and pair who came last, how long the others waited, and the transfer.

A member's wait is the last arrival less its own; its transfer, its end less the last arrival (TraceLens reports the
latter as "comm latency", as the least duration of any rank; it is the same where all end together). Arrivals are
compared on aligned clocks. Where a trace of the group is absent nobody can say who waited, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulation.rendezvous import Rendezvous, State
from simulation.run import Run

MOST_PARTS = 8
"""Groups that a straggler's line names; the longest waits first."""


@dataclass(frozen=True)
class Waits:
    """The meetings of which all members are known, at the times of one replay or as measured."""

    met: Rendezvous
    last_ns: np.ndarray  # i64 per meeting: the last arrival
    last: np.ndarray  # i64 per meeting: the member that came last, the first of equal ones
    arrival_ns: np.ndarray  # i64 per member
    wait_ns: np.ndarray  # i64 per member
    transfer_ns: np.ndarray  # i64 per member; negative where clocks are uncertain

    @classmethod
    def of(cls, met: Rendezvous, start_ns: np.ndarray, end_ns: np.ndarray) -> Waits:
        """`start_ns` and `end_ns` by row of the run, on aligned clocks."""
        met = met.at(met.shows_waits)
        last_ns, last = met.came_last(start_ns)
        arrival_ns, here = start_ns[met.row], last_ns[met.meeting]
        return cls(met, last_ns, last, arrival_ns, here - arrival_ns, end_ns[met.row] - here)

    def __len__(self) -> int:
        return len(self.met)


def counts(met: Rendezvous) -> dict[str, int]:
    """How many meetings were seen, matched on all members, show who waited; and why the others are not matched."""
    by_state = np.bincount(met.state, minlength=len(State)).tolist()
    return {
        "seen": len(met),
        "matched": by_state[State.MET] + by_state[State.SENT],
        "wait_visible": int(np.count_nonzero(met.shows_waits)),
        **{state.name.lower(): by_state[state] for state in State if state > State.SENT},
    }


def stragglers(run: Run, waits: Waits) -> list[dict[str, Any]]:
    """For whom the others waited, the longest first: how often, how long, who, and in which collectives."""
    caused_ns, causer = caused(waits, len(run.traces)), waits.met.trace[waits.last]
    last_in = np.bincount(causer, minlength=len(run.traces))
    order = [trace for trace in np.argsort(-caused_ns.sum(axis=1), kind="stable").tolist() if last_in[trace]]
    return [
        {
            "rank": run.ranks[trace],
            "trace": trace,
            "last_in": int(last_in[trace]),
            "waited_ns": int(caused_ns[trace].sum()),
            "waiting": [
                {"rank": run.ranks[other], "trace": other, "waited_ns": int(caused_ns[trace, other])}
                for other in np.flatnonzero(caused_ns[trace]).tolist()
            ],
            "of_which": _of_which(waits, causer == trace),
        }
        for trace in order
    ]


def caused(waits: Waits, traces: int) -> np.ndarray:
    """How long each trace waited for each: i64[who came last, who waited]."""
    met = waits.met
    found = np.zeros((traces, traces), np.int64)
    np.add.at(found, (met.trace[waits.last][met.meeting], met.trace), waits.wait_ns)
    return found


def by_trace(waits: Waits, traces: int) -> dict[str, np.ndarray]:
    """Of each trace, in how many meetings it was, came last and came first, and what it waited and caused: i64 each."""
    met, caused_ns = waits.met, caused(waits, traces)
    first_ns = met.of_each(np.minimum, waits.arrival_ns)
    first = met.first_where(waits.arrival_ns == first_ns[met.meeting])
    transfer_ns = np.zeros(traces, np.int64)
    np.add.at(transfer_ns, met.trace, waits.transfer_ns)
    return {
        "meetings": np.bincount(met.trace, minlength=traces),
        "came_last": np.bincount(met.trace[waits.last], minlength=traces),
        "came_first": np.bincount(met.trace[first], minlength=traces),
        "wait_ns": caused_ns.sum(axis=0),
        "caused_wait_ns": caused_ns.sum(axis=1),
        "transfer_ns": transfer_ns,
    }


def _of_which(waits: Waits, mine: np.ndarray) -> list[dict[str, Any]]:
    """The waits in these meetings (bool), by kind and group."""
    met, keys = waits.met, waits.met.keys
    labels = list(dict.fromkeys(key.label for key in keys))
    code = np.array([labels.index(key.label) for key in keys])[met.key[mine]]
    last_in, total_ns = np.bincount(code, minlength=len(labels)), np.zeros(len(labels), np.int64)
    np.add.at(total_ns, code, met.of_each(np.add, waits.wait_ns)[mine])
    order = [at for at in np.argsort(-total_ns, kind="stable").tolist() if last_in[at]]
    return [
        {"collective": labels[at], "last_in": int(last_in[at]), "waited_ns": int(total_ns[at])}
        for at in order[:MOST_PARTS]
    ]


def listed(run: Run, waits: Waits, which: Sequence[int] | np.ndarray) -> list[dict[str, Any]]:
    """The meetings `which` in full, a line for each member."""
    met, found = waits.met, []
    for at in which:
        key, begin, end = met.keys[met.key[at]], int(met.offsets[at]), int(met.offsets[at + 1])
        trace = int(met.trace[waits.last[at]])
        found.append(
            {
                "collective": key.label,
                "kind": key.kind,
                "number": int(met.number[at]),
                "size_bytes": int(met.size_bytes[at]) if met.size_bytes[at] >= 0 else None,
                "last_rank": run.ranks[trace],
                "last_trace": trace,
                "last_ns": int(waits.last_ns[at]),
                "waited_ns": int(waits.wait_ns[begin:end].sum()),
                "members": [_member(run, waits, member) for member in range(begin, end)],
            }
        )
    return found


def _member(run: Run, waits: Waits, member: int) -> dict[str, Any]:
    trace = int(waits.met.trace[member])
    return {
        "rank": run.ranks[trace],
        "trace": trace,
        "row": int(waits.met.row[member] - run.row_base[trace]),
        "arrival_ns": int(waits.arrival_ns[member]),
        "wait_ns": int(waits.wait_ns[member]),
        "transfer_ns": int(waits.transfer_ns[member]),
    }
