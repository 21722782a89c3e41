"""The event loop: a graph executed moment by moment, what depends on the schedule looked up as it happens.

Nodes happen in order of (time, number). A call that launches puts its events at the end of their streams' queues at
that moment, a stream works its queue off in that order, and a call that waits for a stream waits for whatever is last
in the queue when it begins. Every other edge holds as in the forward pass.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.replay import flow as sharing
from simulation.replay.flow import Flow

NONE = -1
LOWEST = np.iinfo(np.int64).min


@njit(cache=True, nogil=True)
def _push(heap_ns: np.ndarray, heap: np.ndarray, size: int, time: int, node: int) -> int:
    at = size
    while at > 0:
        up = (at - 1) >> 1
        if heap_ns[up] < time or (heap_ns[up] == time and heap[up] < node):
            break
        heap_ns[at], heap[at] = heap_ns[up], heap[up]
        at = up
    heap_ns[at], heap[at] = time, node
    return size + 1


@njit(cache=True, nogil=True)
def _pop(heap_ns: np.ndarray, heap: np.ndarray, size: int) -> int:
    """Move the first to heap[size - 1]; returns the size without it."""
    size -= 1
    first_ns, first = heap_ns[0], heap[0]
    time, node = heap_ns[size], heap[size]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            heap_ns[right] < heap_ns[child] or (heap_ns[right] == heap_ns[child] and heap[right] < heap[child])
        ):
            child = right
        if time < heap_ns[child] or (time == heap_ns[child] and node < heap[child]):
            break
        heap_ns[at], heap[at] = heap_ns[child], heap[child]
        at = child
    heap_ns[at], heap[at] = time, node
    heap_ns[size], heap[size] = first_ns, first
    return size


@njit(cache=True, nogil=True)
def _due(node: int, latest: np.ndarray, residual_ns: np.ndarray, floor: np.ndarray) -> int:
    """When a node happens whose causes all have."""
    return 0 if latest[node] == LOWEST else max(latest[node] + residual_ns[node], floor[node])


@njit(cache=True, nogil=True)
def _meet(node: int, cause_ns: int, weight: int, latest: np.ndarray, floor: np.ndarray) -> None:
    """`node` comes no earlier than `weight` after a cause at `cause_ns`."""
    latest[node] = max(latest[node], cause_ns + weight)
    floor[node] = max(floor[node], cause_ns + min(weight, 0))


@njit(cache=True, nogil=True)
def _release(
    node: int,
    missing: np.ndarray,
    heap_ns: np.ndarray,
    heap: np.ndarray,
    size: int,
    latest: np.ndarray,
    residual_ns: np.ndarray,
    floor: np.ndarray,
) -> int:
    """One cause less is missing; into the heap when none is. The heap's size."""
    missing[node] -= 1
    if missing[node] > 0:
        return size
    return _push(heap_ns, heap, size, _due(node, latest, residual_ns, floor), node)


@njit(cache=True, nogil=True)
def _link(
    links: np.ndarray,
    n: int,
    first: np.ndarray,
    link: tuple[int, int, int, int],
    times: np.ndarray,
    happened: np.ndarray,
    missing: np.ndarray,
    latest: np.ndarray,
    floor: np.ndarray,
) -> int:
    """Add the edge `link` (source, target, weight, edge of the graph or NONE) that has been found just now."""
    cause, then, weight, edge = link
    links[n, 0], links[n, 1], links[n, 2], links[n, 3], links[n, 4] = cause, then, weight, edge, NONE
    if happened[cause]:
        _meet(then, times[cause], weight, latest, floor)
    else:
        missing[then] += 1
        links[n, 4], first[cause] = first[cause], n
    return n + 1


