"""Every section and every key that an analysis answers has its words in docs/analysis.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulation.analysis.breakdown import MIXES, mix_name
from simulation.analysis.report import SECTIONS, analyze
from simulation.run import read_run

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"name", "trace", "row", "rank", "step", "stream", "count", "kind"} | {mix_name(mask) for mask in range(MIXES)}


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value[:20]:
            yield from keys(inner)


def test_every_section_has_its_heading() -> None:
    text = (ROOT / "docs" / "analysis.md").read_text()
    assert set(re.findall(r"^### `(\w+)`$", text, re.MULTILINE)) == set(SECTIONS)


def test_every_key_is_explained(samples: Path) -> None:
    said = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "analysis.md").read_text()))
    unsaid: set[str] = set()
    for name in ("param/dlrm_kineto.tar.gz", "tracelens/h100/bert-small.json.gz", "hta/nccl_data.json.gz"):
        figures = analyze(read_run([samples / name]))
        for section in SECTIONS:
            unsaid |= set(keys(figures[section])) - said - PLAIN
    assert not unsaid
