"""Kineto traces, and Chrome trace events in general: the JSON of PyTorch's profiler is of the latter format.

Read: phases as in `phases`; the args named in ARGS; every top-level key as metadata. Old spellings of categories,
flows and `stream 7` become the modern ones. Not read: objects (N, O, D), clock syncs, memory dumps (kept in
`unplaced`), keys with JSON escapes in them.
The format: https://github.com/pytorch/kineto, libkineto/src/output_json.cpp; Chrome's in `phases`.
"""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from simulation.args import ArgsWriter
from simulation.errors import DamagedTrace, EmptyTrace, TraceError
from simulation.events import EventTable, TraceInfo
from simulation.formats import scan
from simulation.formats.builder import Block, TableBuilder
from simulation.formats.decimals import Bytes, integers, triples
from simulation.formats.details import ABSENT
from simulation.formats.ids import FlowIds, numbered, scoped
from simulation.formats.naming import KINETO_CATEGORIES, QUOTE
from simulation.formats.phases import ASYNC, FLOW_END, META, Role, roles
from simulation.formats.spelling import Spellings
from simulation.formats.walk import Walk
from simulation.formats.window import Window
from simulation.formats.words import Words, decode
from simulation.progress import Progress

LARGEST_BASE_NS = 4 * 10**18

NUMBERS = {
    "correlation": "correlation",
    "External id": "external_id",
    "stream": "stream",
    "device": "device",
    "bytes": "size_bytes",
    "registers per thread": "registers",
    "shared memory": "shared_memory_bytes",
    "graph id": "graph",
    "Record function id": "record_function",
    "Sequence number": "sequence",
    "Fwd thread id": "forward_thread",
    "In msg nelems": "in_elements",
    "Out msg nelems": "out_elements",
    "Group size": "group_size",
    "Seq": "group_sequence",
    "Src Rank": "source_rank",
    "Dst Rank": "target_rank",
    "wait_on_stream": "wait_stream",
    "wait_on_cuda_event_record_corr_id": "wait_record_correlation",
    "wait_on_cuda_event_id": "wait_event",
    "Addr": "address",
    "Bytes": "memory_bytes",
    "Total Allocated": "allocated_bytes",
    "Total Reserved": "reserved_bytes",
    "Device Type": "device_type",
    "Device Id": "memory_device",
    "Python id": "python_id",
    "Python parent id": "python_parent",
    "Python module id": "module",
}
"""Key of args -> integer detail."""

TEXTS = {
    "Input Dims": "dims",
    "Input type": "types",
    "Collective name": "collective",
    "dtype": "dtype",
    "Process Group Name": "group",
    "Process Group Ranks": "group_ranks",
    "cuda_sync_kind": "sync",
    "name": "label",
    "labels": "device_label",
}
"""Key of args -> text detail; lists stay as they are written."""

LABELS = {"label": ("process_name", "thread_name"), "device_label": ("process_labels",)}
"""Text detail -> names of the M events that name something by it."""

AXES = {"grid": "grid", "block": "block"}
"""Key of args -> three integer details, `_x`, `_y`, `_z`."""

ARGS = sorted([*NUMBERS, *TEXTS, *AXES], key=lambda key: (len(key), key))
_KEYS = scan.Keys.of(ARGS)
_NOTHING = np.empty(0, np.int64), np.empty(0, np.int32)

KINETO_KEYS = frozenset({"deviceProperties", "distributedInfo"})
"""Top-level keys that no one else writes."""

_LIST_KEPT = 64
"""Entries of a list in the metadata that are kept; longer ones are cut."""


def read(window: Window, file: Path, progress: Progress, scratch: Path | None = None) -> EventTable:
    """Read a JSON object with `traceEvents`, or such a list by itself, to its end. `scratch` as in TableBuilder."""
    with closing(_Reader(scratch)) as reader:
        walk = Walk(window, file.name, _KEYS, reader.take, reader.builder.quality)
        walk.run(progress)
        walk.close()
        progress("linking", 0, 1)
        try:
            return reader.builder.build(_info(walk, reader, file), reader.args.finish())
        except EmptyTrace as error:
            if walk.stops < 0:
                raise type(error)(error.what, file=file.name, hint=error.hint) from None
            what, hint = f"{error.what} before the JSON breaks off", "Was it copied to the end?"
            raise DamagedTrace(what, file=file.name, byte=walk.stops, hint=hint) from None
        except TraceError as error:
            raise type(error)(error.what, file=file.name, hint=error.hint) from None


