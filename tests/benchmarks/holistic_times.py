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


def main(file):
    read_s, analysis = best(lambda: TraceAnalysis(trace_files={0: file}, trace_dir=os.path.dirname(file)))
    times = {"read_s": read_s}
    steps = analysis.t.get_iterations(0)
    if steps:
        whole = (0, len(steps) - 1)
        path_s, (graph, found) = best(lambda: analysis.critical_path_analysis(0, "ProfilerStep", whole))
        if found:
            times |= {"critical_path_s": path_s, "critical_path_events": len(graph.nodes) // 2}
    print(json.dumps(times))


main(os.path.abspath(sys.argv[1]))
