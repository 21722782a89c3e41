"""Tables on disk: what is written is read back without a copy, and is valid for other Arrow readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simulation.errors import StoreError
from simulation.store import Strings, open_table, write_table


@pytest.mark.parametrize("codes", [[0, -1, 1], [-1], [1, 0], []])
def test_it_reads_back_words_and_absent_ones(tmp_path: Path, codes: list[int]) -> None:
    write_table(tmp_path / "t.arrow", {"word": Strings(np.array(codes, np.int32), ("p", "é"))}, {"n": 1})
    columns, meta = open_table(tmp_path / "t.arrow")
    word = columns["word"]
    assert isinstance(word, Strings)
    assert (word.codes.tolist(), word.words, meta) == (codes, ("p", "é"), {"n": 1})
    table = pa.ipc.open_file(tmp_path / "t.arrow").read_all()
    table.validate(full=True)
    assert table["word"].to_pylist() == [("p", "é")[code] if code >= 0 else None for code in codes]


def test_it_maps_columns_without_a_copy(tmp_path: Path) -> None:
    write_table(tmp_path / "t.arrow", {"x": np.arange(1000), "w": Strings(np.full(1000, -1, np.int32), ())}, {})
    before = pa.total_allocated_bytes()
    columns, _ = open_table(tmp_path / "t.arrow")
    x, w = columns["x"], columns["w"]
    assert isinstance(x, np.ndarray) and isinstance(w, Strings)
    assert pa.total_allocated_bytes() - before < 1000
    assert not x.flags.writeable and not w.codes.flags.writeable
    assert x.sum() + w.codes.sum() == 999 * 500 - 1000


def test_it_leaves_nothing_behind_when_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_table(tmp_path / "t.arrow", {"x": np.arange(3)}, {"not json": object()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"", b"ARROW1 but no more"])
def test_it_refuses_what_is_no_table(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "t.arrow").write_bytes(content)
    with pytest.raises(StoreError, match="t.arrow"):
        open_table(tmp_path / "t.arrow")
