"""Training steps of a transformer, made up: as Kineto files, or straight as tables. Definitions: docs/workload.md."""

from simulation.workload.devices import DEVICES, Device, Link
from simulation.workload.generate import generated_run, recordings, tables, write_kineto
from simulation.workload.spec import Host, Workload

__all__ = [
    "DEVICES",
    "Device",
    "Host",
    "Link",
    "Workload",
    "generated_run",
    "recordings",
    "tables",
    "write_kineto",
]
