"""`python -m tests.accuracy [FOLDER]`: assess every sample, and write the tables of docs/accuracy.md."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from simulation.run import read_run
from simulation.trust import assess
from simulation.trust.table import tables

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "accuracy.md"
PLACE = re.compile(r"(<!-- figures:[^>]*-->\n).*?(<!-- end of figures -->)", re.DOTALL)

RUNS = {
    "hta/nccl_data": "hta/nccl_data.json.gz",
    "hta/ns_resolution": "hta/ns_resolution.json.gz",
    "hta/control": "hta/control.json.gz",
    "hta/test": "hta/test.json.gz",
    "hta/alexnet": "hta/alexnet.json.gz",
    "hta/simple_add": "hta/simple_add.json.gz",
    "hta/cuda_event_sync": "hta/cuda_event_sync.json.gz",
    "hta/cuda_event_sync_multi_stream": "hta/cuda_event_sync_multi_stream.json.gz",
    "hta/sampled_rank-0": "hta/sampled_rank-0.json.gz",
    "hta/sampled_rank-1": "hta/sampled_rank-1.json.gz",
    "deepseek/train": "deepseek/train.json.gz",
    "tracelens/h100/bert-small": "tracelens/h100/bert-small.json.gz",
    "tracelens/h100/falconsai-nsfw": "tracelens/h100/falconsai-nsfw.json.gz",
    "tracelens/h100/qwen1.5-0.5b": "tracelens/h100/qwen1.5-0.5b.json.gz",
    "tracelens/mi300/bert-small": "tracelens/mi300/bert-small.json.gz",
    "tracelens/mi300/falconsai-nsfw": "tracelens/mi300/falconsai-nsfw.json.gz",
    "tracelens/mi300/qwen1.5-0.5b": "tracelens/mi300/qwen1.5-0.5b.json.gz",
    "param/dlrm_kineto (8 ranks)": "param/dlrm_kineto.tar.gz",
    "torch_cpu/ddp_2layer (2 ranks)": "torch_cpu/ddp_2layer/kineto_*",
}
"""The runs of the samples, and the files of each."""


def assessed(samples: Path) -> dict[str, dict[str, Any]]:
    """The figures of every run."""
    found = {}
    for name, pattern in RUNS.items():
        print(name, file=sys.stderr)
        found[name] = assess(read_run(sorted(samples.glob(pattern))))
    return found


def write(text: str) -> None:
    """Put the tables where the page has its figures."""
    page = PAGE.read_text()
    assert PLACE.search(page), f"{PAGE.name} has no place for the figures"
    PAGE.write_text(PLACE.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page))


if __name__ == "__main__":
    default = os.environ.get("TRACEVIEWER_SAMPLES", ROOT.parent / "shared" / "samples")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    if not folder.is_dir():
        sys.exit(f"no samples at {folder}: name their folder, or set TRACEVIEWER_SAMPLES")
    write(tables(assessed(folder)))
