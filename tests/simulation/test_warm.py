"""Warming compiles what real traces need."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from simulation import warm
from simulation.workload import Workload, write_kineto, write_run

def signatures():
    modules = [module for name, module in sys.modules.items() if name.startswith("simulation")]
    kernels = [value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)]
    return {(kernel.py_func.__qualname__, str(types)) for kernel in kernels for types in kernel.signatures}

warm.warm()
warmed = signatures()
assert len(warmed) > 20
if sys.argv[2:]:
    warm.go_through([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]))
else:
    write_kineto(Workload(), Path(sys.argv[1], "files"))
    write_run(Workload(), Path(sys.argv[1], "run"))
for name, types in sorted(signatures() - warmed):
    print(name, types)
"""


def compiled_after_warming(files: list[Path], home: Path) -> str:
    """Kernels that a fresh process compiles for these files, or to generate some, although it has warmed up."""
    command = [sys.executable, "-c", SCRIPT, str(home), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_compiles_all_that_a_host_trace_needs(demo_files: list[Path], tmp_path: Path) -> None:
    assert compiled_after_warming(demo_files, tmp_path) == ""


@pytest.mark.parametrize("name", ["nccl_data", "cuda_event_sync"])
def test_it_compiles_all_that_a_device_trace_needs(name: str, samples: Path, tmp_path: Path) -> None:
    assert compiled_after_warming([samples / "hta" / f"{name}.json.gz"], tmp_path) == ""


@pytest.mark.parametrize(
    "name", ["torch_cpu/ddp_2layer/et_rank0.json.gz", "chakra/chakra.0.et", "chakra/chakra.0.json"]
)
def test_it_compiles_all_that_a_graph_needs(name: str, samples: Path, tmp_path: Path) -> None:
    assert compiled_after_warming([samples / name], tmp_path) == ""


def test_it_compiles_all_that_generating_needs(tmp_path: Path) -> None:
    assert compiled_after_warming([], tmp_path) == ""
