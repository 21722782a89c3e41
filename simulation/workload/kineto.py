"""Kineto's JSON of a recording, as libkineto lays it out. The hot path is `Forms`; nothing is dumped per event.

The layout: https://github.com/pytorch/kineto, libkineto/src/output_json.cpp.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from isal import igzip

from simulation.progress import Progress, silent
from simulation.store import replacing
from simulation.workload.described import Described, described, host_pid, process_groups
from simulation.workload.exchange import STREAM_IDS
from simulation.workload.forms import END, Forms, Piece
from simulation.workload.labels import Number
from simulation.workload.program import AUTOGRAD, MAIN
from simulation.workload.recording import Recording

BASE_NS = 1_700_000_000_000_000_000
DECIMAL = 2
"""Numbers below are times: START and DURATION."""

PACK_LEVEL = 1
TOKEN = "\0{}\0"
"""Stands for a Number in JSON text until the text is cut there; no name holds one."""

GPU_SORT = 5_000_000

MARKS = 3
"""Events of a file beside those of the steps: the profiler's own."""


def file_name(rank: int) -> str:
    return f"rank{rank}.json.gz"


def write(recording: Recording, path: Path, progress: Progress = silent) -> None:
    """Write the file, packed if its name ends in .gz, all or nothing. `progress` is of entries."""
    with replacing(path) as beside, _opened(beside, path.suffix == ".gz") as sink:
        sink.write(_head(recording).encode())
        sink.write(b"".join(_entry(event) + b",\n" for event in _names(recording)))
        forms = Forms.of([form(described(recording, entry)) for entry in recording.entries], DECIMAL)
        done = 0
        for block in recording.blocks():
            sink.write(forms.fill(block.entry, block.numbers).data)
            done += len(block)
            progress("writing", done, recording.length)
        sink.write(b",\n".join(_entry(event) for event in _window(recording)))
        sink.write(b'\n  ],\n  "traceName": ' + json.dumps(file_name(recording.place.rank)).encode() + b"\n}\n")


@contextmanager
def _opened(path: Path, packed: bool) -> Iterator[BinaryIO]:
    """To be written; packed without name and time, so that equal contents are equal bytes."""
    with open(path, "wb") as plain:
        if not packed:
            yield plain
            return
        with igzip.IGzipFile("", "wb", PACK_LEVEL, plain, mtime=0) as sink:  # type: ignore[no-untyped-call]
            yield sink  # type: ignore[misc]


def form(entry: Described) -> list[Piece]:
    """An entry with holes for its numbers, a comma behind it."""
    number = _token(Number.STEP) if entry.is_step else ""
    name = json.dumps(entry.name + number)
    at = f'"pid": {entry.pid}, "tid": {entry.tid}'
    if entry.arrow is not None:
        binds = ', "bp": "e"' if entry.phase == "f" else ""
        text = (
            f'  {{\n    "ph": "{entry.phase}", "id": {_token(entry.arrow)}, {at}, "ts": {_token(Number.START)},\n'
            f'    "cat": "{entry.category}", "name": {name}{binds}\n  }},\n'
        )
    else:
        text = (
            f'  {{\n    "ph": "X", "cat": "{entry.category}", "name": {name}, {at},\n'
            f'    "ts": {_token(Number.START)}, "dur": {_token(Number.DURATION)},\n'
            f'    "args": {args_text(entry.args)}\n  }},\n'
        )
    return _cut(text)


def args_text(args: dict[str, Any]) -> str:
    """JSON with a token for each Number."""
    members = (f"{json.dumps(key)}: {_token(v) if isinstance(v, Number) else json.dumps(v)}" for key, v in args.items())
    return "{\n      " + ", ".join(members) + "\n    }"


def _token(number: Number) -> str:
    return TOKEN.format(number.value)


def _cut(text: str) -> list[Piece]:
    """Pieces of text and the number behind each. JSON text escapes zero bytes, so that only tokens hold them."""
    parts = text.replace("\\u0000", "\0").split("\0")
    numbers = [int(number) for number in parts[1::2]]
    return list(zip(parts[::2], [*numbers, END], strict=True))


