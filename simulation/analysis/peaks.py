"""Peak rates of devices that traces name, for rooflines: dense, without sparsity, from the makers' data sheets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from simulation.events import EventTable


@dataclass(frozen=True)
class Peak:
    """TFLOP/s of matrix units by width of the operands, and of the rest; None where the device has no such unit."""

    name: str
    half: float  # bf16, or fp16 where there is no bf16
    eight_bit: float | None
    single: float  # fp32 operands on matrix units (TF32), else on the others
    vector: float  # fp32 outside matrix units
    memory_gb_per_s: float

    def matrix(self, width_bytes: int) -> float:
        """Of a matrix product of operands this wide."""
        if width_bytes == 1 and self.eight_bit:
            return self.eight_bit
        return self.half if width_bytes <= 2 else self.single


PEAKS = (
    (re.compile(r"V100"), Peak("V100", 125.0, None, 15.7, 15.7, 900.0)),
    (re.compile(r"A100.*80GB"), Peak("A100 80 GB", 312.0, None, 156.0, 19.5, 2039.0)),
    (re.compile(r"A100|PG509"), Peak("A100 40 GB", 312.0, None, 156.0, 19.5, 1555.0)),
    (re.compile(r"H100.*PCIe"), Peak("H100 PCIe", 756.0, 1513.0, 378.0, 51.0, 2039.0)),
    (re.compile(r"H100|H800"), Peak("H100 SXM", 989.0, 1979.0, 495.0, 67.0, 3350.0)),
    (re.compile(r"H200"), Peak("H200", 989.0, 1979.0, 495.0, 67.0, 4800.0)),
    (re.compile(r"B200"), Peak("B200", 2250.0, 4500.0, 1100.0, 80.0, 8000.0)),
    (re.compile(r"MI300X"), Peak("MI300X", 1307.0, 2615.0, 654.0, 163.0, 5300.0)),
    (re.compile(r"MI355X"), Peak("MI355X", 2500.0, 5000.0, 157.0, 157.0, 8000.0)),
)
"""The first whose pattern the device's name holds."""


def peak_of(table: EventTable) -> Peak | None:
    """Of the device that a trace uses; None where its name is not known."""
    name = str(_properties_of(table).get("name", ""))
    return next((peak for pattern, peak in PEAKS if pattern.search(name)), None)


def multiprocessors_of(table: EventTable) -> int | None:
    """Of the device that a trace uses; None where the file does not tell."""
    count = _properties_of(table).get("numSms")
    return count if isinstance(count, int) and count > 0 else None


def _properties_of(table: EventTable) -> dict[str, Any]:
    """What the file says of the device that it uses, of all that it lists, often those of the host. ROCm counts devices
    otherwise in events than in this list: where none has the number and all are alike, it is one of them."""
    listed = table.info.metadata.get("deviceProperties")
    used = next((track.device for track in table.tracks if track.kind == "stream" and track.device >= 0), 0)
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    alike = entries[:1] if len({(entry.get("name"), entry.get("numSms")) for entry in entries}) == 1 else []
    return next((entry for entry in entries if entry.get("id") == used), next(iter(alike), {}))
