"""What is trained, on what, and how it is disturbed: every number that a generated run depends on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

import numpy as np

from simulation.errors import TraceError
from simulation.workload.devices import DEVICES, Device

ELEMENT_BYTES = 2
"""Of activations, weights and gradients: bf16."""

MOST_RANKS = 65_536


def count(default: int, most: int = 2**20, least: int = 1) -> Any:
    return field(default=default, metadata={"least": least, "most": most})


def amount(default: float, most: float, least: float = 0.0) -> Any:
    return field(default=default, metadata={"least": least, "most": most})


@dataclass(frozen=True)
class Host:
    """What the host's work costs, in microseconds."""

    op_us: float = amount(1.5, 1e6)  # from the begin of an operator to its first call or operator
    gap_us: float = amount(4.0, 1e6)  # Python between two modules
    launch_us: float = amount(4.0, 1e6)  # a call that enqueues device work
    call_us: float = amount(0.8, 1e6)  # an event record, a wait between streams
    sync_us: float = amount(3.0, 1e6)  # a blocking call, after what it waited for
    latency_us: float = amount(6.0, 1e6)  # from the begin of a launch to the begin of its work on an idle stream
    stream_gap_us: float = amount(0.8, 1e6)  # between two pieces of work of one stream
    loader_us: float = amount(150.0, 1e9)  # the data loader, per step


@dataclass(frozen=True)
class Workload:
    """A training run of a GPT-like transformer. Sizes are per job, not per rank, but for the micro-batch."""

    layers: int = count(8, 4096)
    hidden: int = count(4096)
    heads: int = count(32, 4096)
    sequence: int = count(2048)
    vocabulary: int = count(50_304, 2**24)
    micro_batch: int = count(1, 65_536)  # sequences of a micro-batch, on one data-parallel replica
    micro_batches: int = count(4, 65_536)  # per step and replica
    dp: int = count(2, MOST_RANKS)
    tp: int = count(2, MOST_RANKS)
    pp: int = count(2, MOST_RANKS)
    steps: int = count(3, 10_000_000)
    bucket_mib: float = amount(25.0, 1e6, 0.001)  # gradients that one data-parallel all-reduce takes at least
    jitter: float = amount(0.03, 2.0)  # sigma of the log-normal factor on every duration; 0: none
    parting_us: float = amount(0.0, 1e6)  # ranks leave a collective this much apart: sigma of a half-normal delay
    skew_us: float = amount(0.0, 1e9)  # each rank's clock is off by up to this much, either way
    straggler: int | None = field(default=None, metadata={"least": 0, "most": MOST_RANKS})  # rank
    straggler_factor: float = amount(1.3, 1000.0, 0.001)  # on the straggler's kernels
    seed: int = count(0, 2**62, 0)
    sync_events: bool = False  # record `cuda_sync` events: who waits for what, as the profiler does if asked to
    device: Device = DEVICES["H100"]
    host: Host = Host()

    def __post_init__(self) -> None:
        _check(self, "workload")
        for key, parts, of in (
            ("hidden", "heads", "an equal share for each head"),
            ("heads", "tp", "an equal number on each tensor-parallel rank"),
            ("vocabulary", "tp", "an equal number on each tensor-parallel rank"),
            ("layers", "pp", "an equal number in each pipeline stage"),
        ):
            if getattr(self, key) % getattr(self, parts):
                raise _wrong(key, f"is {getattr(self, key)}, not a multiple of {parts} = {getattr(self, parts)}", of)
        if self.ranks > MOST_RANKS:
            raise _wrong("dp", f"makes {self.ranks:,} ranks with tp and pp; at most {MOST_RANKS:,}")
        if self.straggler is not None and self.straggler >= self.ranks:
            raise _wrong("straggler", f"is {self.straggler}; the ranks are 0 to {self.ranks - 1}")

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Workload:
        """From a JSON-like document; `device` may be a known name. Raises TraceError with the path of a wrong key."""
        built = _built(cls, document, "workload")
        assert isinstance(built, cls)
        return built

    def document(self) -> dict[str, Any]:
        """What `of` takes; every figure in it."""
        return dataclasses.asdict(self)

    @property
    def ranks(self) -> int:
        return self.dp * self.tp * self.pp

    @property
    def stage_layers(self) -> int:
        return self.layers // self.pp

    @property
    def tokens(self) -> int:
        """Of a micro-batch."""
        return self.micro_batch * self.sequence

    def clock_skew_ns(self) -> np.ndarray:
        """By how much each rank's clock is ahead: i64 per rank. The truth that clock estimation has to find."""
        rng = np.random.default_rng([self.seed, 1])
        return np.rint(rng.uniform(-1, 1, self.ranks) * self.skew_us * 1000).astype(np.int64)


def _built(cls: type[Any], document: Any, path: str) -> Any:
    """A dataclass from a mapping, every key and value checked."""
    if cls is Device and isinstance(document, str):
        document = {"name": document}
    if not isinstance(document, Mapping):
        raise TraceError(f"{path} is {str(document)[:40]!r}, not an object")
    types, base = get_type_hints(cls), _base(cls, document, path)
    unknown = sorted(str(key) for key in document if key not in types)
    if unknown:
        raise TraceError(f"{path}.{unknown[0][:40]} is not known", hint=f"Known: {', '.join(types)}.")
    nested = {key: types[key] for key in document if dataclasses.is_dataclass(types[key])}
    values = {key: _built(nested[key], document[key], f"{path}.{key}") for key in nested}
    plain = {key: value for key, value in document.items() if key not in nested}
    if cls is Device and document.get("name") in DEVICES:
        del plain["name"]
    built = dataclasses.replace(base, **values, **plain)
    _check(built, path)
    return built


def _base(cls: type[Any], document: Mapping[str, Any], path: str) -> Any:
    """The defaults that the document changes: of a device, those of the one that it names."""
    if cls is not Device:
        return cls()
    name = document.get("name", "H100")
    if name in DEVICES:
        return DEVICES[name]
    if not {"tflops", "memory_gb_per_s"} <= set(document):
        raise TraceError(
            f"{path}.name is {str(name)[:40]!r}, which is not known",
            hint=f"Known: {', '.join(DEVICES)}; others need tflops and memory_gb_per_s.",
        )
    return Device()


def _check(value: Any, path: str) -> None:
    """Types and ranges of a dataclass' own fields."""
    types = get_type_hints(type(value))
    for each in dataclasses.fields(value):
        given, wanted = getattr(value, each.name), types[each.name]
        if dataclasses.is_dataclass(wanted):
            if type(given) is not wanted:
                raise TraceError(f"{path}.{each.name} is {str(given)[:40]!r}, not an object")
            continue
        if wanted is bool:
            fits = type(given) is bool
        elif wanted is str:
            fits = isinstance(given, str) and 0 < len(given) <= 200
        elif given is None:
            fits = wanted == int | None
        else:
            whole = type(given) is int
            right = whole or (wanted is float and type(given) is float)
            fits = right and each.metadata["least"] <= given <= each.metadata["most"]
        if not fits:
            limits = f" from {each.metadata['least']:g} to {each.metadata['most']:,}" if each.metadata else ""
            kind = {str: "a name", float: "a number", bool: "true or false"}.get(wanted, "a whole number")
            raise TraceError(f"{path}.{each.name} is {str(given)[:40]!r}, not {kind}{limits}")


def _wrong(key: str, what: str, hint: str | None = None) -> TraceError:
    return TraceError(f"workload.{key} {what}", hint=f"It takes {hint}." if hint else None)
