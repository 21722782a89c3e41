"""Random programs for the machine, as hypothesis strategies."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.simulation.machine import Step, warm_up

host_ns = st.integers(0, 30_000)
device_ns = st.integers(1, 60_000)


def steps(streams: Sequence[int], device_sync: bool) -> st.SearchStrategy[list[Step]]:
    """Steps of one thread that uses only these streams."""
    stream = st.sampled_from(streams)
    flat = [
        st.tuples(st.just("work"), host_ns),
        st.tuples(st.just("gap"), host_ns),
        st.just(("query",)),
        st.tuples(st.just("launch"), stream, device_ns),
        st.tuples(st.just("graph"), st.lists(st.tuples(stream, device_ns), min_size=1, max_size=4)),
        st.tuples(st.just("copy"), stream, device_ns),
        st.tuples(st.just("stream_sync"), stream),
        *([st.just(("device_sync",))] if device_sync else []),
    ]
    nested = st.tuples(st.just("nest"), st.lists(st.one_of(*flat), max_size=4))
    return st.lists(st.one_of(*flat, nested), max_size=15).map(lambda drawn: [*warm_up(streams), *drawn])


def programs() -> st.SearchStrategy[list[list[Step]]]:
    """One thread with two streams and device syncs, or two threads with streams of their own."""
    alone = steps([7, 20], device_sync=True).map(lambda program: [program])
    two = st.tuples(steps([7], device_sync=False), steps([20, 21], device_sync=False)).map(list)
    return st.one_of(alone, two)
