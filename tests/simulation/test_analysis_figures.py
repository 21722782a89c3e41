"""The sections of an analysis, on runs whose every number is known, and on real files with known answers."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from simulation.analysis.report import SECTIONS, UnknownSection, analyze
from simulation.analysis.selection import Selection
from simulation.replay import replay_run
from simulation.run import Run, read_run
from tests.simulation.build import Event, annotation, call, kernel, make_run, op


def section(run: Run, name: str, **chosen: Any) -> Any:
    return analyze(run, Selection(**chosen), [name])[name]


def rank(run: Run, name: str, **chosen: Any) -> Any:
    (found,) = section(run, name, **chosen)["ranks"]
    return found


def named(event: Event, name: str, **args: Any) -> Event:
    return Event(name, event.category, event.where, event.start, event.dur, {**event.args, **args})


def step(number: int, start: int, dur: int) -> Event:
    return Event(f"ProfilerStep#{number}", "user_annotation", 1, start, dur)


TWO_STEPS = [
    step(1, 0, 100), step(2, 100, 100),
    op(1, 5, 40, "outer"), op(1, 10, 30, "inner"), call(1, 15, 5, 1), kernel(7, 90, 30, 1),
    op(1, 110, 20, "outer"), call(1, 112, 5, 2), named(kernel(8, 130, 40, 2), "ncclDevKernel_AllReduce"),
    call(1, 150, 5, 3), kernel(7, 160, 20, 3),
    kernel(9, 200, 10),
]  # fmt: skip


def test_a_device_event_belongs_to_the_step_of_its_launch() -> None:
    found = rank(make_run(TWO_STEPS), "breakdown")
    first, second = found["steps"]
    assert (first["step"], first["window_ns"], first["exposed_compute_ns"]) == (1, 30, 30)
    assert (second["window_ns"], second["exposed_communication_ns"], second["overlapped_ns"]) == (50, 30, 10)
    assert (found["events"], found["unlinked"], found["unlinked_ns"]) == (4, 1, 10)
    assert (found["window_ns"], found["busy_ns"], found["idle_ns"]) == (120, 90, 30)
    assert found["overlapped_percent"] == 25


def test_it_looks_at_what_was_chosen() -> None:
    run = make_run(TWO_STEPS, TWO_STEPS)
    assert [found["rank"] for found in section(run, "breakdown", ranks=frozenset([1]))["ranks"]] == [1]
    one = analyze(run, Selection(steps=frozenset([2])), ["breakdown", "kernels"])
    assert (one["steps"], one["kernels"]["total_ns"]) == ([2], 2 * 60)
    assert section(run, "kernels", linked_only=True)["total_ns"] == 2 * 90
    nobody = analyze(run, Selection(ranks=frozenset([9])))
    assert nobody["ranks"] == [] and not set(SECTIONS) & set(nobody)
    with pytest.raises(UnknownSection, match="no section nonsense; there are breakdown"):
        analyze(run, sections=["nonsense"])


def test_operators_have_direct_time_and_that_of_their_subtree() -> None:
    found = {line["name"]: line for line in section(make_run(TWO_STEPS), "ops")["ops"]}
    assert (found["inner"]["direct_ns"], found["inner"]["subtree_ns"], found["inner"]["launching"]) == (30, 30, 1)
    outer = found["outer"]
    assert (outer["count"], outer["direct_ns"], outer["subtree_ns"]) == (2, 40, 70)
    assert (outer["host_ns"], outer["host_self_ns"]) == (60, 30)


def test_an_operator_in_one_of_its_own_name_counts_once() -> None:
    run = make_run([op(1, 0, 50), op(1, 10, 30), call(1, 20, 5, 1), kernel(7, 60, 10, 1)])
    (found,) = section(run, "ops")["ops"]
    assert (found["count"], found["subtree_ns"], found["direct_ns"], found["host_ns"]) == (2, 10, 10, 50)


def test_kernels_have_their_figures() -> None:
    found = {line["name"]: line for line in section(make_run(TWO_STEPS), "kernels")["kernels"]}
    mine = found["kernel"]
    assert (mine["count"], mine["total_ns"], mine["min_ns"], mine["max_ns"], mine["mean_ns"]) == (3, 60, 10, 30, 20)
    assert mine["deviation_ns"] == 10 and mine["percent"] == 60 and mine["linked"] == 2
    assert found["ncclDevKernel_AllReduce"]["work"] == "communication"


def test_launches_onto_an_idle_stream_make_a_run_cpu_bound() -> None:
    slow_host = [
        event for at in range(4) for event in (call(1, 100 * at, 10, at + 1), kernel(7, 100 * at + 20, 30, at + 1))
    ]
    found = rank(make_run(slow_host), "launches")
    assert (found["tklqt_ns"], found["tklqt_per_kernel_ns"], found["verdict"]["bound"]) == (80, 20, "CPU-bound")
    queued = [
        event for at in range(4) for event in (call(1, 10 * at, 5, at + 1), kernel(7, 20 + 100 * at, 100, at + 1))
    ]
    found = rank(make_run(queued), "launches")
    assert (found["verdict"]["bound"], found["verdict"]["onto_idle_percent"]) == ("GPU-bound", 25)
    (calls,) = found["calls"]
    assert (calls["count"], calls["delay_max_ns"], calls["tklqt_ns"]) == (4, 320 - 35, 20 + 110 + 200 + 290)
    assert rank(make_run([kernel(7, 0, 10)]), "launches")["verdict"] is None


def test_the_queue_grows_with_calls_and_shrinks_with_starts() -> None:
    run = make_run(
        [call(1, 10 * at, 5, at + 1) for at in range(3)] + [kernel(7, 40 + 50 * at, 50, at + 1) for at in range(3)]
    )
    (stream,) = rank(run, "queue")["streams"]
    assert (stream["stream"], stream["max"], stream["full_ns"]) == (7, 3, 0)
    assert stream["series"] == {"at_ns": [0, 10, 20, 40, 90, 140], "value": [1, 2, 3, 2, 1, 0]}
    assert stream["mean"] == (10 + 20 + 60 + 100 + 50) / 140
    assert stream["lengths"] == {
        "count": 6, "mean": 1.5, "deviation": pytest.approx((5.5 / 5) ** 0.5), "min": 0, "quarter": 1,
        "median": 1.5, "three_quarters": 2, "max": 3,
    }  # fmt: skip


def test_copies_have_bandwidth_where_their_bytes_are_known() -> None:
    def copy(stream: int, start: int, dur: int, size: int | None) -> Event:
        told = {} if size is None else {"bytes": size}
        return named(kernel(stream, start, dur, category="gpu_memcpy"), "Memcpy HtoD (Pinned -> Device)", **told)

    (found,) = rank(make_run([copy(7, 0, 100, 1000), copy(8, 50, 100, 3000), copy(7, 300, 50, None)]), "copies")[
        "kinds"
    ]
    assert (found["kind"], found["count"], found["total_ns"], found["busy_ns"]) == ("Memcpy HtoD", 3, 250, 200)
    assert (found["bytes"], found["gb_per_s"], found["max_gb_per_s"], found["peak_gb_per_s"]) == (4000, 20, 30, 40)


def test_the_recorded_bandwidth_tells_times_that_were_cut_to_microseconds() -> None:
    def copy(start: int, dur: int, size: int, gb_per_s: float) -> Event:
        told = {"bytes": size, "memory bandwidth (GB/s)": gb_per_s}
        return named(kernel(7, start, dur, category="gpu_memcpy"), "Memcpy DtoD (Device -> Device)", **told)

    whole = [copy(0, 1000, 3000, 2.0), copy(5000, 2000, 9000, 3.6)]  # of 1,500 and 2,500 ns
    (found,) = rank(make_run(whole), "copies")["kinds"]
    assert (found["gb_per_s"], found["max_gb_per_s"], found["peak_gb_per_s"]) == (12000 / 4000, 3.6, 3.6)
    assert found["series"] == {"at_ns": [0, 1000, 5000, 7000], "value": [2.0, 0.0, 3.6, 0.0]}
    assert (found["rates"]["count"], found["rates"]["mean"], found["rates"]["max"]) == (2, 2.8, 3.6)
    exact = [copy(0, 1500, 3000, 7.0), copy(5000, 2000, 9000, 3.6)]  # the file has decimals: its times are
    (found,) = rank(make_run(exact), "copies")["kinds"]
    assert (found["max_gb_per_s"], found["gb_per_s"]) == (4.5, pytest.approx(12000 / 3500))
    (found,) = rank(make_run([copy(0, 1000, 3000, 0.5)]), "copies")["kinds"]  # would be of 6,000 ns
    assert found["max_gb_per_s"] == 3.0


def test_memory_has_a_peak_and_a_curve() -> None:
    def record(at: int, size: int, allocated: int, device_type: int) -> Event:
        told = {
            "Addr": 1,
            "Bytes": size,
            "Total Allocated": allocated,
            "Total Reserved": 900,
            "Device Type": device_type,
        }
        return Event("[memory]", "cpu_instant_event", 1, at, None, {**told, "Device Id": 0 if device_type else -1})

    run = make_run([record(0, 100, 100, 1), record(10, 400, 500, 1), record(20, -400, 100, 1), record(5, 8, 8, 0)])
    host, device = rank(run, "memory")["devices"]
    assert (host["device_type"], host["peak_allocated_bytes"]) == ("CPU", 8)
    assert (device["peak_allocated_bytes"], device["peak_at_ns"], device["peak_reserved_bytes"]) == (500, 10, 900)
    assert (device["allocated_in_all_bytes"], device["freed_in_all_bytes"], device["allocations"]) == (500, 400, 2)
    assert device["allocated"] == {"at_ns": [0, 10, 20], "value": [100, 500, 100]}


def test_a_step_is_parted_by_priority() -> None:
    run = make_run([
        step(1, 0, 100),
        op(1, 10, 60, "outer"), call(1, 20, 10, 1), op(1, 80, 10, "enumerate(DataLoader)#next"),
        kernel(7, 25, 15, 1), named(kernel(7, 60, 25, 1, category="gpu_memcpy"), "Memcpy DtoH"),
    ])  # fmt: skip
    (found,) = rank(run, "step_time")["steps"]
    parts = {name: found[f"{name}_ns"] for name in ("kernel", "memcpy", "runtime", "data_loader", "host", "other")}
    assert parts == {"kernel": 15, "memcpy": 25, "runtime": 5, "data_loader": 5, "host": 10 + 20, "other": 20}
    assert sum(ns for name, ns in found.items() if name.endswith("_ns") and name != "dur_ns") == found["dur_ns"] == 100


def test_annotations_of_the_device_hold_what_is_in_them() -> None:
    run = make_run([annotation(7, 0, 100), kernel(7, 10, 20), kernel(7, 40, 20), kernel(7, 120, 20), kernel(8, 5, 5)])
    (found,) = section(run, "annotations")["annotations"]
    assert (found["name"], found["span_ns"], found["direct_ns"], found["events"]) == ("forward", 100, 40, 2)


def test_utilization_weighs_blocks_and_occupancy() -> None:
    grids = {"grid": [5, 1, 1], "block": [32, 1, 1], "est. achieved occupancy %": 30}
    more = {"grid": [50, 2, 1], "block": [32, 1, 1], "est. achieved occupancy %": 60}
    run = make_run([
        step(1, 0, 200), call(1, 0, 5, 1), call(1, 5, 5, 2),
        named(kernel(7, 20, 50, 1), "a", **grids), named(kernel(7, 100, 25, 2), "b", **more),
    ])  # fmt: skip
    run.traces[0].info.metadata["deviceProperties"] = [{"id": 0, "numSms": 10}]
    found = rank(run, "utilization")
    assert found["gpu_utilization_percent"] == 37.5
    assert found["sm_efficiency_percent"] == pytest.approx(100 * (0.5 * 50 + 25) / 200)
    assert found["achieved_occupancy_percent"] == pytest.approx((30 * 50 + 60 * 25) / 75)


def test_multiprocessors_are_full_once() -> None:
    """Kernels that run at once share them, and what runs outside the step does not count; a copy is not a kernel."""
    grids = {"grid": [6, 1, 1], "block": [32, 1, 1], "est. achieved occupancy %": 30}
    run = make_run([
        step(1, 0, 200), *(call(1, 5 * at, 5, at) for at in range(1, 5)),
        named(kernel(7, 20, 50, 1), "a", **grids), named(kernel(8, 40, 50, 2), "b", **grids),
        named(kernel(7, 190, 50, 3), "c", **grids), kernel(9, 100, 20, 4, "gpu_memcpy"),
    ])  # fmt: skip
    run.traces[0].info.metadata["deviceProperties"] = [{"id": 0, "numSms": 10}]
    found = rank(run, "utilization")
    assert found["sm_efficiency_percent"] == pytest.approx(100 * (0.6 * 20 + 1.0 * 30 + 0.6 * 20 + 0.6 * 10) / 200)
    assert (found["gpu_utilization_percent"], found["kernel_utilization_percent"]) == (50, 40)
    lines = {line["name"]: line for line in section(run, "kernels")["kernels"]}
    assert (lines["a"]["blocks_per_multiprocessor"], lines["a"]["occupancy_percent"]) == (pytest.approx(0.6), 30)
    assert lines["gpu_memcpy"]["blocks_per_multiprocessor"] is lines["gpu_memcpy"]["occupancy_percent"] is None
    assert found["achieved_occupancy_percent"] == pytest.approx(30)


def test_a_run_without_anything_to_say_has_every_section() -> None:
    found = analyze(make_run([op(1, 0, 10)]))
    assert set(SECTIONS) <= set(found)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("name", "moves"),
    [
        ("ncclDevKernel_AllReduce_Sum_f32_RING_LL(ncclDevKernelArgsStorage<4096ul>)", True),
        ("void deep_ep::internode::combine<false, 8>(int4*)", True),
        ("void cross_device_reduce_1stage<__half, 2>(RankData*)", True),
        ("rcclGenericKernel", True),
        ("void multimem_all_reduce_kernel<float>(float*)", True),
        ("void c10d::checkForNaN<float>(float*, unsigned long)", False),
        ("void at::native::step::kernel(int)", False),
        ("sm90_xmma_gemm_bf16bf16", False),
    ],
)
def test_kernels_that_communicate_are_known_by_name(name: str, moves: bool) -> None:
    """And the replay says the same as the analysis."""
    run = make_run([call(1, 0, 10, 1), named(kernel(7, 20, 100, 1), name)])
    assert (analyze(run)["breakdown"]["ranks"][0]["communication_ns"] > 0) == moves
    (device,) = (line["measured"] for line in replay_run(run).report["breakdown"] if line["step"] is None)
    assert (device["exposed_communication_ns"] > 0) == moves


def test_what_the_file_calls_a_collective_is_one_for_the_replay_too() -> None:
    told = {"Collective name": "allreduce", "Process Group Name": "0"}
    run = make_run([call(1, 0, 10, 1), named(kernel(7, 20, 100, 1), "our_own_ring", **told)])
    (device,) = (line["measured"] for line in replay_run(run).report["breakdown"] if line["step"] is None)
    assert device["exposed_communication_ns"] == rank(run, "breakdown")["exposed_communication_ns"] == 100


def test_busy_time_is_exact_in_every_sample(samples: Path) -> None:
    expected = json.loads((samples / "expected.json").read_text())
    files = {name: told for name, told in expected.items() if (samples / name).is_file()}
    assert len(files) >= 19
    for name, told in files.items():
        (found,) = analyze(read_run([samples / name]), sections=["breakdown"])["breakdown"]["ranks"]
        assert (found["busy_ns"], found["window_ns"]) == (told["gpu_busy_ns"], told["gpu_span_ns"]), name
        parts = ("exposed_compute_ns", "exposed_communication_ns", "overlapped_ns", "copying_ns", "idle_ns")
        assert sum(found[part] for part in parts) == found["window_ns"]


def test_hta_says_the_same_of_the_steps_that_it_keeps(samples: Path) -> None:
    """It leaves the last step out, and counts memory sets as copies; this file's times are whole microseconds."""
    run = read_run([samples / "hta" / "control.json.gz"])
    found = rank(run, "breakdown", steps=frozenset(range(1009, 1014)))
    assert found["events"] == 7875
    assert [found[name] for name in ("idle_ns", "compute_ns", "window_ns")] == [62_119_000, 234_760_000, 383_404_000]
    assert round(found["overlapped_percent"], 2) == 47.03
    mixes: dict[str, int] = defaultdict(int)
    for mix, ns in found["mixes"].items():
        words = {"memory" if word in ("copy", "set") else word for word in mix.split(" + ")}
        mixes[" ".join(sorted(words))] += ns // 1000
    assert mixes == {
        "compute": 151_685, "communication": 69_110, "communication compute": 55_152, "compute memory": 20_762,
        "memory": 16_328, "communication compute memory": 7_161, "communication memory": 1_087, "idle": 62_119,
    }  # fmt: skip


