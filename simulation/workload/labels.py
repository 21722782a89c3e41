"""What events say about themselves: the same in every step, and on every rank but for its groups."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from simulation.workload.layout import DATA, PIPELINE, TENSOR

Shape = tuple[int, ...]


class Number(Enum):
    """Numbers that differ from event to event, in the order in which `Recording.numbers` holds them."""

    START = 0  # ns
    DURATION = 1  # ns
    EXTERNAL = 2
    FUNCTION = 3
    CORRELATION = 4
    SEQUENCE = 5  # of autograd
    INDEX = 6
    MEETING = 7  # of collectives, within their group
    STEP = 8
    RECORD = 9  # correlation of the call that recorded an event


class Channel(Enum):
    """What a rank exchanges with others: kind of group, and which way."""

    TENSOR = (TENSOR, "")
    DATA = (DATA, "")
    FORWARD_IN = (PIPELINE, "from previous")
    FORWARD_OUT = (PIPELINE, "to next")
    BACKWARD_IN = (PIPELINE, "from next")
    BACKWARD_OUT = (PIPELINE, "to previous")

    @property
    def group(self) -> str:
        return self.value[0]


@dataclass(frozen=True)
class Label:
    """One kind of event. `args` are what the file says beside ids and places; lists are tuples, to be hashable."""

    category: str
    name: str
    args: tuple[tuple[str, Any], ...] = ()
    channel: Channel | None = None  # of collectives: says the group


COPIED = "Memcpy HtoD (Pinned -> Device)"
TENSOR_TYPE = "c10::BFloat16"
THREADS_PER_BLOCK, REGISTERS = 128, 32
GEMM_TILE, GEMM_THREADS, GEMM_REGISTERS, GEMM_SHARED = 128, 384, 168, 213_120
NCCL_BLOCKS, NCCL_THREADS, NCCL_REGISTERS, NCCL_SHARED = 24, 544, 96, 82_240


def operator(name: str, *shapes: Shape) -> Label:
    """A cpu_op on tensors of these shapes; an empty shape is a scalar."""
    if not shapes:
        return Label("cpu_op", name)
    types = tuple(TENSOR_TYPE if shape else "Scalar" for shape in shapes)
    args = (
        ("Concrete Inputs", ("",) * len(shapes)),
        ("Input type", types),
        ("Input Strides", tuple(_strides(shape) for shape in shapes)),
        ("Input Dims", shapes),
    )
    return Label("cpu_op", name, args)


def _strides(shape: Shape) -> Shape:
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def annotation(name: str) -> Label:
    return Label("user_annotation", name)


def call(name: str, callback: int) -> Label:
    """A call into the CUDA runtime; `callback` is CUPTI's number for it."""
    return Label("cuda_runtime", name, (("cbid", callback),))


LAUNCH = call("cudaLaunchKernel", 211)
LAUNCH_COLLECTIVE = call("cudaLaunchKernelExC", 430)
COPY = call("cudaMemcpyAsync", 41)
RECORD = call("cudaEventRecord", 135)
WAIT = call("cudaStreamWaitEvent", 147)
STREAM_SYNC = call("cudaStreamSynchronize", 131)
DEVICE_SYNC = call("cudaDeviceSynchronize", 165)


def elementwise(name: str, elements: int, sms: int) -> Label:
    """A kernel that visits each element once, four to a thread."""
    blocks = max(1, -(-elements // (4 * THREADS_PER_BLOCK)))
    return _kernel(name, (blocks, 1, 1), (THREADS_PER_BLOCK, 1, 1), REGISTERS, 0, sms)


def gemm(name: str, m: int, n: int, sms: int) -> Label:
    """A matrix product of m x n results, in square tiles."""
    grid = (-(-m // GEMM_TILE), -(-n // GEMM_TILE), 1)
    return _kernel(name, grid, (GEMM_THREADS, 1, 1), GEMM_REGISTERS, GEMM_SHARED, sms)


def _kernel(name: str, grid: Shape, block: Shape, registers: int, shared: int, sms: int) -> Label:
    blocks_per_sm = grid[0] * grid[1] * grid[2] / sms
    warps = blocks_per_sm * block[0] / 32
    args = (
        ("registers per thread", registers),
        ("shared memory", shared),
        ("blocks per SM", round(blocks_per_sm, 6)),
        ("warps per SM", round(warps, 6)),
        ("grid", grid),
        ("block", block),
        ("est. achieved occupancy %", min(100, round(100 * warps / 64))),
    )
    return Label("kernel", name, args)


def copied(size_bytes: int, duration_ns: int, name: str = COPIED) -> Label:
    rate = size_bytes / duration_ns if duration_ns else 0.0
    return Label("gpu_memcpy", name, (("bytes", size_bytes), ("memory bandwidth (GB/s)", round(rate, 6))))


def _exchanged(collective: str, elements: int) -> tuple[tuple[str, Any], ...]:
    return (
        ("Collective name", collective),
        ("In msg nelems", elements),
        ("Out msg nelems", elements),
        ("dtype", "BFloat16"),
        ("In split size", "[]"),
        ("Out split size", "[]"),
    )


def told_collective(collective: str, elements: int, channel: Channel) -> Label:
    """`record_param_comms`, by which PyTorch tells the profiler of a collective."""
    return Label("cpu_op", "record_param_comms", _exchanged(collective, elements), channel)


def collective_kernel(name: str, collective: str, elements: int, channel: Channel, sms: int) -> Label:
    plain = _kernel(name, (NCCL_BLOCKS, 1, 1), (NCCL_THREADS, 1, 1), NCCL_REGISTERS, NCCL_SHARED, sms)
    return Label("kernel", name, plain.args + _exchanged(collective, elements), channel)