def metadata(recording: Recording) -> dict[str, Any]:
    """The top-level keys before the events; `generated` says what the file is, and what was put in."""
    spec, device, place = recording.spec, recording.spec.device, recording.place
    properties = {
        "name": device.name, "totalGlobalMem": device.memory_bytes, "computeMajor": device.capability // 10,
        "computeMinor": device.capability % 10, "maxThreadsPerBlock": 1024, "maxThreadsPerMultiprocessor": 2048,
        "regsPerBlock": 65536, "warpSize": 32, "sharedMemPerBlock": 49152, "numSms": device.sms,
    }  # fmt: skip
    groups = process_groups(recording)
    return {
        "schemaVersion": 1,
        "deviceProperties": [{"id": index, **properties} for index in range(min(device.per_node, spec.ranks))],
        "with_stack": 0,
        "record_shapes": 1,
        "distributedInfo": {
            "backend": "nccl", "rank": place.rank, "world_size": spec.ranks, "pg_count": len(groups),
            "pg_config": groups, "nccl_version": "2.21.5",
        },
        "generated": {"workload": spec.document(), "clock_skew_ns": int(spec.clock_skew_ns()[place.rank])},
        "displayTimeUnit": "ms",
        "baseTimeNanoseconds": BASE_NS,
    }  # fmt: skip


def _head(recording: Recording) -> str:
    members = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in metadata(recording).items())
    return "{\n" + ",\n".join(members) + ',\n  "traceEvents": [\n'


def _entry(event: dict[str, Any]) -> bytes:
    """One of the few entries that are written one by one; ts and dur are exact text already."""
    text = json.dumps(event)
    return ("  " + text.replace('"<', "").replace('>"', "")).encode()


def _us(ns: int) -> str:
    return f"<{ns // 1000}.{ns % 1000:03}>"


def _names(recording: Recording) -> Iterator[dict[str, Any]]:
    pid, device = host_pid(recording), recording.place.rank % recording.spec.device.per_node
    ts = _us(recording.span_ns[0])

    def named(what: str, pid: int, tid: int, key: str, value: Any) -> dict[str, Any]:
        return {"name": what, "ph": "M", "ts": ts, "pid": pid, "tid": tid, "args": {key: value}}

    yield named("process_name", pid, 0, "name", "python3")
    yield named("process_labels", pid, 0, "labels", "CPU")
    yield named("process_sort_index", pid, 0, "sort_index", pid)
    yield named("process_name", device, 0, "name", "python3")
    yield named("process_labels", device, 0, "labels", f"GPU {device}")
    yield named("process_sort_index", device, 0, "sort_index", GPU_SORT + device)
    for thread, name in ((MAIN, "python3"), (AUTOGRAD, "pt_autograd_0")):
        yield named("thread_name", pid, pid + thread, "name", f"thread {pid + thread} ({name})")
        yield named("thread_sort_index", pid, pid + thread, "sort_index", pid + thread)
    for stream in recording.streams:
        yield named("thread_name", device, STREAM_IDS[stream], "name", f"stream {STREAM_IDS[stream]}")
        yield named("thread_sort_index", device, STREAM_IDS[stream], "sort_index", STREAM_IDS[stream])


def _window(recording: Recording) -> Iterator[dict[str, Any]]:
    """The profiler's own marks, behind all events."""
    begin, end = recording.span_ns
    name = "PyTorch Profiler"
    yield {
        "ph": "X", "cat": "Trace", "ts": _us(begin), "dur": _us(end - begin), "pid": "Spans", "tid": name,
        "name": f"{name} (0)", "args": {"Op count": 0},
    }  # fmt: skip
    yield {
        "name": f"Iteration Start: {name}", "ph": "i", "s": "g", "pid": "Traces", "tid": f"Trace {name}",
        "ts": _us(begin),
    }  # fmt: skip
    yield {"name": "Record Window End", "ph": "i", "s": "g", "pid": "", "tid": "", "ts": _us(end)}
