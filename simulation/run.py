"""A run: the traces of its ranks, one string table, one zero of time, one numbering of all rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from simulation import clocks, parallel, ranks
from simulation.clocks import Clock
from simulation.errors import DamagedTrace, UnknownFormat
from simulation.events import FORMAT_VERSION, EventTable, readable_version
from simulation.formats import archive, read_trace
from simulation.formats.archive import ArchiveLimits, Source
from simulation.formats.content import LIMITS, Limits
from simulation.formats.pairing import paired
from simulation.groups import ProcessGroup, groups_of
from simulation.progress import Progress, silent
from simulation.quality import QualityReport
from simulation.store import Strings, open_table, sync, write_table

LONGEST_NS = 2**62
"""From the first to the last event of a run; more does not fit in 64 bits with room to reckon."""


@dataclass(frozen=True)
class Run:
    """The traces in display order, and what spans them."""

    traces: tuple[EventTable, ...]
    ranks: tuple[int | None, ...]  # of each trace; ascending, unknown last
    names: tuple[str, ...]  # the run's string table
    name_codes: tuple[np.ndarray, ...]  # i32, per trace: code into its `names` -> code into the run's
    origin_ns: int  # unix ns (or whatever zero the files share) of the first event: zero of all times shown
    quality: QualityReport
    clocks: tuple[Clock | None, ...]  # of each trace; None where it cannot be compared
    groups: tuple[ProcessGroup, ...] = ()
    is_aligned: bool = False  # whether the clocks' offsets are taken off the times shown

    @cached_property
    def shift_ns(self) -> tuple[int, ...]:
        """Per trace: add to start_ns for ns since origin_ns."""
        return tuple(base_ns - self.origin_ns for base_ns in _bases_ns(self.traces, self.clocks, self.is_aligned))

    @property
    def has_clocks(self) -> bool:
        """Whether the clocks of two traces or more are known against each other."""
        return any(self.clocks)

    def aligned(self) -> Run:
        """The same run, seen on the clock of its first rank; what has no clock stays where it is. Copies nothing."""
        bases_ns = _bases_ns(self.traces, self.clocks, True)
        return replace(self, is_aligned=True, origin_ns=_origin_ns(self.traces, bases_ns))

    def only(self, trace: int) -> Run:
        """One of its traces, at the same times and with the same names. Copies nothing."""
        return replace(
            self,
            traces=(self.traces[trace],),
            ranks=(self.ranks[trace],),
            name_codes=(self.name_codes[trace],),
            clocks=(self.clocks[trace],) if self.clocks else (),
        )

    @property
    def placed(self) -> str:
        """Where times come from: "recorded", or "replay" where a trace has none and its nodes were placed."""
        return "replay" if any(trace.info.placed == "replay" for trace in self.traces) else "recorded"

    @property
    def placing(self) -> tuple[str, ...]:
        """The rules by which traces without times were placed, see TraceInfo.placing; () where all are recorded."""
        return tuple(sorted({trace.info.placing for trace in self.traces} - {""}))

    @cached_property
    def row_base(self) -> np.ndarray:
        """First row of each trace in the numbering of the whole run: i64, traces + 1."""
        return np.cumsum([0, *(len(trace) for trace in self.traces)], dtype=np.int64)

    @classmethod
    def of(cls, traces: Sequence[EventTable]) -> Run:
        """Put traces, in whatever order, together. Raises DamagedTrace where their times cannot be compared.

        An execution trace is taken into the recorded trace that it belongs to.
        """
        traces = sorted(paired(traces), key=lambda trace: ranks.in_order(trace.info))
        quality = QualityReport.merged(trace.quality for trace in traces)
        placed = ranks.place([trace.info for trace in traces], quality)
        order = sorted(range(len(traces)), key=lambda at: (placed[at] is None, placed[at] or 0))
        ordered, shown = tuple(traces[at] for at in order), tuple(placed[at] for at in order)
        names, codes = _merged_names(ordered)
        return cls(
            traces=ordered,
            ranks=shown,
            names=names,
            name_codes=codes,
            origin_ns=_origin_ns(ordered, _bases_ns(ordered, (), False)),
            clocks=clocks.estimate(ordered, shown, quality),
            groups=groups_of([trace.info for trace in ordered]),
            quality=quality,
        )

    def save(self, folder: Path) -> None:
        """Write the traces, then `run.arrow`, whose presence says that the folder is whole."""
        for at, trace in enumerate(self.traces):
            trace.save(folder / f"trace-{at}")
        self.save_record(folder)

    def save_record(self, folder: Path) -> None:
        """Write `run.arrow` into the folder that holds the traces already, each as `save` places it.

        All that is in the folder is on the disk before.
        """
        sync([folder, *folder.rglob("*")])
        meta = {
            "format_version": FORMAT_VERSION,
            "ranks": self.ranks,
            "names": [len(codes) for codes in self.name_codes],
            "origin_ns": self.origin_ns,
            "clocks": [clock and asdict(clock) for clock in self.clocks],
            "groups": [asdict(group) for group in self.groups],
            "quality": self.quality.stored(),
        }
        codes = np.concatenate([np.empty(0, np.int32), *self.name_codes])
        write_table(folder / "run.arrow", {"name": Strings(codes, self.names)}, meta)

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Map a saved run; costs milliseconds and the distinct names. Raises StoreError."""
        columns, meta = open_table(folder / "run.arrow")
        readable_version(meta, folder)
        names = columns["name"]
        assert isinstance(names, Strings)
        cuts = np.cumsum(meta["names"])
        return cls(
            traces=tuple(EventTable.open(folder / f"trace-{index}") for index in range(len(cuts))),
            ranks=tuple(meta["ranks"]),
            names=names.words,
            name_codes=tuple(np.split(names.codes, cuts[:-1])),
            origin_ns=meta["origin_ns"],
            clocks=tuple(clock and Clock(**clock) for clock in meta.get("clocks", [None] * len(cuts))),  # none before 2
            groups=tuple(ProcessGroup(**{**group, "ranks": tuple(group["ranks"])}) for group in meta.get("groups", [])),
            quality=QualityReport(meta["quality"]),
        )


