"""Peak memory of reading a file to a viewable run, each in a process of its own, on generated files of any size.

`python -m tests.benchmarks.memory`, beside what issue and docs promise; see docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from isal import igzip

MIB = 1 << 20
SIZES_MIB = (64, 256, 1024, 2048)

BLOCKWISE_FROM_BYTES = 256 * MIB
"""Files above this are promised a bound by their events, files up to it one by their bytes."""
BASE_BYTES, BASE_OF_BLOCKS_BYTES = 300 * MIB, 512 * MIB
PER_BYTE, PER_EVENT = 4, 64

PACKED_PART = 0.2
"""Of the text's size, what its .gz takes at most."""
STORED_PART = 1.0
"""Of the text's size, what reading needs on the disk besides the file, temporary files included, at most."""


def limit_bytes(size_bytes: int, events: int) -> int:
    """What reading may take, by the size of the unpacked text."""
    if size_bytes <= BLOCKWISE_FROM_BYTES:
        return BASE_BYTES + PER_BYTE * size_bytes
    return BASE_OF_BLOCKS_BYTES + PER_EVENT * events


HEAD = b"""{
  "schemaVersion": 1,
  "distributedInfo": {"backend": "nccl", "rank": 0, "world_size": 1},
  "baseTimeNanoseconds": 1700000000000000000,
  "displayTimeUnit": "ms",
  "traceEvents": [
"""
TAIL = b"""  {"ph": "X", "cat": "Trace", "ts": 1000.000, "dur": %d.000, "pid": "Spans", "tid": "PyTorch Profiler",
    "name": "PyTorch Profiler (0)", "args": {"Op count": 0}}
]}
"""
STEP = b"""  {"ph": "X", "cat": "user_annotation", "name": "ProfilerStep#%d", "pid": 4711, "tid": 4711,
    "ts": %d.125, "dur": %d.500, "args": {"External id": %d, "Record function id": 0, "Ev Idx": %d}},
"""
UNIT = b"""  {"ph": "X", "cat": "cpu_op", "name": "%b", "pid": 4711, "tid": %d,
    "ts": %d.%03d, "dur": %d.%03d,
    "args": {"External id": %d, "Record function id": %d, "Input Dims": [[%d, 1024], [4096, 1024]], \
"Input type": ["float", "float"], "Sequence number": %d, "Fwd thread id": 0, "Ev Idx": %d}},
  {"ph": "X", "cat": "cpu_op", "name": "%b", "pid": 4711, "tid": %d,
    "ts": %d.%03d, "dur": %d.%03d,
    "args": {"External id": %d, "Record function id": %d, "Ev Idx": %d}},
  {"ph": "X", "cat": "cuda_runtime", "name": "cudaStreamIsCapturing", "pid": 4711, "tid": %d,
    "ts": %d.%03d, "dur": 0.%03d,
    "args": {"External id": %d, "cbid": 317, "correlation": %d}},
  {"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 4711, "tid": %d,
    "ts": %d.%03d, "dur": 4.%03d,
    "args": {"External id": %d, "cbid": 211, "correlation": %d}},
  {"ph": "s", "id": %d, "pid": 4711, "tid": %d, "ts": %d.%03d, "cat": "ac2g", "name": "ac2g"},
  {"ph": "X", "cat": "kernel", "name": "%b", "pid": 0, "tid": %d,
    "ts": %d.%03d, "dur": %d.%03d,
    "args": {"External id": %d, "queued": 0, "device": 0, "context": 1, "stream": %d, "correlation": %d, \
"registers per thread": 40, "shared memory": 400, "blocks per SM": 4.740741, "warps per SM": 75.851852, \
"grid": [%d, 1, 1], "block": [512, 1, 1], "est. achieved occupancy %%": 75}},
  {"ph": "f", "id": %d, "pid": 0, "tid": %d, "ts": %d.%03d, "cat": "ac2g", "name": "ac2g", "bp": "e"},
"""
UNIT_US, UNIT_ENTRIES, STEP_UNITS = 23, 7, 500

OPERATORS = [f"aten::{name}_{at}".encode() for name in ("linear", "mm", "add", "layer_norm", "copy") for at in range(8)]
INNER = [f"aten::{name}_{at}".encode() for name in ("addmm", "mm_out", "add_", "native_norm") for at in range(8)]
KERNELS = [
    b"void at::native::vectorized_elementwise_kernel<%d, at::native::CUDAFunctor_add<float>>(int, float const*, float*)"
    % at
    for at in range(48)
]


def write(path: Path, size_bytes: int) -> int:
    """Write a trace of at least `size_bytes` of text, packed if its name ends in .gz: the exact size of the text.

    One process of two threads and three streams; operators in pairs, two calls in each, a kernel with its flow.
    """
    written = 0
    with opened(path) as sink:
        for part in texts(size_bytes):
            sink.write(part)
            written += len(part)
    return written


