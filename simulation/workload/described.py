"""What an entry says in the file of its rank: names, places and args, with a Number wherever entries differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulation.workload import labels
from simulation.workload.exchange import STREAM_IDS
from simulation.workload.jobs import peers
from simulation.workload.labels import Label, Number
from simulation.workload.layout import DATA, PIPELINE, TENSOR
from simulation.workload.program import AUTOGRAD, NOTHING
from simulation.workload.recording import Entry, Recording, Section
from simulation.workload.transformer import STEP_NAME

FIRST_PID = 40_000
SYNC_KINDS = {
    labels.WAIT.name: "Stream Wait Event",
    labels.STREAM_SYNC.name: "Stream Sync",
    labels.DEVICE_SYNC.name: "Context Sync",
}
LAUNCH_ARROW, BACKWARD_ARROW = "ac2g", "fwdbwd"


@dataclass(frozen=True)
class Described:
    """An entry of the file. `name` is followed by the step's number where it is a step."""

    phase: str
    category: str
    name: str
    is_step: bool
    pid: int
    tid: int
    args: dict[str, Any]
    arrow: Number | None = None  # what a flow's id is


def described(recording: Recording, entry: Entry) -> Described:
    """An entry of this rank."""
    label = recording.program.labels[entry.label]
    device = recording.place.rank % recording.spec.device.per_node
    if entry.section in (Section.WORK, Section.LAUNCHED, Section.MARK, Section.WAITED):
        pid, tid = device, _stream_id(entry.place)
    else:
        pid = host_pid(recording)
        tid = pid + entry.place
    is_step = label.name == STEP_NAME
    match entry.section:
        case Section.FORWARD | Section.BACKWARD:
            phase = "s" if entry.section == Section.FORWARD else "f"
            return Described(phase, BACKWARD_ARROW, BACKWARD_ARROW, False, pid, tid, {}, Number.SEQUENCE)
        case Section.LAUNCH | Section.LAUNCHED:
            phase = "s" if entry.section == Section.LAUNCH else "f"
            return Described(phase, LAUNCH_ARROW, LAUNCH_ARROW, False, pid, tid, {}, Number.CORRELATION)
        case Section.MARK:
            args: dict[str, Any] = {"External id": Number.EXTERNAL}
            return Described("X", "gpu_user_annotation", label.name, is_step, pid, tid, args)
        case Section.WAITED:
            kind = SYNC_KINDS[label.name]
            return Described("X", "cuda_sync", kind, False, pid, tid, _wait_args(entry, kind, device, tid))
        case Section.WORK:
            args = _work_args(recording, label, device, tid)
        case Section.CALL:
            args = {"External id": Number.EXTERNAL, **dict(label.args), "correlation": Number.CORRELATION}
        case _:
            args = _slice_args(recording, label, entry)
    return Described("X", label.category, label.name, is_step, pid, tid, args)


def host_pid(recording: Recording) -> int:
    return FIRST_PID + 100 * recording.place.rank


def _slice_args(recording: Recording, label: Label, entry: Entry) -> dict[str, Any]:
    args: dict[str, Any] = {"External id": Number.EXTERNAL, "Record function id": Number.FUNCTION}
    if entry.sequenced:
        args |= {"Sequence number": Number.SEQUENCE, "Fwd thread id": int(entry.place == AUTOGRAD)}
    return {**args, **dict(label.args), **_group(recording, label), **_rank(recording, label), "Ev Idx": Number.INDEX}


def _stream_id(stream: int) -> int:
    return NOTHING if stream == NOTHING else STREAM_IDS[stream]


def _wait_args(entry: Entry, kind: str, device: int, stream: int) -> dict[str, Any]:
    """What waits for what; each event is recorded once, and called by the correlation of that."""
    awaited = {
        "wait_on_stream": _stream_id(entry.awaited),
        "wait_on_cuda_event_record_corr_id": Number.RECORD,
        "wait_on_cuda_event_id": Number.RECORD,
    }
    return {
        "External id": Number.EXTERNAL, "cuda_sync_kind": kind, **(awaited if entry.awaited != NOTHING else {}),
        "stream": stream, "correlation": Number.CORRELATION, "device": device, "context": 1,
    }  # fmt: skip


def _work_args(recording: Recording, label: Label, device: int, stream: int) -> dict[str, Any]:
    queued = {"queued": 0} if label.category == "kernel" else {}
    return {
        "External id": Number.EXTERNAL, **queued, "device": device, "context": 1, "stream": stream,
        "correlation": Number.CORRELATION, **dict(label.args), **_group(recording, label),
    }  # fmt: skip


def _group(recording: Recording, label: Label) -> dict[str, Any]:
    """Who takes part in a collective. Peers by their rank in the job: saveNcclMeta, torch/csrc/profiler/util.cpp."""
    if label.channel is None:
        return {}
    group = recording.place.groups[label.channel.group]
    args: dict[str, Any] = {
        "Group size": len(group.ranks),
        "Process Group Name": group.name,
        "Process Group Description": group.description,
        "Process Group Ranks": str(list(group.ranks)),
    }
    if label.channel.group == PIPELINE:
        sender, receiver = peers(recording.place, label.channel)
        args |= {"Dst Rank": receiver} if sender == recording.place.rank else {"Src Rank": sender}
    return {**args, "Seq": Number.MEETING}


def _rank(recording: Recording, label: Label) -> dict[str, int]:
    """`Rank` of a told collective: one's own place in the group, of a send or receive that of the peer."""
    if label.channel is None:
        return {}
    ranks, rank = recording.place.groups[label.channel.group].ranks, recording.place.rank
    if label.channel.group == PIPELINE:
        rank = next(peer for peer in peers(recording.place, label.channel) if peer != rank)
    return {"Rank": ranks.index(rank)}


def process_groups(recording: Recording) -> list[dict[str, Any]]:
    """`pg_config` of the file: the groups that the rank is in."""
    spec, groups = recording.spec, recording.place.groups
    used = [groups[kind] for kind, size in ((TENSOR, spec.tp), (DATA, spec.dp), (PIPELINE, spec.pp)) if size > 1]
    known = [("0", "default_pg", tuple(range(spec.ranks)))]
    known += [(group.name, group.description, group.ranks) for group in used]
    return [
        {"pg_name": name, "pg_desc": text, "backend_config": "cuda:nccl", "pg_size": len(ranks), "ranks": list(ranks)}
        for name, text, ranks in known
    ]
