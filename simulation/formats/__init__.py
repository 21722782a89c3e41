"""File formats: one module each, told apart by content, all building their table through `TableBuilder`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from simulation.errors import DamagedTrace, TraceError
from simulation.events import EventTable
from simulation.formats import chakra_et, chakra_json, kineto, pytorch_et
from simulation.formats.content import LIMITS, Content, Cut, Limits
from simulation.formats.masking import masked_table
from simulation.formats.secrets import Masked, mask
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
    window = Window(content.chunks(), done=content.done)
    name = sniff(window.text, path.name, window.last)
    if name in BINARY:
        return masked_table(READERS[name](window.rest(), path, "", progress))
    found: list[Masked] = []
    if name == "kineto":
        window.watch(lambda text, base: found.append(mask(text, base, window.last).without_text()))
        table = kineto.read(window, path, progress, scratch)
    else:
        found.append(mask(window.rest()))
        table = READERS[name](found[0].text, path, "", progress)
    for masked in found:
        masked.report(table.quality)
    return table


def _because_of(cut: Cut | None, error: TraceError) -> TraceError:
    """The error, or where a packed file breaks off, that as the reason of it."""
    if cut is None:
        return error
    what, hint = f"{cut.what}; what comes out {error.what}", "Copy the file again."
    return DamagedTrace(what, file=error.file, byte=cut.byte, hint=hint)


def _report(cut: Cut | None, file: str, quality: QualityReport) -> None:
    if cut is not None:
        quality.add("damaged_packing", 1, [f"{file[-50:]} at byte {cut.byte:,}"])
