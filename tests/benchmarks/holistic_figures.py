"""HolisticTraceAnalysis's figures of one file, by name, as JSON; times in microseconds. Run in the environment that
holds it."""

import json
import logging
import os
import sys
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

from hta.trace_analysis import TraceAnalysis  # noqa: E402


def whole(analysis):
    (line,) = analysis.get_temporal_breakdown(visualize=False).to_dict("records")
    for name in ("idle_time(us)", "compute_time(us)", "kernel_time(us)"):
        yield f"breakdown, {name}", line[name]
    yield "breakdown, overlap %", analysis.get_comm_comp_overlap(visualize=False)["comp_comm_overlap_pctg"].item()


def kernels(analysis):
    _, lines = analysis.get_gpu_kernel_breakdown(visualize=False, num_kernels=10**6, duration_ratio=1.0)
    for line in lines.to_dict("records"):
        for name in ("sum (us)", "max (us)", "min (us)", "stddev"):
            yield f"kernel, {name}: {line['name']}", line[name]


DESCRIBED = ("count", "mean", "std", "min", "25%", "50%", "75%", "max")


def idle(analysis):
    lines, described = analysis.get_idle_time_breakdown(
        ranks=[0], visualize=False, show_idle_interval_stats=True, visualize_pctg=False
    )
    for line in lines.to_dict("records"):
        yield f"idle, stream {line['stream']}, {line['idle_category']}", line["idle_time"]
    for line in described.reset_index().to_dict("records"):
        for name in DESCRIBED:
            yield f"idle, stream {line['stream']}, {line['idle_category']}, {name}", line[name]


def launches(analysis):
    lines = analysis.get_cuda_kernel_launch_stats(ranks=[0], visualize=False)[0]
    yield "launches", len(lines)
    for name in ("cpu_duration", "gpu_duration", "launch_delay"):
        yield f"launches, {name}", lines[name].sum()
    yield "launches, slow calls", (lines["cpu_duration"] > 50).sum()
    yield "launches, late", (lines["launch_delay"] > 100).sum()
    yield "launches, shorter than call", (lines["gpu_duration"] < lines["cpu_duration"]).sum()


def counters(analysis):
    for stream, lines in analysis.get_queue_length_time_series(ranks=[0])[0].groupby("stream"):
        yield f"queue, stream {stream}, longest", lines["queue_length"].max()
        yield f"queue, stream {stream}, points", len(lines)
    for kind, lines in analysis.get_memory_bw_time_series(ranks=[0])[0].groupby("name"):
        yield f"bandwidth, most of {kind}", lines["memory_bw_gbps"].max()


def described(analysis):
    of_queues = analysis.get_queue_length_summary(ranks=[0])
    of_copies = analysis.get_memory_bw_summary(ranks=[0])
    for what, lines in (("queue, stream", of_queues), ("bandwidth of", of_copies)):
        for (_, place), line in lines.iterrows():
            for (_, name), value in line.items():
                yield f"{what} {place}, {name}", value


def operators(analysis):
    lines = analysis.get_aten_op_kernels_and_delay(ranks=[0])[0]
    sums = {}
    for line in lines.to_dict("records"):
        found = sums.setdefault(f"{line['aten_op_name']} of {line['kernel_sequence'].count(' -> ') + 1}", [0, 0.0, 0.0])
        found[0] += line["occurrence_count"]
        found[1] += line["occurrence_count"] * line["avg_aten_op_launch_delay"]
        found[2] += line["occurrence_count"] * line["avg_runtime_delay"]
    for name, (count, to_launch, to_start) in sums.items():
        yield f"operator, calls: {name}", count
        yield f"operator, to launch: {name}", to_launch / count
        yield f"operator, to start: {name}", to_start / count


def annotations(analysis):
    found = analysis.get_gpu_user_annotation_breakdown(visualize=False, num_kernels=10**6)
    for line in [] if found is None else found.to_dict("records"):
        yield f"annotation: {line['name']}", line["sum (us)"]


def main(file):
    analysis = TraceAnalysis(trace_files={0: file}, trace_dir=os.path.dirname(file))
    figures = {"steps": [int(step) for step in analysis.t.get_iterations(0)]}
    for part in (whole, kernels, idle, launches, counters, described, operators, annotations):
        try:
            figures.update((name, float(value)) for name, value in part(analysis))
        except Exception as error:
            print(f"left out: {part.__name__}: {error!r}", file=sys.stderr)
    print(json.dumps(figures))


main(os.path.abspath(sys.argv[1]))