def opened(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return igzip.open(path, "wb", compresslevel=1)  # type: ignore[no-untyped-call, no-any-return]
    return path.open("wb")


def texts(size_bytes: int) -> Iterator[bytes]:
    """The file, step by step."""
    yield HEAD
    written, number = len(HEAD), 0
    while written < size_bytes:
        step = b"".join([_step(number), *(_unit(number * STEP_UNITS + at) for at in range(STEP_UNITS))])
        yield step
        written, number = written + len(step), number + 1
    yield TAIL % (number * STEP_UNITS * UNIT_US)


def _step(number: int) -> bytes:
    begin, length = number * STEP_UNITS * UNIT_US, STEP_UNITS * UNIT_US - 2
    return STEP % (number, begin, length, number + 1, number)


def _unit(at: int) -> bytes:
    """One operator and what it calls; times and sizes vary by a fixed pattern."""
    vary = at * 2654435761 % 1000
    thread, stream = 4711 + (at // 100) % 2, 7 + at % 3
    begin, kernel = at * UNIT_US + 1, at * UNIT_US + 15 + vary % 7
    one, two = 3 * at + 1, 3 * at + 2
    return UNIT % (
        OPERATORS[vary % len(OPERATORS)], thread, begin, vary, 18, vary, one, one, vary, at, one,
        INNER[vary % len(INNER)], thread, begin + 2, vary, 15, vary // 2, two, two, two,
        thread, begin + 4, vary, vary, two, 2 * at,
        thread, begin + 7, vary, vary, two, 2 * at + 1,
        2 * at + 1, thread, begin + 7, vary,
        KERNELS[vary % len(KERNELS)], stream, kernel, vary, 8 + vary % 40, vary, two, stream, 2 * at + 1, 32 + vary,
        2 * at + 1, stream, kernel, vary,
    )  # fmt: skip


def read(path: Path, work: Path) -> dict[str, Any]:
    """Read `path` to a viewable run in `work` as the `read` job does: seconds, and the peak at each stage's end."""
    from simulation import kernel_cache

    kernel_cache.use()
    from simulation.analysis.inspect import inspect_run
    from simulation.run import Run, read_run
    from traceviewer.runs.indexing import write_index

    peaks, begun = {"start": peak_bytes()}, time.perf_counter()

    def told(stage: str, done: int, total: int) -> None:
        peaks[stage] = peak_bytes()

    run = read_run([path], told, work)
    peaks["linking"] = peak_bytes()
    run.save(work / "run")
    peaks["saving"] = peak_bytes()
    del run
    opened = Run.open(work / "run")
    write_index(opened, work / "run", told)
    figures = inspect_run(opened)
    seconds, peaks["end"] = time.perf_counter() - begun, peak_bytes()
    again = time.perf_counter()
    rows = len(Run.open(work / "run").traces[0])
    open_s = time.perf_counter() - again
    return {"seconds": seconds, "open_s": open_s, "events": figures["events"], "rows": rows, "peaks": peaks}


def peak_bytes() -> int:
    """The most that this process has held in memory so far, mapped files included.

    Not `ru_maxrss`: that begins with what the process that started this one held.
    """
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def measured(path: Path) -> dict[str, Any]:
    """`read` in a fresh process."""
    with tempfile.TemporaryDirectory(dir=path.parent) as work:
        command = [sys.executable, "-m", "tests.benchmarks.memory", "--read", str(path), "--work", work]
        environment = {**os.environ, "TMPDIR": work}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def line(name: str, size_bytes: int, told: dict[str, Any]) -> str:
    limit, peak = limit_bytes(size_bytes, told["events"]), told["peaks"]["end"]
    beyond = (peak - BASE_OF_BLOCKS_BYTES) / told["events"]
    cells = [
        name, f"{told['events']:,}", f"{told['seconds']:.1f}", f"{size_bytes / told['seconds'] / 1e6:.0f}",
        f"{peak / MIB:,.0f}", f"{limit / MIB:,.0f}", f"{beyond:.0f}" if beyond > 0 else "-",
        ", ".join(f"{stage} {bytes_ / MIB:,.0f}" for stage, bytes_ in told["peaks"].items()),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    options = _options()
    if options.read:
        print(json.dumps(read(options.read, options.work)))
        return
    print("| text | events | s | MB/s | peak MiB | allowed MiB | beyond 512 MiB, bytes per event | peak so far |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    for size_mib in options.sizes:
        for suffix in (".json", ".json.gz"):
            needed = size_mib * MIB * (STORED_PART + (PACKED_PART if suffix == ".json.gz" else 1))
            if shutil.disk_usage(options.folder).free < needed:
                print(f"{size_mib} MiB{suffix}: needs {needed / MIB:,.0f} MiB in {options.folder}", file=sys.stderr)
                continue
            with tempfile.TemporaryDirectory(dir=options.folder) as home:
                path = Path(home) / f"trace{suffix}"
                size_bytes = write(path, size_mib * MIB)
                print(line(f"{size_mib:,} MiB {suffix}", size_bytes, measured(path)), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.memory", description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES_MIB, help="of the unpacked text, in MiB")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="for the files, deleted after")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
