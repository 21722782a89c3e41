"""Works that share a device or a link: each progresses at a rate that follows from what else runs beside it.

Rates are whole numbers, and so is progress: between two moments at which the running works change, a work makes the
elapsed ns times its rate, exactly. It ends at the first ns at which nothing is left of it; that is all the rounding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

NONE = -1
COMPUTE, COMMUNICATION, COPY = range(3)

ALONE = 720_720
"""Progress per ns of what nothing slows down. Every number up to 16 divides it, so that up to 16 share exactly."""

NEVER = np.iinfo(np.int64).max
LONG_AGO = -(2**62)


class Flow(NamedTuple):
    """Works, the events that they belong to, their devices and links; i64. What is left is changed as time goes on.

    A domain is the devices that a link joins, or one device: what begins or ends in it may change the rates of all
    that runs there, and of nothing else.
    """

    # by work
    edge: np.ndarray  # of the graph: what lasts as long as the work
    event: np.ndarray
    left: np.ndarray  # progress to make yet; of works of known length what they have made, negative
    lasts_ns: np.ndarray  # how long it takes, whatever runs beside it; NONE: until nothing is left
    begin_ns: np.ndarray
    end_ns: np.ndarray  # as things stand
    after: np.ndarray  # the next work that runs in the domain, NONE
    # by event
    kind: np.ndarray  # COMPUTE, COMMUNICATION, COPY
    device: np.ndarray
    domain: np.ndarray
    link: np.ndarray  # NONE: shares none
    demand: np.ndarray  # how much it takes of its link
    works: np.ndarray  # how many of its works run; it runs beside others while one does
    # by device
    running: np.ndarray  # [devices, 3]: events by kind
    # by domain
    since_ns: np.ndarray  # up to when progress has been made
    first: np.ndarray  # a work that runs, NONE
    next_ns: np.ndarray  # a tree of minima over domains, its root at 1: when the next work ends
    # by link
    load: np.ndarray  # what running events take
    capacity: np.ndarray  # what it carries at full rate
    # by kind: progress per ns of compute beside communication, and of communication beside compute
    beside: np.ndarray


@njit(cache=True, nogil=True)
def begin(flow: Flow, work: int, now: int) -> None:
    """A work begins. Should its domain be later than `now`, it made the time until then as if alone."""
    event = flow.event[work]
    domain = flow.domain[event]
    _advance(flow, domain, now)
    alone_ns = flow.since_ns[domain] - now
    flow.begin_ns[work] = now
    if flow.lasts_ns[work] != NONE:
        flow.end_ns[work] = now + flow.lasts_ns[work]
        flow.left[work] -= ALONE * min(alone_ns, flow.lasts_ns[work])
    else:
        flow.end_ns[work] = now + _whole(flow.left[work], ALONE)
        flow.left[work] -= ALONE * alone_ns
    flow.after[work], flow.first[domain] = flow.first[domain], work
    flow.works[event] += 1
    if flow.works[event] == 1:
        _count(flow, event, 1)
    _foresee(flow, domain)


@njit(cache=True, nogil=True)
def end(flow: Flow) -> int:
    """The next work of all ends; which one."""
    place, domains = 1, len(flow.next_ns) // 2
    while place < domains:
        place = 2 * place if flow.next_ns[2 * place] == flow.next_ns[place] else 2 * place + 1
    domain, now = place - domains, flow.next_ns[place]
    _advance(flow, domain, now)
    before, work = NONE, int(flow.first[domain])
    while flow.end_ns[work] != now:
        before, work = work, int(flow.after[work])
    if before == NONE:
        flow.first[domain] = flow.after[work]
    else:
        flow.after[before] = flow.after[work]
    event = flow.event[work]
    flow.works[event] -= 1
    if flow.works[event] == 0:
        _count(flow, event, -1)
    _foresee(flow, domain)
    return work


@njit(cache=True, nogil=True)
def _count(flow: Flow, event: int, change: int) -> None:
    flow.running[flow.device[event], flow.kind[event]] += change
    if flow.link[event] != NONE:
        flow.load[flow.link[event]] += change * flow.demand[event]


@njit(cache=True, nogil=True)
def _whole(progress: int, rate: int) -> int:
    """The ns that `progress` takes, rounded up."""
    return (progress + rate - 1) // rate


@njit(cache=True, nogil=True)
def _rate(flow: Flow, event: int) -> int:
    kind, link, rate = flow.kind[event], flow.link[event], ALONE
    if kind != COPY and flow.running[flow.device[event], 1 - kind] > 0:
        rate = flow.beside[kind]
    if link != NONE and flow.load[link] > flow.capacity[link]:
        rate = rate * flow.capacity[link] // flow.load[link]
    return max(rate, 1)


@njit(cache=True, nogil=True)
def _advance(flow: Flow, domain: int, now: int) -> None:
    """What runs in the domain makes progress until `now`."""
    passed_ns = now - flow.since_ns[domain]
    if passed_ns <= 0:
        return
    work = flow.first[domain]
    while work != NONE:
        flow.left[work] -= passed_ns * _rate(flow, flow.event[work])
        work = flow.after[work]
    flow.since_ns[domain] = now


@njit(cache=True, nogil=True)
def _foresee(flow: Flow, domain: int) -> None:
    """When each work of the domain ends, should nothing change, and the first of them into the tree."""
    soonest, work = NEVER, flow.first[domain]
    while work != NONE:
        if flow.lasts_ns[work] == NONE and flow.left[work] > 0:
            flow.end_ns[work] = flow.since_ns[domain] + _whole(flow.left[work], _rate(flow, flow.event[work]))
        soonest = min(soonest, flow.end_ns[work])
        work = flow.after[work]
    place = len(flow.next_ns) // 2 + domain
    flow.next_ns[place] = soonest
    while place > 1:
        place //= 2
        flow.next_ns[place] = min(flow.next_ns[2 * place], flow.next_ns[2 * place + 1])
