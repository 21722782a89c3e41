"""Times HolisticTraceAnalysis on one file and prints JSON. Run in the environment that holds it."""

import json
import logging
import os
import sys
import time
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

from hta.trace_analysis import TraceAnalysis  # noqa: E402

TIMES = 3


def best(call):
    seconds, result = [], None
    for _ in range(TIMES):
        begin = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - begin)
    return min(seconds), result


def figures_of(analysis):
    """All that its documents list of one rank, critical path apart; what fails on a file is left out."""
    for figure in (
        lambda: analysis.get_temporal_breakdown(visualize=False),
        lambda: analysis.get_comm_comp_overlap(visualize=False),
        lambda: analysis.get_gpu_kernel_breakdown(visualize=False),
        lambda: analysis.get_idle_time_breakdown(ranks=[0], visualize=False),
        lambda: analysis.get_cuda_kernel_launch_stats(ranks=[0], visualize=False),
        lambda: analysis.get_queue_length_summary(ranks=[0]),
        lambda: analysis.get_memory_bw_summary(ranks=[0]),
        lambda: analysis.get_aten_op_kernels_and_delay(ranks=[0]),
    ):
        try:
            figure()
        except Exception as error:
            print(f"left out: {error!r}", file=sys.stderr)


def main(file):
    read_s, analysis = best(lambda: TraceAnalysis(trace_files={0: file}, trace_dir=os.path.dirname(file)))
    times = {"read_s": read_s, "analysis_s": best(lambda: figures_of(analysis))[0]}
    steps = analysis.t.get_iterations(0)
    if steps:
        whole = (0, len(steps) - 1)
        path_s, (graph, found) = best(lambda: analysis.critical_path_analysis(0, "ProfilerStep", whole))
        if found:
            times |= {"critical_path_s": path_s, "critical_path_events": len(graph.nodes) // 2}
    print(json.dumps(times))


main(os.path.abspath(sys.argv[1]))