@njit(cache=True, nogil=True)
def run(
    into: np.ndarray,
    source: np.ndarray,
    weight_ns: np.ndarray,
    residual_ns: np.ndarray,
    found_later: np.ndarray,
    out: np.ndarray,
    out_edge: np.ndarray,
    target: np.ndarray,
    in_order: np.ndarray,
    launches: np.ndarray,
    launched: np.ndarray,
    waits: np.ndarray,
    wait_edge: np.ndarray,
    wait_stream: np.ndarray,
    stream: np.ndarray,
    streams: int,
    before: np.ndarray,
    follows: np.ndarray,
    follower: np.ndarray,
    end_of: np.ndarray,
    gap_ns: np.ndarray,
    back_of: np.ndarray,
    limit: int,
    work_of: np.ndarray,
    flow: Flow,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(nodes in the order in which they happened, their times, the edges found on the way).

    An edge found is (source, target, weight, edge of the graph that it is or NONE, -): i64[:, 5].

    Edges by target are into, source, weight_ns and target; found_later: those that are looked up instead, of which
    in_order are those within a stream. The others by source: out, out_edge. By node, in CSR form: what a call launches
    (launches, launched), the waits of a call that begins (waits, wait_edge, wait_stream). By start node of a device
    event: stream; before: the one before it in the measurement; follows: it always comes right after that one, whoever
    launches when; follower: the one that does; end_of; gap_ns: to another one before; back_of: the end of its call.
    limit: events that a stream's queue holds before a call has to wait, 0: any number. work_of: by edge, the work of
    `flow` whose end it waits for, NONE: it lasts its weight.
    """
    nodes = len(into) - 1
    missing, latest, floor = np.zeros(nodes, np.int64), np.full(nodes, LOWEST), np.full(nodes, LOWEST)
    times, happened = np.zeros(nodes, np.int64), np.zeros(nodes, np.bool_)
    for node in range(nodes):
        for edge in range(into[node], into[node + 1]):
            missing[node] += not found_later[edge]
        missing[node] += stream[node] != NONE  # its place in the queue
    for edge in wait_edge:
        missing[target[edge]] += 1  # what it waits for
    links, first, found = np.empty((len(source) + 2 * nodes + 1, 5), np.int64), np.full(nodes, NONE), 0
    heap_ns, heap, size = np.empty(nodes + 1, np.int64), np.empty(nodes + 1, np.int64), 0
    tail, length, full = np.full(streams, NONE), np.zeros(streams, np.int64), np.full(streams, NONE)
    behind = np.full(nodes, NONE)  # the next in the queue
    order, n, todo = np.empty(nodes, np.int64), 0, np.empty(nodes + 1, np.int64)
    for node in range(nodes):
        if missing[node] == 0:
            size = _push(heap_ns, heap, size, 0, node)
    while size > 0 or flow.next_ns[1] != sharing.NEVER:
        due = flow.next_ns[1]
        if due != sharing.NEVER and (size == 0 or due <= heap_ns[0]):
            work = sharing.end(flow)
            then, began = target[flow.edge[work]], flow.begin_ns[work]
            _meet(then, began, flow.end_ns[work] - began, latest, floor)
            size = _release(then, missing, heap_ns, heap, size, latest, residual_ns, floor)
            continue
        size = _pop(heap_ns, heap, size)
        now, node = heap_ns[size], heap[size]
        times[node], happened[node], order[n] = now, True, node
        n += 1
        count = 0
        if n == 1:  # at the very beginning: what no call of the trace launches, and nothing precedes
            for start in range(nodes):
                if stream[start] != NONE and follows[start] and before[start] == NONE:
                    todo[count] = start
                    count += 1
        for at in range(launches[node], launches[node + 1]):
            if not follows[launched[at]]:
                todo[count] = launched[at]
                count += 1
        taken = 0
        while taken < count:
            start = todo[taken]
            taken += 1
            queue = stream[start]
            last, tail[queue] = tail[queue], start
            length[queue] += 1
            if last != NONE:
                behind[last] = start
            if length[queue] == 1 or length[queue] > limit + 1:  # `full` is `limit` places before the tail
                full[queue] = start if length[queue] == 1 else behind[full[queue]]
            back = NONE if follows[start] else back_of[start]
            if limit > 0 and length[queue] > limit and back != NONE:
                link = (full[queue], back, 0, NONE)  # the call comes back when there is room
                found = _link(links, found, first, link, times, happened, missing, latest, floor)
            if last == before[start]:
                for edge in range(into[start], into[start + 1]):
                    if in_order[edge]:
                        link = (source[edge], start, weight_ns[edge], edge)
                        found = _link(links, found, first, link, times, happened, missing, latest, floor)
            elif last != NONE:
                link = (end_of[last], start, gap_ns[start], NONE)
                found = _link(links, found, first, link, times, happened, missing, latest, floor)
            size = _release(start, missing, heap_ns, heap, size, latest, residual_ns, floor)
            if follower[start] != NONE:
                todo[count] = follower[start]
                count += 1
        for at in range(waits[node], waits[node + 1]):
            edge, last = wait_edge[at], tail[wait_stream[at]]
            then = target[edge]
            if last != NONE:
                awaited = end_of[last]
                link = (awaited, then, weight_ns[edge], edge if awaited == source[edge] else NONE)
                found = _link(links, found, first, link, times, happened, missing, latest, floor)
            size = _release(then, missing, heap_ns, heap, size, latest, residual_ns, floor)
        for at in range(out[node], out[node + 1]):
            edge = out_edge[at]
            if work_of[edge] != NONE:
                sharing.begin(flow, work_of[edge], now)
                continue
            then = target[edge]
            _meet(then, now, weight_ns[edge], latest, floor)
            size = _release(then, missing, heap_ns, heap, size, latest, residual_ns, floor)
        at = first[node]
        while at != NONE:
            then = links[at, 1]
            _meet(then, now, links[at, 2], latest, floor)
            size = _release(then, missing, heap_ns, heap, size, latest, residual_ns, floor)
            at = links[at, 4]
    return order[:n], times, links[:found].copy()
