"""What a file is, by its content and never by its name."""

from __future__ import annotations

import numpy as np

from simulation.errors import DamagedTrace, UnknownFormat
from simulation.formats import scan
from simulation.formats.chakra_et import frames
from simulation.formats.decimals import Bytes
from simulation.formats.foreign import described
from simulation.formats.words import decode

HINT = "Give the JSON that PyTorch's profiler writes (export_chrome_trace, tensorboard_trace_handler), plain or gzip."

MAGIC = {
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "zstd in gzip or zstd",
    b"BZh": "bzip2-packed",
    b"\xfd7zXZ": "xz-packed",
    b"\x1f\x8b": "gzip in gzip or zstd",
    b"ARROW1": "an Arrow file",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"<!": "a web page",
    b"<h": "a web page",
}
"""First bytes -> what to call it."""

KEYS = {
    frozenset({"rocprofiler-sdk-tool"}): "a rocprof profile",
    frozenset({"segments"}): "a memory snapshot",
    frozenset({"cells", "nbformat"}): "a notebook",
}
"""Top-level keys of other JSON -> what to call it."""

FORMATS = {
    frozenset({"traceEvents"}): "kineto",
    frozenset({"schema", "nodes"}): "pytorch_et",
    frozenset({"workload_graph"}): "chakra_json",
}
"""Top-level keys -> the format that has them."""

LIST = b'"traceEvents"'
FIRST_ENTRY_BYTES = 1 << 20
"""Looked at to tell a list of events from other lists."""

_KEYS_SEEN = 200


def sniff(text: Bytes, file: str, is_whole: bool = True) -> str:
    """The format's name. Raises UnknownFormat, saying what it looks like. `is_whole`: the text is not only a head."""
    head = text[:16].tobytes()
    for magic, what in MAGIC.items():
        if head.startswith(magic):
            raise UnknownFormat(f"is {what}, which is not read", file=file, hint=HINT)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnknownFormat("is UTF-16 text", file=file, hint="Save it as UTF-8.")
    if text[257:262].tobytes() == b"ustar":
        raise UnknownFormat("is a tar archive, which is not read", file=file, hint="Unpack it and give its files.")
    if frames.begins(text):
        return "chakra_et"
    pos = start(text)
    if pos == len(text):
        raise DamagedTrace("holds nothing but white space", file=file)
    if text[pos] == ord("["):
        if b'"ph"' in text[pos : pos + FIRST_ENTRY_BYTES].tobytes():
            return "kineto"
        raise UnknownFormat("is a JSON list without events", file=file, hint=HINT)
    if text[pos] != ord("{"):
        if foreign := described(text):
            raise UnknownFormat(f"is {foreign}, which is not read", file=file, hint=HINT)
        shown = text[pos : pos + 20].tobytes().decode(errors="replace")
        raise UnknownFormat(f"is not JSON: it begins with {shown!r}", file=file, byte=pos, hint=HINT)
    keys, status, pos = top_level_keys(text, pos)
    for some, format_ in FORMATS.items():
        if some <= set(keys):
            return format_
    if (status == scan.BROKEN and LIST in text.tobytes()) or (status == scan.ENDS and not is_whole):
        return "kineto"
    check(status, text, pos, file)
    raise UnknownFormat(f"{_described(keys)}, not a trace: it has no traceEvents", file=file, hint=HINT)


def start(text: Bytes) -> int:
    """Place of the first byte that counts, past white space and a byte order mark."""
    pos = 3 if text[:3].tobytes() == b"\xef\xbb\xbf" else 0
    place: int = scan.skip_space(text, pos, len(text))
    return place


def top_level_keys(text: Bytes, pos: int) -> tuple[list[str], int, int]:
    """Keys of the object at `pos`, until they tell a format; the scanner's status and place after them."""
    stack, keys, pos = np.empty(scan.MAX_DEPTH, np.uint8), list[str](), pos + 1
    while len(keys) < _KEYS_SEEN:
        status, begin, end, pos = scan.next_member(text, pos, len(text), not keys)
        if status != scan.DONE or begin == 0:
            return keys, status, pos
        keys.append(decode(text[begin - 1 : end + 1].tobytes())[0])
        if any(keys[-1] in some and some <= set(keys) for some in FORMATS):
            break
        status, pos = scan.value_end(text, pos, len(text), stack)
        if status != scan.DONE:
            return keys, status, pos
    return keys, scan.DONE, pos


def check(status: int, text: Bytes, pos: int, file: str, event: int | None = None, base: int = 0) -> None:
    """Turn a status of the scanner into a DamagedTrace that says where, if it is one. `base`: place of the text."""
    byte = base + pos
    if status == scan.ENDS:
        hint = "It was cut off; copy it again."
        raise DamagedTrace("the JSON ends in the middle", file=file, byte=byte, event=event, hint=hint)
    if status == scan.DEEP:
        raise DamagedTrace(f"is nested deeper than {scan.MAX_DEPTH} levels", file=file, byte=byte, event=event)
    if status == scan.BROKEN:
        shown = text[pos : pos + 20].tobytes().decode(errors="replace")
        raise DamagedTrace(f"is not valid JSON at {shown!r}", file=file, byte=byte, event=event)


def _described(keys: list[str]) -> str:
    for some, what in KEYS.items():
        if some <= set(keys):
            return f"looks like {what}"
    if not keys:
        return "is a JSON object without keys"
    return f"is JSON with the keys {', '.join(key[:30] for key in keys[:5])}"
