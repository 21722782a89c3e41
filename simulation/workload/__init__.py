"""Training steps of a transformer, made up: as Kineto files, or straight as tables. Definitions: docs/workload.md."""

from simulation.workload.devices import DEVICES, Device, Link
from simulation.workload.generate import events_of, generated_run, of_size, recordings, tables, write_kineto, write_run
from simulation.workload.spec import Host, Workload

__all__ = [
    "DEVICES",
    "Device",
    "Host",
    "Link",
    "Workload",
    "events_of",
    "generated_run",
    "of_size",
    "recordings",
    "tables",
    "write_kineto",
    "write_run",
]
