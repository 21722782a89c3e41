"""Which rank each file of a run is: by its content, else by its name.

The rule for names, the first that fits: the number after `rank` or `worker`; after a lone `r`, as in `_r7.`; before
`.et`, as in `chakra.0.et`; each looked for in the file's name, then in the folders above it, nearest first. Where
that says nothing, and the names of all such files differ in one number alone, it is that number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from simulation.events import TraceInfo
from simulation.quality import QualityReport

_NUMBER = r"(\d{1,6})(?!\d)"
RULES = tuple(
    re.compile(rule, re.IGNORECASE)
    for rule in (
        rf"(?<![a-z])rank[-_. ]?{_NUMBER}",
        rf"(?<![a-z])worker[-_. ]?{_NUMBER}",
        rf"[-_.]r[-_]?{_NUMBER}(?=\.|$)",
        rf"\.{_NUMBER}\.et$",
    )
)
_DIGITS = re.compile(r"\d+")
_MOST_DIGITS = 6


def claims(infos: Sequence[TraceInfo]) -> list[int | None]:
    """The rank that each file claims, by content or by name; None where neither says."""
    found = [from_name(info.file_name) if info.rank is None else info.rank for info in infos]
    open_ = [at for at, rank in enumerate(found) if rank is None]
    for at, rank in zip(open_, _where_they_differ([infos[at].file_name for at in open_]), strict=False):
        found[at] = rank
    return found


def place(infos: Sequence[TraceInfo], quality: QualityReport) -> list[int | None]:
    """The rank of each file: what it claims, or the next free number where that is taken. Content goes before names."""
    claimed = claims(infos)
    placed: list[int | None] = [None] * len(infos)
    taken: set[int] = set()
    for at in sorted(range(len(infos)), key=lambda at: infos[at].rank is None):
        rank = claimed[at]
        if rank is None:
            continue
        if rank in taken:
            quality.add("rank_repeated", 1, [f"rank {rank} of {infos[at].file_name}"])
            rank = next(free for free in range(2 * len(infos)) if free not in taken and free not in claimed)
        taken.add(rank)
        placed[at] = rank
    by_name = [info.file_name for info, rank in zip(infos, claimed, strict=True) if info.rank is None is not rank]
    unknown = [info.file_name for info, rank in zip(infos, placed, strict=True) if rank is None]
    quality.add("rank_from_name", len(by_name), by_name)
    quality.add("rank_unknown", len(unknown), unknown)
    _count_missing(infos, taken, len(unknown), quality)
    return placed


def in_order(info: TraceInfo) -> tuple[list[str | int], str]:
    """Files by name, numbers in it by value, then by content: the same whatever order they were given in."""
    words = re.split(r"(\d+)", info.file_name)
    return [int(word) if word.isdecimal() else word for word in words], info.source_sha256


def from_name(name: str) -> int | None:
    """The rank that a file's name, or the folders before it, tell by one of RULES."""
    for part in reversed(name.split("/")):
        for rule in RULES:
            if said := rule.search(part):
                return int(said[1])
    return None


def _where_they_differ(names: Sequence[str]) -> list[int]:
    """The number in which the names differ, of each; nothing where that is not one, or the same in two."""
    if len({_DIGITS.sub("#", name) for name in names}) != 1:
        return []
    columns = list(zip(*(_DIGITS.findall(name) for name in names), strict=True))
    differing = [column for column in columns if len(set(column)) > 1]
    if len(differing) != 1 or max(map(len, differing[0])) > _MOST_DIGITS:
        return []
    numbers = [int(word) for word in differing[0]]
    return numbers if len(set(numbers)) == len(names) else []


def _count_missing(infos: Sequence[TraceInfo], taken: set[int], unknown: int, quality: QualityReport) -> None:
    """Ranks of the job without a file; files of unknown rank may be any of them."""
    size = max([info.world_size or 0 for info in infos] + [rank + 1 for rank in taken], default=0)
    missing = size - len([rank for rank in taken if rank < size]) - unknown
    if missing > 0:
        quality.add("ranks_missing", missing, [] if unknown else _ranges(sorted(taken), size))


def _ranges(taken: Sequence[int], size: int) -> Iterator[str]:
    """The gaps between ascending numbers below `size`: [0, 2], 6 -> "1", "3-5"."""
    for before, after in zip([-1, *taken], [*taken, size], strict=True):
        if after - before == 2:
            yield str(before + 1)
        elif after - before > 2:
            yield f"{before + 1}-{after - 1}"
