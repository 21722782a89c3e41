"""The edges of each family by their definition: slow, plain Python over a list of rows."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.events import CALL_CATEGORIES, Kind
from simulation.graph import Family, TaskGraph
from simulation.graph.polling import Wait, wait_of
from simulation.run import Run

Node = tuple[str, int]
"""("start" | "end", row); ("root", -1). An instant has a start only."""

ROOT: Node = ("root", -1)


@dataclass(frozen=True)
class Row:
    row: int
    name: str
    category: str
    track: int
    lane: int
    start: int
    end: int
    launch: int
    kind: int
    on_stream: bool

    @property
    def is_device(self) -> bool:
        return self.category in ("kernel", "gpu_memcpy", "gpu_memset") and self.kind == Kind.SLICE

    @property
    def is_host(self) -> bool:
        return not self.on_stream and self.category != "Trace"


def rows_of(run: Run) -> list[Row]:
    """The rows of a run of one trace, times since its first slice."""
    (table,) = run.traces
    zero = min(int(start) for start, kind in zip(table.start_ns, table.kind, strict=True) if kind == Kind.SLICE)
    return [
        Row(
            row,
            table.name_of(row),
            table.category_of(row),
            int(table.track[row]),
            int(table.lane[row]),
            int(table.start_ns[row]) - zero,
            int(table.end_ns[row]) - zero,
            int(table.launch[row]),
            int(table.kind[row]),
            table.tracks[table.track[row]].kind == "stream",
        )
        for row in range(len(table))
    ]


def found(graph: TaskGraph, family: Family) -> dict[tuple[Node, Node], int]:
    """The edges of one family of a graph: weight by (source, target)."""
    names: dict[int, Node] = {0: ROOT}
    for row, (start, end) in enumerate(zip(graph.start_node.tolist(), graph.end_node.tolist(), strict=True)):
        if start >= 0:
            names[end], names[start] = ("end", row), ("start", row)
    edges = {}
    for node in range(graph.nodes):
        for edge in range(int(graph.offsets[node]), int(graph.offsets[node + 1])):
            if graph.family[edge] == family:
                pair = names[int(graph.source[edge])], names[node]
                assert pair not in edges, "an edge comes twice"
                edges[pair] = int(graph.weight_ns[edge])
    return edges


def thread_order(rows: list[Row]) -> dict[tuple[Node, Node], int]:
    """Between neighbours among all boundaries of a thread: the time from one to the next."""
    edges = {}
    for track in {row.track for row in rows if row.is_host}:
        boundaries: list[tuple[int, int, int, int, Node]] = []
        for row in (row for row in rows if row.track == track and row.is_host):
            lasts = row.end > row.start
            boundaries.append((row.start, 1, row.lane, row.row, ("start", row.row)))
            if row.kind == Kind.SLICE:
                boundaries.append((row.end, 0 if lasts else 2, -row.lane if lasts else 0, row.row, ("end", row.row)))
        before, then = ROOT, 0
        for time, *_, node in sorted(boundaries):
            edges[before, node] = time - then
            before, then = node, time
    return edges


def stream_order(rows: list[Row]) -> set[tuple[Node, Node]]:
    """From all that ended since the event before started, and start to start from that one if it had not ended.

    An event of no duration that ended just as the next started counts if it is the one before.
    """
    edges: set[tuple[Node, Node]] = set()
    for track in {row.track for row in rows if row.is_device}:
        device = [row for row in rows if row.is_device and row.track == track]
        device.sort(key=lambda row: (row.start, row.row))
        for at in range(1, len(device)):
            row, before = device[at], device[at - 1]
            last = {other.lane: other for other in device[:at]}
            ended = [other for other in last.values() if other.end <= row.start]
            ended = [other for other in ended if other is before or other.end > before.start]
            edges |= {(("end", other.row), ("start", row.row)) for other in ended}
            if before.end > row.start:
                edges.add((("start", before.row), ("start", row.row)))
    return edges


def follows(edges: set[tuple[Node, Node]], rows: list[Row], first: Node, then: Node) -> bool:
    """Whether edges, and the durations of events, lead from one node to another."""
    seen, todo = {first}, [first]
    while todo:
        here = todo.pop()
        after = [target for source, target in edges if source == here]
        todo += [node for node in [*after, *([("end", here[1])] if here[0] == "start" else [])] if node not in seen]
        seen.update(todo)
    return then in seen


def launch(rows: list[Row]) -> set[tuple[Node, Node]]:
    """From each launch call to what it launched, unless that started before the call."""
    return {
        (("start", row.launch), ("start", row.row))
        for row in rows
        if row.is_device and row.launch >= 0 and row.start >= rows[row.launch].start
    }


def awaited(rows: list[Row], call: Row, tolerance: int = 1_000) -> set[int]:
    """The device events that a call waits for by its name, streams unknown."""
    wait = wait_of(call.name)
    device = [row for row in rows if row.is_device]

    def enqueued(row: Row) -> int:
        earlier = [
            other for other in device if other.track == row.track and (other.start, other.row) < (row.start, row.row)
        ]
        before = max((rows[other.launch].start for other in earlier if other.launch >= 0), default=-1)
        return rows[row.launch].start if row.launch >= 0 else before

    candidates = [row for row in device if enqueued(row) < call.start and row.end <= call.end + tolerance]
    if wait == Wait.DEVICE:
        tracks = {row.track for row in candidates}
        return {max((row.start, row.row) for row in candidates if row.track == track)[1] for track in tracks}
    within = [row for row in candidates if row.end > call.start]
    mine = [row for row in device if row.launch >= 0 and rows[row.launch].track == call.track]
    mine = [row for row in mine if rows[row.launch].start < call.start]
    last = max(mine, key=lambda row: (rows[row.launch].start, row.end), default=None)
    if last is not None and last.end > call.end + tolerance:
        last = None
    soon = last in within and last.end >= call.end + tolerance - 30_000 if last is not None else False
    if wait == Wait.STREAM and last is not None and (soon or not within):
        return {last.row}
    return {max(within, key=lambda row: (row.end, row.start)).row} if within and wait >= Wait.SOMETHING else set()


def host_sync(rows: list[Row]) -> set[tuple[int, int]]:
    """(device row, call row) of the waits that a name tells."""
    calls = [row for row in rows if row.category in CALL_CATEGORIES and wait_of(row.name) >= Wait.SOMETHING]
    return {(event, call.row) for call in calls for event in awaited(rows, call)}
