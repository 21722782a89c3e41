"""docs/formats.md says what the reader does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulation.events import COLUMNS, FORMAT_VERSION, SIDE_TABLES
from simulation.formats import archive
from simulation.formats.content import LIMITS
from simulation.formats.details import MADE_OF
from simulation.formats.scan import MAX_DEPTH
from simulation.formats.spelling import CATEGORIES, FLOW_CATEGORIES
from simulation.quality import MESSAGES
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "formats.md").read_text()


@pytest.mark.parametrize("code", MESSAGES)
def test_it_explains_every_quality_code(code: str) -> None:
    assert re.search(rf"^\| `{code}` \| .{{20,}} \|$", TEXT, re.MULTILINE)


def test_it_explains_no_code_that_is_gone() -> None:
    section = TEXT.split("## The quality report")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == set(MESSAGES)


@pytest.mark.parametrize("name", [*COLUMNS, *SIDE_TABLES, *CATEGORIES, *FLOW_CATEGORIES])
def test_it_names_columns_tables_and_old_spellings(name: str) -> None:
    assert re.search(rf"`[^`\n]*\b{re.escape(name)}\b[^`\n]*`", TEXT)


def test_it_gives_the_limits_and_the_version() -> None:
    assert f"| {LIMITS.size_bytes >> 30} GiB |" in TEXT
    assert f"| {LIMITS.ratio}, past {LIMITS.ratio_from_bytes >> 20} MiB |" in TEXT
    assert f"| {MAX_DEPTH} levels |" in TEXT
    archives = archive.LIMITS
    assert f"| {archives.members:,}, also of folders |" in TEXT
    assert f"| {archives.size_bytes >> 30} GiB |" in TEXT.split("limit of one run's archives")[1]
    assert f"of each | {archives.ratio}, past {archives.ratio_from_bytes >> 20} MiB |" in TEXT
    assert f"| {FORMAT_VERSION} | " in TEXT


def test_it_makes_the_side_tables_that_the_store_has() -> None:
    for table, columns in MADE_OF.items():
        assert ["row", *columns] == list(SIDE_TABLES[table])


def test_it_names_the_modules_that_are_there() -> None:
    for path in re.findall(r"`(simulation/[\w/]+\.py)`", TEXT):
        assert Path(ROOT / path).is_file()
