"""The quality report: everything the reader repaired, could not place, or does not trust, counted.

A code is stable (API, tests and `docs/formats.md` name it); its message says what the finding means for
the figures. An event is never dropped, clipped or moved without a count here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MESSAGES: dict[str, str] = {
    "unlinked_device_events": "device events have no launch call in the file; they count as work, in no step",
    "overlapping_slices": "slices overlap only in part; each is drawn in a lane of its own, with its true times",
    "child_outlasts_parent": "slices end after the slice they started in; nesting is by start, times are as recorded",
    "unplaced_events": "events have no usable time; they are kept beside the timeline and enter no figure",
    "negative_durations": "slices have a negative duration; kept as recorded beside the timeline, in no figure",
    "zero_durations": "slices last 0 ns",
    "unfinished_slices": "slices begin and never end; drawn to the last time of their thread, which may be wrong",
    "lone_ends": "slices end that never began; their begin lies before the recording, and they enter no figure",
    "outside_dense_range": "events lie far from all others; the first view leaves them out, and spans reach to them",
    "sub_nanosecond_times": "times have more digits than a nanosecond; the rest is rounded to the nearest nanosecond",
    "text_numbers": "numbers are written as text; read as numbers",
    "dangling_flows": "flow arrows have one end only; not drawn",
    "duplicate_correlations": "launch calls share an earlier call's correlation id; device events link to the first",
    "duplicate_external_ids": "operators share an earlier one's External id; nothing is linked by these ids",
    "launch_after_start": "device events start before their launch call: the host and device clocks differ",
    "unknown_phases": "events have a phase that a timeline cannot show; kept beside it",
    "invalid_utf8": "names hold bytes that are not UTF-8; shown with a replacement character",
    "control_characters": "names hold raw control characters, which JSON forbids; kept",
    "rank_from_name": "files do not say their rank in their content; it is taken from their names",
    "rank_unknown": "files say their rank neither in their content nor in their name",
    "rank_repeated": "files claim a rank that an earlier file has; each is kept under the next free number",
    "ranks_missing": "ranks of the job have no file in this run",
    "clocks_differ": "ranks have a clock that is off; compare times across ranks on aligned clocks",
    "clocks_unknown": "ranks share no collective with the others; how far their clocks are off is not known",
    "files_skipped": "files of the archive or folder are no traces and were left out",
    "members_replaced": "files in archives are left out: other files of the run have taken their place",
    "no_steps": "no ProfilerStep marks and no annotation that repeats: figures are for the whole trace, not per step",
    "steps_from_annotation": "steps are those of an annotation that repeats, as there are no ProfilerStep marks",
    "unreadable_samples": "counter values are no numbers; their series have a gap there",
    "placed_by_replay": "nodes have no recorded times; placed as early as their dependencies allow",
    "truncated": "files end early; the run holds what could be read",
    "damaged_packing": "files are damaged or cut off as gzip or zstd; the run holds what could be unpacked",
    "damaged_entries": "places of the event list are not valid JSON; each is left out up to the next event",
    "damaged_metadata": "metadata of the file is not valid JSON; left out",
    "unclosed_list": "event lists are not closed, as Chrome's format allows",
    "unknown_durations": "nodes do not say how long they took; each is drawn 1 us long",
    "repeated_nodes": "nodes have an id that an earlier node has; dependencies mean the first",
    "empty_nodes": "nodes hold nothing at all; kept as nodes with id 0",
    "dangling_dependencies": "dependencies name a node that is not in the file; left out",
    "dependency_cycles": "dependencies close a cycle; left out when nodes were placed",
    "node_types_unclear": "node types can be read in two ways, which differ by one; the newer is taken",
    "unpaired_nodes": "operations of the execution trace are not among those of the profiler's trace",
    "secrets_masked": "values look like secrets and are masked; only the original file holds them",
    "collectives_missing": "collectives are not in the traces of all ranks that are here; their durations are kept",
    "collectives_differ": "collectives differ in kind or size between ranks; their durations are kept, waits included",
    "collectives_apart": "ranks left collectives before others came, who so cannot have met; their durations are kept",
    "impossible_edges": "dependencies contradict the recorded order and were left out of the replay",
}


SHOWN = 16
"""Things that a line names; the count says how many there are."""
NAME_CHARS = 80


@dataclass(frozen=True)
class Finding:
    """One line of the report: how many events, files or ranks a code touched."""

    code: str
    count: int
    message: str


class QualityReport:
    """Counts by code, in the order in which they were first found, and by name which things were touched."""

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        self._counts: dict[str, int] = {}
        self._which: dict[str, list[str]] = {}
        for code, entry in (stored or {}).items():
            count, *which = entry if isinstance(entry, list) else [entry]
            self.add(code, count, which)

    def add(self, code: str, count: int = 1, which: Iterable[str] = ()) -> None:
        """Count `count` more under `code`, and name them if that helps; a count of 0 leaves no line."""
        if code not in MESSAGES:
            raise KeyError(f"quality code {code!r} has no message in simulation/quality.py")
        if count:
            self._counts[code] = self._counts.get(code, 0) + int(count)
            self._which.setdefault(code, []).extend(word[:NAME_CHARS] for word in which)
            del self._which[code][SHOWN:]

    def count(self, code: str) -> int:
        return self._counts.get(code, 0)

    def which(self, code: str) -> list[str]:
        """What was named under the code: the first SHOWN of it."""
        return list(self._which.get(code, ()))

    def __iter__(self) -> Iterator[Finding]:
        return (Finding(code, count, self._message(code)) for code, count in self._counts.items())

    def __len__(self) -> int:
        return len(self._counts)

    def counts(self) -> dict[str, int]:
        """Counts by code, a copy."""
        return dict(self._counts)

    def stored(self) -> dict[str, Any]:
        """As it is stored: by code the count, or a list of the count and what was named."""
        return {
            code: [count, *named] if (named := self._which[code]) else count for code, count in self._counts.items()
        }

    @classmethod
    def merged(cls, reports: Iterable[QualityReport]) -> QualityReport:
        """The report of a run from those of its traces."""
        total = cls()
        for report in reports:
            for code, count in report._counts.items():
                total.add(code, count, report._which[code])
        return total

    def _message(self, code: str) -> str:
        named = self._which[code]
        more = ", ..." if len(named) == SHOWN and self._counts[code] > SHOWN else ""
        return f"{MESSAGES[code]}: {', '.join(named)}{more}" if named else MESSAGES[code]