def _info(walk: Walk, reader: _Reader, file: Path) -> TraceInfo:
    metadata = walk.metadata
    base_ns = metadata.get("baseTimeNanoseconds", 0)
    if not isinstance(base_ns, int) or not 0 <= base_ns <= LARGEST_BASE_NS:
        raise DamagedTrace(f"baseTimeNanoseconds is {str(base_ns)[:40]}, not a time", file=file.name)
    rank, world_size = _rank(metadata)
    return TraceInfo(
        format="kineto" if _is_kineto(metadata, reader.builder) else "chrome",
        file_name=file.name,
        source_sha256="",
        base_ns=base_ns,
        events=reader.builder.events,
        rank=rank,
        world_size=world_size,
        metadata={key: _cut(value) for key, value in metadata.items()},
        spellings=reader.spellings.originals(),
    )


def _is_kineto(metadata: dict[str, Any], builder: TableBuilder) -> bool:
    """Whether anything in the file is Kineto's own; else it is any program's Chrome trace."""
    return bool(KINETO_KEYS & metadata.keys() or KINETO_CATEGORIES & set(builder.categories.words))


def _rank(metadata: dict[str, Any]) -> tuple[int | None, int | None]:
    """From `distributedInfo`, wherever it stood; unknown is not 0."""
    distributed = metadata.get("distributedInfo")
    if not isinstance(distributed, dict):
        return None, None
    rank, world_size = (
        value if type(value := distributed.get(key)) is int and 0 <= value < 2**31 else None
        for key in ("rank", "world_size")
    )
    return rank, world_size


def _cut(value: Any) -> Any:
    return value[:_LIST_KEPT] if isinstance(value, list) else value


