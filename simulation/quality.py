"""The quality report: everything the reader repaired, could not place, or does not trust, counted.

A code is stable (API, tests and `docs/formats.md` name it); its message goes on from the count, `[one|several]`
chosen by it, and says what the finding means for the figures. An event is never dropped, clipped or moved without
a count here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MESSAGES: dict[str, str] = {
    "unlinked_device_events": "device event[|s] [has|have] no launch call in the file; counted as work, in no step",
    "overlapping_slices": "slice[|s] overlap[s|] only in part; each is drawn in a lane of its own, with its true times",
    "child_outlasts_parent": "slice[|s] end[s|] after the one around [it|them]; nesting is by start, times stay",
    "unplaced_events": "event[|s] [has|have] no usable time; kept beside the timeline, in no figure",
    "negative_durations": "slice[|s] [has|have] a negative duration; kept beside the timeline, in no figure",
    "zero_durations": "slice[|s] last[s|] 0 ns",
    "unfinished_slices": "slice[|s] begin[s|] and never end[s|]; drawn to the thread's last time, which may be wrong",
    "lone_ends": "slice[|s] that never began [ends|end]; the begin lies before the recording, in no figure",
    "outside_dense_range": "event[|s] [lies|lie] far from all others; not in the first view, but in spans",
    "sub_nanosecond_times": "time[|s] [has|have] more digits than a nanosecond; rounded to the nearest",
    "text_numbers": "number[|s] [is|are] written as text; read as [a number|numbers]",
    "dangling_flows": "flow arrow[|s] [has|have] one end only; not drawn",
    "duplicate_correlations": "launch call[|s] share[s|] an earlier one's correlation id; work links to the first",
    "duplicate_external_ids": "operator[|s] share[s|] an earlier one's External id; nothing is linked by these ids",
    "launch_after_start": "device event[|s] start[s|] before [its|their] launch call; host and device clocks differ",
    "unknown_phases": "event[|s] [has|have] a phase that a timeline cannot show; kept beside it",
    "invalid_utf8": "name[|s] hold[s|] bytes that are not UTF-8; shown with a replacement character",
    "control_characters": "name[|s] hold[s|] raw control characters, which JSON forbids; kept",
    "rank_from_name": "file[|s] [does|do] not say [its|their] rank in the content; it is taken from the name",
    "rank_unknown": "file[|s] say[s|] [its|their] rank neither in the content nor in the name",
    "rank_repeated": "file[|s] claim[s|] a rank that an earlier file has; each is kept under the next free number",
    "ranks_missing": "rank[|s] of the job [has|have] no file in this run",
    "clocks_differ": "rank[|s] [has|have] a clock that is off; compare times across ranks on aligned clocks",
    "clocks_unknown": "rank[|s] share[s|] no collective with the others; how far clocks are off is not known",
    "files_skipped": "file[|s] of the archive or folder [is no trace|are no traces]; left out",
    "members_replaced": "file[|s] in archives [is|are] left out; other files of the run have taken [its|their] place",
    "no_steps": "trace[|s] [has|have] neither ProfilerStep marks nor a repeated annotation; figures are of all of it",
    "steps_from_annotation": "step[|s] [is|are] of an annotation that repeats; there are no ProfilerStep marks",
    "unreadable_samples": "counter value[|s] [is no number|are no numbers]; the series has a gap there",
    "placed_by_replay": "node[|s] [has|have] no recorded times; placed as early as the dependencies allow",
    "truncated": "file[|s] end[s|] early; the run holds what could be read",
    "damaged_packing": "file[|s] [is|are] damaged or cut off as gzip or zstd; the run holds what could be unpacked",
    "damaged_entries": "place[|s] of the event list [is|are] not valid JSON; each is left out up to the next event",
    "damaged_metadata": "part[|s] of the metadata [is|are] not valid JSON; left out",
    "unclosed_list": "event list[|s] [is|are] not closed, as Chrome's format allows",
    "unknown_durations": "node[|s] [does|do] not say how long [it|they] took; each is drawn 1 us long",
    "repeated_nodes": "node[|s] [has|have] an id that an earlier node has; dependencies mean the first",
    "empty_nodes": "node[|s] hold[s|] nothing at all; kept with id 0",
    "dangling_dependencies": "dependenc[y names|ies name] a node that is not in the file; left out",
    "dependency_cycles": "dependenc[y closes|ies close] a cycle; left out when nodes were placed",
    "node_types_unclear": "node type[|s] can be read in two ways, which differ by one; the newer is taken",
    "unpaired_nodes": "operation[|s] of the execution trace [is|are] not among those of the profiler's trace",
    "secrets_masked": "value[|s] look[s|] like [a secret|secrets]; masked, only the original file holds [it|them]",
    "collectives_missing": "collective[|s] [is|are] not in the traces of all ranks that are here; durations are kept",
    "collectives_differ": "collective[|s] differ[s|] in kind or size between ranks; durations are kept, waits included",
    "collectives_apart": "time[|s] a rank left a collective before others came: they have not met; durations are kept",
    "impossible_edges": "dependenc[y contradicts|ies contradict] the recorded order; left out of the replay",
}


ALTERNATIVES = re.compile(r"\[([^|\]]*)\|([^|\]]*)\]")

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
        count, named = self._counts[code], self._which[code]
        text = counted(MESSAGES[code], count)
        more = ", ..." if len(named) == SHOWN and count > SHOWN else ""
        return f"{text}: {', '.join(named)}{more}" if named else text


def counted(message: str, count: int) -> str:
    """`slice[|s] last[s|] 0 ns` -> `slice lasts 0 ns` for 1, `slices last 0 ns` for any other count."""
    return ALTERNATIVES.sub(r"\1" if count == 1 else r"\2", message)
