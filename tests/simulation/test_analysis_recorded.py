"""Texts found in raw args, in memory and in a store, whatever the order of the rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simulation.analysis import recorded
from simulation.analysis.recorded import extracted
from simulation.analysis.roofline import CONCRETE
from simulation.events import EventTable
from tests.simulation.traces import event, read

VALUES = ['["", "[1, 1]", "a\\"]b"]', "[]", '["0."]']


@pytest.mark.parametrize("chunk", [1, 2, 1000])
def test_it_finds_the_text_of_each_row(tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "CHUNK_EVENTS", chunk)
    events = [event(str(at), 10 * (5 - at), args={"x": [at]}) for at in range(6)]
    for at, value in zip((0, 2, 5), VALUES, strict=True):
        events[at]["args"] |= {"Concrete Inputs": json.loads(value), "after": ["]"]}
    table = read(tmp_path, *events)
    table.save(tmp_path / "stored")
    for held in (table, EventTable.open(tmp_path / "stored")):
        rows = np.array([row for row in range(len(held)) if held.name_of(row) in "0235"])
        found = dict(zip(map(held.name_of, rows.tolist()), extracted(held, rows, CONCRETE).to_pylist(), strict=True))
        assert found == {"0": VALUES[0], "2": VALUES[1], "3": None, "5": VALUES[2]}
        assert len(extracted(held, rows[:0], CONCRETE)) == 0