class _Reader:
    """Takes blocks of events and puts what is in them into the builder."""

    def __init__(self, scratch: Path | None) -> None:
        self.builder, self.args = TableBuilder(scratch), ArgsWriter(scratch)
        self.builder.places = Words(place)
        self.spellings, self.flow_ids = Spellings(self.builder.categories), FlowIds()
        self.stack = np.empty(scan.MAX_DEPTH, np.uint8)
        self._named: dict[str, tuple[np.ndarray, np.ndarray]] = {}  # label details of the block at hand

    def close(self) -> None:
        self.args.close()

    def take(self, text: Bytes, columns: np.ndarray, details: np.ndarray) -> None:
        """One block; `columns` and `details` as in scan."""
        self.text = text
        builder, base = self.builder, self.builder.events

        def codes(words: Words, column: int) -> np.ndarray:
            return words.codes(text, columns[column], columns[column + 1])

        role = roles(columns[scan.PHASE])
        category = scan.CATEGORY
        block = Block(
            phase=columns[scan.PHASE],
            start_ns=columns[scan.TS],
            start_flags=columns[scan.TS_FLAGS],
            dur_ns=columns[scan.DUR],
            dur_flags=columns[scan.DUR_FLAGS],
            name=self._names(columns, role),
            category=self.spellings.codes(text, columns[category], columns[category + 1], role == Role.FLOW),
            pid=codes(builder.places, scan.PID),
            tid=codes(builder.places, scan.TID),
        )
        self.args.add(text, columns[scan.ARGS], columns[scan.ARGS + 1])
        self._add_details(details, base)
        self._add_ids(columns, role, base)
        self._add_counters(np.flatnonzero(role == Role.COUNTER), columns, base)
        self._add_labels(block, base)
        builder.add(block)

    def _names(self, columns: np.ndarray, role: np.ndarray) -> np.ndarray:
        builder = self.builder
        name = builder.names.codes(self.text, columns[scan.NAME], columns[scan.NAME + 1])
        at = np.flatnonzero((role == Role.COUNTER) & (columns[scan.ID + 1] > columns[scan.ID]))
        texts = builder.details.texts
        ids = texts.codes(self.text, *_spans(columns, scan.ID, at))
        name[at] = numbered(builder.names, name[at], texts, ids)
        return name

    def _add_ids(self, columns: np.ndarray, role: np.ndarray, base: int) -> None:
        details, texts = self.builder.details, self.builder.details.texts
        flows = np.flatnonzero(role == Role.FLOW)
        details.add("flow_id", flows + base, self.flow_ids.of(self.text, *_spans(columns, scan.ID, flows)))
        loose = flows[(columns[scan.PHASE][flows] == FLOW_END) & (columns[scan.ENCLOSES][flows] == 0)]
        details.add("flow_binds_next", loose + base, np.ones(len(loose), np.int64))
        at = np.flatnonzero(np.isin(role, ASYNC))
        ids, scopes = (texts.codes(self.text, *_spans(columns, key, at)) for key in (scan.ID, scan.SCOPE))
        details.add("async_id", at + base, scoped(texts, ids, scopes))

    def _add_details(self, details: np.ndarray, base: int) -> None:
        order = np.argsort(details[scan.DETAIL_KEY].astype(np.uint8), kind="stable")  # 8 bits: a radix sort
        sorted_ = details[:, order]
        cuts = np.searchsorted(sorted_[scan.DETAIL_KEY], np.arange(len(ARGS) + 1))
        for key, word in enumerate(ARGS):
            part = sorted_[:, cuts[key] : cuts[key + 1]]
            if part.shape[1]:
                event = part[scan.DETAIL_EVENT] + base
                self._add_detail(word, event, part[scan.DETAIL_BEGIN], part[scan.DETAIL_END])

    def _add_detail(self, key: str, event: np.ndarray, begin: np.ndarray, end: np.ndarray) -> None:
        details = self.builder.details
        if key in NUMBERS:
            details.add(NUMBERS[key], event, integers(self.text, begin, end, absent_of(key)))
        elif key in TEXTS:
            codes = details.texts.codes(self.text, begin, end)
            details.add(TEXTS[key], event, codes)
            if TEXTS[key] in LABELS:
                self._named[TEXTS[key]] = event, codes
        else:
            values = triples(self.text, begin, end, ABSENT)
            for axis, name in enumerate("xyz"):
                details.add(f"{AXES[key]}_{name}", event, values[:, axis])

    def _add_counters(self, at: np.ndarray, columns: np.ndarray, base: int) -> None:
        lines = scan.members(self.text, columns[scan.ARGS][at], columns[scan.ARGS + 1][at], self.stack)
        if not len(lines):
            return
        texts = self.builder.details.texts
        values = [decode(self.text[begin:end].tobytes())[0] for begin, end in lines[:, 3:].tolist()]
        known = np.array([_float(value) for value in values])
        event = at[lines[:, 0]] + base
        keys = texts.codes(self.text, lines[:, 1] - 1, lines[:, 2] + 1)
        good = ~np.isnan(known)
        self.builder.quality.add("unreadable_samples", int(np.count_nonzero(~good)))
        self.builder.details.add("series", event[good], keys[good])
        self.builder.details.add("series_value", event[good], known[good].view(np.int64))

    def _add_labels(self, block: Block, base: int) -> None:
        """Names of processes, devices and threads, from M events."""
        builder, texts = self.builder, self.builder.details.texts.words
        for detail, wanted in LABELS.items():
            events, codes = self._named.pop(detail, _NOTHING)
            for event, code in zip((events - base).tolist(), codes.tolist(), strict=True):
                if block.phase[event] != META:
                    continue
                name, pid = builder.names.words[block.name[event]], int(block.pid[event])
                if name not in wanted:
                    continue
                if name == "process_name":
                    builder.labels.process[pid] = texts[code]
                elif name == "process_labels":
                    builder.labels.device[pid] = texts[code]
                else:
                    builder.labels.thread[pid, int(block.tid[event])] = texts[code]


def _spans(columns: np.ndarray, key: int, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the values of a key begin and end, of the events `at`."""
    return columns[key][at], columns[key + 1][at]


def absent_of(key: str) -> int:
    return 0 if key in ("correlation", "External id") else ABSENT


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def place(raw: bytes) -> tuple[str, bool]:
    """A pid or tid as text: numbers in their shortest form, words with a quote before them; `stream 7` is 7."""
    word, replaced = decode(raw)
    stream = re.fullmatch(r"stream (\d{1,18})\s*", word)
    if stream:
        return stream[1], replaced
    if raw[:1] == b'"':
        return QUOTE + word, replaced
    try:
        return str(int(word)), replaced
    except ValueError:
        return word.removesuffix(".0"), replaced
