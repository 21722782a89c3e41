"""Conditions as a document: what it refuses, and that a replay under them is the one that they describe."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulation.errors import TraceError
from simulation.graph import build_graph
from simulation.replay import Conditions, Rates, Sharing, predict, predict_under
from simulation.run import Run
from tests.simulation.build import Event, call, make_run
from tests.simulation.test_overlap_fit import recorded
from tests.simulation.test_replay_events import queueing
from tests.simulation.test_replay_sharing import beside_each_other

COPY_NS, COPY_BYTES = 30_000, 360_000
"""12 GB/s."""


def copies(count: int, size_bytes: int | None = COPY_BYTES) -> list[Event]:
    """Copies to the device, side by side."""
    events: list[Event] = []
    for number in range(count):
        place: dict[str, Any] = {"device": 0, "stream": 10 + number, "correlation": number + 1}
        place |= {} if size_bytes is None else {"bytes": size_bytes}
        events += [call(number, 0, 1_000, number + 1, "cudaMemcpyAsync")]
        events += [
            Event("Memcpy HtoD (Pinned -> Device)", "gpu_memcpy", ("stream", 10 + number), 5_000, COPY_NS, place)
        ]
    return events


def device_ns(run: Run, conditions: Conditions) -> list[int]:
    """What each device event lasts under the conditions."""
    prediction = predict_under(run, build_graph(run), conditions)
    return [
        int(dur)
        for table, durations in zip(run.traces, prediction.dur_ns, strict=True)
        for dur in durations[table.is_device]
    ]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"slowdown": {}}, "slowdown is not known"),
        ({"event_driven": 1}, "event_driven"),
        ({"queue_limit": True}, "queue_limit"),
        ({"queue_limit": -1}, "queue_limit"),
        ({"slow_down": {"compute": "2"}}, "slow_down"),
        ({"slow_down": {"copy": 2}}, "copy"),
        ({"slow_down": {"compute": 0.5}}, "compute"),
        ({"link_gb_per_s": {"compute": 2}}, "compute"),
        ({"link_gb_per_s": {"copy": float("nan")}}, "copy"),
        ({"ranks_per_link": {"copy": 2}}, "copy"),
        ({"ranks_per_link": {"copy": 1.5}, "link_gb_per_s": {"copy": 1}}, "ranks_per_link"),
        ({"measured_slow_down": "guessed"}, "measured_slow_down"),
        ({"measured_link_gb_per_s": {"copy": 0}}, "copy"),
    ],
)
def test_it_refuses_what_means_nothing(document: dict[str, Any], said: str) -> None:
    with pytest.raises(TraceError, match=said):
        Conditions.of(document)


def test_a_document_is_what_was_said() -> None:
    document = {"event_driven": True, "link_gb_per_s": {"copy": 16}, "ranks_per_link": {"copy": 2}}
    assert Conditions.of(document).document() == document
    assert Conditions.of({}).are_none and Conditions().document() == {}


def test_none_are_the_plain_replay() -> None:
    run = make_run(beside_each_other())
    graph = build_graph(run)
    plain, none = predict(run, graph), predict_under(run, graph, Conditions())
    assert none.report == plain.report and "conditions" not in none.report


def test_a_slow_down_is_that_of_rates() -> None:
    run = make_run(beside_each_other())
    graph = build_graph(run)
    slow = {"compute": 1.25, "communication": 1.1}
    found = predict_under(run, graph, Conditions(slow_down=slow))
    plain = predict(run, graph, sharing=Sharing.of(run, graph, Rates(slow)))
    assert (found.start_ns[0] == plain.start_ns[0]).all() and (found.dur_ns[0] == plain.dur_ns[0]).all()
    assert {**plain.report, "conditions": found.report["conditions"]} == found.report
    assert found.report["conditions"] == {"slow_down": slow, "fitted": {}, "links": {}, "event_by_event": True}
    assert found.report["critical_path"]["replayed"]["length_ns"] == found.report["predicted_ns"]


def test_what_slows_nothing_is_said_to_be_exact() -> None:
    run = make_run(copies(1))
    found = predict_under(run, build_graph(run), Conditions(slow_down={"compute": 2.0}))
    assert found.report["conditions"]["event_by_event"] is False


@pytest.mark.parametrize(("capacity", "lasts"), [(24.0, COPY_NS), (16.0, 45_000), (12.0, 60_000)])
def test_a_link_carries_gigabytes_per_second(capacity: float, lasts: int) -> None:
    assert device_ns(make_run(copies(2)), Conditions(link_gb_per_s={"copy": capacity})) == [lasts] * 2


@pytest.mark.parametrize(("ranks", "lasts"), [(1, [COPY_NS] * 4), (2, [60_000] * 2 + [60_000] * 2), (4, [120_000] * 4)])
def test_ranks_share_a_link(ranks: int, lasts: list[int]) -> None:
    run = make_run(*(copies(1) for _ in range(4)))
    assert device_ns(run, Conditions(link_gb_per_s={"copy": 12.0}, ranks_per_link={"copy": ranks})) == lasts


def test_the_links_of_the_measurement_give_it_back() -> None:
    run = make_run(copies(2))
    shared = {"copy": 12.0}
    assert device_ns(run, Conditions(link_gb_per_s=shared, measured_link_gb_per_s=shared)) == [COPY_NS] * 2
    assert device_ns(run, Conditions(measured_link_gb_per_s=shared)) == [COPY_NS // 2] * 2


def test_what_tells_no_bytes_asks_for_nothing_and_is_counted() -> None:
    run = make_run([*copies(2), *copies(3, None)[4:]])
    conditions = Conditions(link_gb_per_s={"copy": 16.0})
    assert sorted(device_ns(run, conditions)) == [COPY_NS] + [45_000] * 2
    told = predict_under(run, build_graph(run), conditions).report["conditions"]["links"]
    assert told == {"copy": {"events": 3, "bytes_known": 2}}


def test_a_fitted_slow_down_gives_the_measurement_back_and_can_be_taken_out() -> None:
    slow, free = recorded({"compute": 1.35}), recorded({})
    graph = build_graph(slow)
    same = predict_under(slow, graph, Conditions(measured_slow_down="fitted"))
    assert same.report["conditions"]["fitted"]["compute"]["factor"] == pytest.approx(1.35, rel=0.001)
    assert (same.dur_ns[0] == slow.traces[0].dur_ns).all() and (same.start_ns[0] == slow.traces[0].start_ns).all()
    out = predict_under(slow, graph, Conditions(measured_slow_down="fitted", slow_down={"compute": 1.0}))
    kernels = free.traces[0].is_device
    asked, known = int(out.dur_ns[0][slow.traces[0].is_device].sum()), int(free.traces[0].dur_ns[kernels].sum())
    assert asked == pytest.approx(known, rel=0.002) and int(slow.traces[0].dur_ns[kernels].sum()) > 1.02 * known


def test_a_queue_limit_holds_the_host_up() -> None:
    run = make_run(queueing(8, 10_000))
    graph = build_graph(run)
    free, held = (predict_under(run, graph, Conditions(queue_limit=limit)) for limit in (8, 3))
    assert free.report["conditions"]["event_by_event"] is False
    assert held.report["conditions"]["event_by_event"] is True
    host = ~run.traces[0].is_device
    assert int(np.max((held.start_ns[0] - free.start_ns[0])[host])) > 10_000
