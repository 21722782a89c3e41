"""File formats: one module each, told apart by content, all building their table through `TableBuilder`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path

from simulation.errors import DamagedTrace, TraceError
from simulation.events import EventTable
from simulation.formats import chakra_et, chakra_json, kineto, pytorch_et
from simulation.formats.content import LIMITS, SMALL_BYTES, Content, Cut, Limits, ahead, joined
from simulation.formats.masking import masked_table
from simulation.formats.secrets import Masked, mask, masked_text
from simulation.formats.sniff import sniff
from simulation.formats.window import Window
from simulation.progress import Progress, silent
from simulation.quality import QualityReport

__all__ = ["Limits", "read_trace", "sniff"]

READERS = {
    "pytorch_et": pytorch_et.read,
    "chakra_et": chakra_et.read,
    "chakra_json": chakra_json.read,
}
"""Name that `sniff` gives -> what reads the format as a whole; `kineto` is read in windows."""

BINARY = frozenset({"chakra_et"})
"""Formats that are no text."""

SNIFFED_BYTES = 16 << 20
"""A text whose format these do not tell is taken for events with long metadata before them."""


def read_trace(
    path: Path, progress: Progress = silent, limits: Limits = LIMITS, scratch: Path | None = None
) -> EventTable:
    """Read one trace file. Raises TraceError where it is not a trace, damaged beyond use, or empty.

    In the folder `scratch`, None for the system's temporary one, waits what is too large for the memory.
    """
    with Content(path, limits) as content:
        try:
            table = _read(content, path, progress, scratch)
        except TraceError as error:
            raise _because_of(content.cut, error) from None
        _report(content.cut, path.name, table.quality)
        return replace(table, info=replace(table.info, source_sha256=content.sha256()))


def _read(content: Content, path: Path, progress: Progress, scratch: Path | None) -> EventTable:
    chunks = content.chunks()
    name, head = _sniffed(chunks, path.name)
    chunks = chain(head, chunks)
    if name in BINARY:
        return masked_table(READERS[name](joined(chunks), path, "", progress))
    found: list[Masked] = []
    if name == "kineto":
        text = masked_text(chunks, found)
        window = Window(ahead(text) if content.size_bytes >= SMALL_BYTES else text, done=content.done)
        table = kineto.read(window, path, progress, scratch)
    else:
        found.append(mask(joined(chunks)))
        table = READERS[name](found[0].text, path, "", progress)
    for part in found:
        part.report(table.quality)
    return table


def _sniffed(chunks: Iterator[bytes], file: str) -> tuple[str, list[bytes]]:
    """The format's name, and the chunks that tell it: the first one, where that is enough. Raises UnknownFormat."""
    head: list[bytes] = []
    for chunk in chunks:
        head.append(chunk)
        text = joined(head)
        if len(text) >= SNIFFED_BYTES:
            return sniff(text, file, is_whole=False), head
        with suppress(TraceError):
            return sniff(text, file), head
    return sniff(joined(head), file), head


def _because_of(cut: Cut | None, error: TraceError) -> TraceError:
    """The error, or where a packed file breaks off, that as the reason of it."""
    if cut is None:
        return error
    what, hint = f"{cut.what}; what comes out {error.what}", "Copy the file again."
    return DamagedTrace(what, file=error.file, byte=cut.byte, hint=hint)


def _report(cut: Cut | None, file: str, quality: QualityReport) -> None:
    if cut is not None:
        quality.add("damaged_packing", 1, [f"{file[-50:]} at byte {cut.byte:,}"])
