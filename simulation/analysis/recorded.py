"""What only the raw args hold, of many events at once: found by a pattern, without parsing what is around it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulation.args import BATCH_EVENTS
from simulation.events import EventTable

CHUNK_EVENTS = 64 * BATCH_EVENTS
"""Args of so many neighbours in the file are unpacked at a time: tens of megabytes, whatever the size of the trace."""


def extracted(table: EventTable, rows: np.ndarray, pattern: str) -> pa.StringArray:
    """The text of the pattern's group `value` in the args of each row, null where it is not there.

    Unpacks each batch of args that holds one of the rows once.
    """
    source = table.source_index[rows].astype(np.int64)
    order = np.argsort(source, kind="stable")
    cuts = np.flatnonzero(np.diff(source[order] // CHUNK_EVENTS)) + 1
    found = [_matches(table, source[part], pattern) for part in np.split(order, cuts) if len(part)]
    back = np.empty(len(rows), np.int64)
    back[order] = np.arange(len(rows))
    whole = pa.concat_arrays(found) if found else pa.array([], pa.string())
    return whole.take(pa.array(back))


def _matches(table: EventTable, source_index: np.ndarray, pattern: str) -> pa.StringArray:
    import pyarrow.compute as pc  # loads for as long as a small replay takes, which needs no args

    texts = table.args.take(source_index)
    return pc.cast(pc.struct_field(pc.extract_regex(texts, pattern), "value"), pa.string(), safe=False)
