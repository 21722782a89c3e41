"""Masks secrets in a table whose file is no text: there, stars could not be told from lengths and numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from simulation.args import ArgsStore
from simulation.events import EventTable
from simulation.formats.secrets import mask
from simulation.quality import QualityReport
from simulation.store import Column, Strings


def masked_table(table: EventTable) -> EventTable:
    """The table, held in memory, without secrets in args, names, side tables and metadata; says so in its report."""
    quality = table.quality
    sides = {
        name: {column: _column(values, quality) for column, values in side.items()}
        for name, side in table.sides.items()
    }
    text = _masked(json.dumps(table.info.metadata), quality)
    return replace(
        table,
        info=replace(table.info, metadata=json.loads(text)),
        names=_words(table.names, quality),
        sides=sides,
        args=_args(table.args, quality),
    )


def _column(values: Column, quality: QualityReport) -> Column:
    return Strings(values.codes, _words(values.words, quality)) if isinstance(values, Strings) else values


def _words(words: Sequence[str], quality: QualityReport) -> tuple[str, ...]:
    """Each on a line of its own: what stands side by side here did not in the file."""
    lines = _masked("\n".join(json.dumps(word) for word in words), quality).splitlines()
    return tuple(json.loads(line) for line in lines)


def _args(args: ArgsStore, quality: QualityReport) -> ArgsStore:
    values = args.values
    assert values is not None, "only args held in memory can be masked"
    if not len(values):
        return args
    _, offsets, data = values.buffers()
    result = mask(np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8))
    quality.add("secrets_masked", result.count, (place.rpartition(", byte")[0] for place in result.places))
    return ArgsStore(pa.Array.from_buffers(values.type, len(values), [None, offsets, pa.py_buffer(result.text)]))


def _masked(text: str, quality: QualityReport) -> str:
    result = mask(np.frombuffer(text.encode(), np.uint8))
    quality.add("secrets_masked", result.count, (place.rpartition(", byte")[0] for place in result.places))
    return result.text.tobytes().decode()
