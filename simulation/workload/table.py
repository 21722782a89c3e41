"""A recording straight as an event table, through the builder that every format uses: what reading its file gives.

Left out: the raw args, names of threads, and the profiler's own marks.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from simulation.args import ArgsStore
from simulation.events import EventTable, TraceInfo
from simulation.formats.builder import Block as Columns
from simulation.formats.builder import TableBuilder
from simulation.formats.kineto import AXES, NUMBERS, TEXTS
from simulation.workload import kineto
from simulation.workload.described import described
from simulation.workload.labels import Number
from simulation.workload.recording import FIRST_STEP, Block, Recording
from simulation.workload.transformer import STEP_NAME


def table_of(recording: Recording) -> EventTable:
    """The rank's table."""
    filler = _Filler(recording)
    for block in recording.blocks():
        filler.add(block)
    rank, none = recording.place.rank, np.zeros(filler.builder.events, np.int64)
    metadata = kineto.metadata(recording)
    info = TraceInfo(
        "kineto", kineto.file_name(rank), "", kineto.BASE_NS, len(none), rank, recording.spec.ranks, metadata
    )  # fmt: skip
    return filler.builder.build(info, ArgsStore.from_spans(np.zeros(0, np.uint8), none, none))


class _Filler:
    """Hands blocks to a builder: what a kind of entry says is looked up, what differs is taken from the numbers."""

    def __init__(self, recording: Recording) -> None:
        self.builder, self.spec = TableBuilder(), recording.spec
        self.kinds = [described(recording, entry) for entry in recording.entries]
        builder = self.builder
        self.phase = np.array([ord(kind.phase) for kind in self.kinds])
        self.name = np.array([builder.names.code(kind.name) for kind in self.kinds])
        self.step_name = np.array(
            [builder.names.code(f"{STEP_NAME}{FIRST_STEP + step}") for step in range(self.spec.steps)]
        )  # fmt: skip
        self.is_step = np.array([kind.is_step for kind in self.kinds])
        self.category = np.array([builder.categories.code(kind.category) for kind in self.kinds])
        self.pid = np.array([builder.places.code(str(kind.pid)) for kind in self.kinds])
        self.tid = np.array([builder.places.code(str(kind.tid)) for kind in self.kinds])
        keys = dict.fromkeys(key for kind in self.kinds for key in kind.args)
        self.keys = [key for key in keys if key in NUMBERS or key in TEXTS or key in AXES]

    def add(self, block: Block) -> None:
        entry, step = block.entry, block[Number.STEP] - FIRST_STEP
        none = np.zeros(len(block), np.uint8)
        for key in self.keys:
            self._add_detail(key, block)
        self._add_arrows(block)
        self.builder.add(
            Columns(
                phase=self.phase[entry],
                start_ns=block[Number.START],
                start_flags=none,
                dur_ns=block[Number.DURATION],
                dur_flags=none,
                name=np.where(self.is_step[entry], self.step_name[step], self.name[entry]).astype(np.int32),
                category=self.category[entry].astype(np.int32),
                pid=self.pid[entry].astype(np.int32),
                tid=self.tid[entry].astype(np.int32),
            )
        )

    def _add_detail(self, key: str, block: Block) -> None:
        said = [kind.args.get(key) for kind in self.kinds]
        at = np.flatnonzero(np.array([value is not None for value in said])[block.entry])
        entry, event = block.entry[at], at + self.builder.events
        details = self.builder.details
        if key in AXES:
            for axis, letter in enumerate("xyz"):
                values = np.array([value[axis] if value else 0 for value in said], np.int64)
                details.add(f"{AXES[key]}_{letter}", event, values[entry])
        elif key in TEXTS:
            codes = np.array([details.texts.code(_text(value)) if value is not None else 0 for value in said])
            details.add(TEXTS[key], event, codes[entry])
        else:
            details.add(NUMBERS[key], event, _numbers(said, block, at))

    def _add_arrows(self, block: Block) -> None:
        for number in (Number.CORRELATION, Number.SEQUENCE):
            is_arrow = np.array([kind.arrow is number for kind in self.kinds])
            at = np.flatnonzero(is_arrow[block.entry])
            self.builder.details.add("flow_id", at + self.builder.events, block[number][at])


def _numbers(said: list[Any], block: Block, at: np.ndarray) -> np.ndarray:
    """The values of one key: of each kind of entry a constant, or one of its numbers."""
    constant = np.array([0 if value is None or isinstance(value, Number) else value for value in said], np.int64)
    column = np.array([value.value if isinstance(value, Number) else -1 for value in said])[block.entry[at]]
    return np.asarray(np.where(column >= 0, block.numbers[column, at], constant[block.entry[at]]))


def _text(value: Any) -> str:
    """As the reader lifts it: texts without their quotes, lists as written."""
    return value if isinstance(value, str) else json.dumps(value)