def measured_times(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """(start, end) of every row of the run on its clock, as its tables have them: i64, i64."""
    starts = [table.start_ns + shift for table, shift in zip(run.traces, run.shift_ns, strict=True)]
    start = np.concatenate([np.zeros(0, np.int64), *starts])
    return start, start + np.concatenate([np.zeros(0, np.int64), *(table.dur_ns for table in run.traces)])


def read_run(
    paths: Sequence[Path],
    progress: Progress = silent,
    scratch: Path | None = None,
    limits: ArchiveLimits = archive.LIMITS,
    file_limits: Limits = LIMITS,
    left_out: Collection[str] = (),
) -> Run:
    """Read the files of one run: one per rank, in folders and archives or by themselves.

    Archives are unpacked in `scratch`, and columns wait there; members that `left_out` names as they are shown are
    left out. Raises TraceError, of the first file that cannot be read; what is no trace is left out of a folder or an
    archive, and counted.
    """
    if not paths:
        raise ValueError("a run needs at least one file")
    with archive.unpacked(paths, scratch, limits, progress, left_out) as unpacked:
        sizes = [source.path.stat().st_size for source in unpacked.sources]
        work = partial(_read_source, limits=file_limits, scratch=scratch)
        read = parallel.each(work, unpacked.sources, sizes, progress)
    tables = [table for table in read if isinstance(table, EventTable)]
    strangers = [
        source for source, table in zip(unpacked.sources, read, strict=True) if isinstance(table, UnknownFormat)
    ]
    skipped = [*unpacked.skipped, *(source.name for source in strangers)]
    if not tables:
        reasons = "; ".join(str(error) for error in read[:3])
        names = ", ".join(path.name for path in paths)
        raise UnknownFormat(f"none of its {len(skipped):,} files is a trace", file=names, hint=reasons)
    run = Run.of(tables)
    run.quality.add("files_skipped", len(skipped), skipped)
    run.quality.add("members_replaced", len(unpacked.left_out), unpacked.left_out)
    run.quality.add("truncated", len(unpacked.cut), unpacked.cut)
    return run


def _read_source(
    source: Source, progress: Progress, limits: Limits, scratch: Path | None
) -> EventTable | UnknownFormat:
    """The table of one file, named as it is to be shown; why it has none, if it may be left out."""
    try:
        table = read_trace(source.path, progress, limits, scratch)
    except UnknownFormat as error:
        if source.is_member:
            return error
        raise
    return replace(table, info=replace(table.info, file_name=source.name, archive_sha256=source.archive_sha256))


def _merged_names(traces: Sequence[EventTable]) -> tuple[tuple[str, ...], tuple[np.ndarray, ...]]:
    codes: dict[str, int] = {}
    merged = tuple(np.array([codes.setdefault(name, len(codes)) for name in trace.names], np.int32) for trace in traces)
    return tuple(codes), merged


def _bases_ns(traces: Sequence[EventTable], clocks: Sequence[Clock | None], aligned: bool) -> Sequence[int]:
    """Of each trace, the unix ns that its start_ns counts from: as recorded, or on the first rank's clock."""
    bases_ns = [trace.info.base_ns for trace in traces]
    if not aligned:
        return bases_ns
    return [base_ns - (clock.offset_ns if clock else 0) for base_ns, clock in zip(bases_ns, clocks, strict=True)]


def _origin_ns(traces: Sequence[EventTable], bases_ns: Sequence[int]) -> int:
    """The first event of all. Raises DamagedTrace where the traces cannot be of one run."""
    first = [base_ns + int(trace.start_ns.min()) for trace, base_ns in zip(traces, bases_ns, strict=True)]
    ends = (int((trace.start_ns + trace.dur_ns).max()) for trace in traces)  # not kept, as `end_ns` would be
    last = [base_ns + end_ns for end_ns, base_ns in zip(ends, bases_ns, strict=True)]
    if max(last) - min(first) > LONGEST_NS:
        raise DamagedTrace(
            "the times of the events are more than a century apart",
            file=traces[first.index(min(first))].info.file_name,
            hint="Are these the ranks of one run?",
        )
    return min(first)
