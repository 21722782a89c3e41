"""Figures of accelerators and their links: peak rates as published, alpha and bus bandwidth as measured by others.

Peak rates are dense bf16, from the makers' data sheets. H100 links: fitted to the tables of microsoft/apex_plus
(profile/comm, 4 GPUs); A100 all-reduce: peak of microsoft/vidur's tables (A100 DGX, 4 GPUs, 64 MiB). H200 and B200
links are the H100's, scaled by NVLink bandwidth. Networks: a 400 Gb/s port per GPU (A100: 200), 80 % of it achieved.
"""

from __future__ import annotations

from dataclasses import dataclass, field

POSITIVE = {"least": 1e-3, "most": 1e9}


@dataclass(frozen=True)
class Link:
    """What a transfer costs: alpha + bytes on the bus / bandwidth. A bandwidth of 0 makes it free."""

    alpha_us: float = field(default=10.0, metadata={"least": 0.0, "most": 1e6})
    gb_per_s: float = field(default=100.0, metadata={"least": 0.0, "most": 1e6})


@dataclass(frozen=True)
class Device:
    """One accelerator, and what ties it to others."""

    name: str = "NVIDIA H100 80GB HBM3"
    tflops: float = field(default=989.0, metadata=POSITIVE)  # dense bf16
    memory_gb_per_s: float = field(default=3350.0, metadata=POSITIVE)
    gemm_efficiency: float = field(default=0.7, metadata={"least": 0.01, "most": 1.0})  # share of peak achieved
    memory_efficiency: float = field(default=0.85, metadata={"least": 0.01, "most": 1.0})
    overhead_us: float = field(default=2.0, metadata={"least": 0.0, "most": 1e4})  # of any kernel
    sms: int = field(default=132, metadata={"least": 1, "most": 10_000})
    memory_bytes: int = field(default=85_018_279_936, metadata={"least": 1, "most": 2**50})
    capability: int = field(default=90, metadata={"least": 10, "most": 990})  # 90: compute capability 9.0
    per_node: int = field(default=8, metadata={"least": 1, "most": 1024})
    all_reduce: Link = Link(12.0, 342.0)
    send_recv: Link = Link(7.6, 364.0)
    network: Link = Link(30.0, 40.0)  # per GPU, where a group spans nodes


DEVICES: dict[str, Device] = {
    "A100": Device(
        "NVIDIA A100-SXM4-80GB", 312.0, 2039.0, sms=108, capability=80,
        all_reduce=Link(14.0, 167.0), send_recv=Link(9.0, 200.0), network=Link(30.0, 20.0),
    ),
    "H100": Device(),
    "H200": Device("NVIDIA H200", 989.0, 4800.0, memory_bytes=150_754_820_096),
    "B200": Device(
        "NVIDIA B200", 2250.0, 8000.0, sms=148, memory_bytes=191_514_542_080, capability=100,
        all_reduce=Link(12.0, 684.0), send_recv=Link(7.6, 728.0),
    ),
}  # fmt: skip
