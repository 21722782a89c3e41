"""The sample traces against figures that an independent script computed from their digits."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulation.analysis.inspect import inspect_run
from simulation.events import EventTable, Kind
from simulation.formats import read_trace
from simulation.run import Run

FILES = [
    "deepseek/train",
    *(f"hta/{name}" for name in ("alexnet", "control", "cuda_event_sync", "cuda_event_sync_multi_stream", "nccl_data",
                                 "ns_resolution", "sampled_rank-0", "sampled_rank-1", "simple_add", "test")),
    *(f"torch_cpu/ddp_2layer/kineto_rank{rank}" for rank in (0, 1)),
    *(f"tracelens/{gpu}/{model}" for gpu in ("h100", "mi300") for model in ("bert-small", "falconsai-nsfw",
                                                                             "qwen1.5-0.5b")),
]  # fmt: skip
OLD_CATEGORIES = {"async_cpu_to_gpu": "ac2g"}


@pytest.fixture(scope="session")
def expected(samples: Path) -> dict[str, Any]:
    return json.loads((samples / "expected.json").read_text())


@pytest.mark.parametrize("name", FILES)
def test_it_agrees_with_the_digits_of_the_file(samples: Path, expected: dict[str, Any], name: str) -> None:
    assert figures(read_trace(samples / f"{name}.json.gz")) == wanted(expected[f"{name}.json.gz"])


def test_it_agrees_on_all_ranks_of_an_archive(samples: Path, expected: dict[str, Any], tmp_path: Path) -> None:
    found = 0
    with tarfile.open(samples / "param/dlrm_kineto.tar.gz") as tar:
        for member in tar:
            source, key = tar.extractfile(member), f"param/dlrm_kineto.tar.gz!{Path(member.name).name}"
            if source is None:
                continue
            (tmp_path / "rank.json").write_bytes(source.read())
            assert figures(read_trace(tmp_path / "rank.json")) == wanted(expected[key])
            found += 1
    assert found == 8


def figures(table: EventTable) -> dict[str, Any]:
    """What expected.json tells about a file, from the table and from `inspect`."""
    told = inspect_run(Run.of([table]))
    rows = np.bincount(table.category, minlength=len(table.categories))
    per_category = {word: int(count) for word, count in zip(table.categories, rows, strict=True)}
    flows = table.sides["flows"]["category"]
    for code, count in zip(*np.unique(flows.codes, return_counts=True), strict=True):
        per_category[flows.words[code]] = per_category.get(flows.words[code], 0) + int(count)
    per_category.pop("", None)  # most are names of processes, which are no rows
    return {
        "events": told["events"],
        "slices": int(np.count_nonzero(table.kind == Kind.SLICE)),
        "categories": per_category,
        "device_events": told["gpu"][0]["events"],
        "device_events_without_launch": table.quality.count("unlinked_device_events"),
        "gpu_busy_ns": told["gpu"][0]["busy_ns"],
        "gpu_span_ns": told["gpu"][0]["span_ns"],
        "steps": {step["name"]: step["dur_ns"] for step in told["steps"]},
        "rank": told["ranks"][0]["rank"],
        "world_size": told["ranks"][0]["world_size"],
    }


def wanted(expected: dict[str, Any]) -> dict[str, Any]:
    categories = {OLD_CATEGORIES.get(word, word): count for word, count in expected["categories"].items() if word}
    return {**expected, "categories": categories}