def test_hta_says_the_same_of_streams_launches_and_kernels(samples: Path) -> None:
    """What HTA 0.5.0 with pandas 2.3.3 prints for this file."""
    run = read_run([samples / "hta" / "control.json.gz"])
    found = analyze(run, Selection(steps=frozenset(range(1009, 1014))), ["idle", "launches", "queue", "kernels"])
    (idle,) = found["idle"]["ranks"]
    waits = {
        line["stream"]: tuple(line[f"{cause}_ns"] // 1000 for cause in ("host_wait", "kernel_wait", "other"))
        for line in idle["streams"]
    }
    assert waits == {
        7: (102_154, 14_226, 32_183), 20: (346_996, 621, 7_470), 21: (237_710, 71, 0), 22: (271_786, 1_253, 0),
    }  # fmt: skip
    calls = found["launches"]["ranks"][0]["calls"]
    keys = ("count", "call_ns", "device_ns", "delay_ns", "late", "slow_calls", "shorter_than_call")
    sums = [sum(line[key] for line in calls) for key in keys]
    assert sums == [7875, 115_050_000, 413_947_000, 15_865_017_000, 5111, 25, 3067]
    queues = {line["stream"]: (line["max"], line["points"]) for line in found["queue"]["ranks"][0]["streams"]}
    assert queues == {7: (287, 14_940), 20: (10, 470), 21: (2, 100), 22: (22, 240)}
    nccl = [line for line in found["kernels"]["kernels"] if line["work"] == "communication"]
    assert [(line["total_ns"], line["max_ns"], line["min_ns"], round(line["deviation_ns"])) for line in nccl] == [
        (105_057_000, 12_606_000, 17_000, 3_671_551), (27_453_000, 4_796_000, 65_000, 1_617_790),
    ]  # fmt: skip


def test_overlapped_expert_parallel_exchange_is_communication(samples: Path) -> None:
    found = rank(read_run([samples / "deepseek" / "train.json.gz"]), "breakdown")
    figures = {
        "window_ns": 129_012_000, "compute_ns": 124_310_000, "communication_ns": 113_440_000,
        "overlapped_ns": 109_250_000, "exposed_communication_ns": 4_190_000, "busy_ns": 128_515_000,
    }  # fmt: skip
    assert {name: found[name] for name in figures} == figures
    assert found["idle_ns"] + found["copying_ns"] == 512_000


def test_tklqt_of_a_cpu_bound_training(samples: Path) -> None:
    found = rank(read_run([samples / "hta" / "nccl_data.json.gz"]), "launches")
    assert (found["tklqt_ns"], round(found["tklqt_per_kernel_ns"])) == (139_025_179, 36_838)
    assert found["verdict"]["bound"] == "CPU-bound"
    found = rank(read_run([samples / "hta" / "ns_resolution.json.gz"]), "launches")
    assert found["verdict"]["bound"] == "GPU-bound"
