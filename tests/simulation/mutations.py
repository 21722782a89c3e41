"""Thousands of damaged, mistaken and hostile files, from a seed; each must end in a run or a TraceError.

Run as a program, so that a crash of the process is seen as one: prints what came of the files as JSON.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import zstandard

from simulation import kernel_cache

kernel_cache.use()

from simulation.errors import TraceError  # noqa: E402
from simulation.run import Run, read_run  # noqa: E402
from tests.benchmarks.memory import peak_bytes  # noqa: E402
from tests.simulation.nodes import HEADER, framed, node4, op  # noqa: E402
from tests.simulation.traces import event, kernel, launch, step  # noqa: E402

FILES_EACH = 300
SAVED_EACH = 25

Mutation = Callable[[random.Random, bytes], bytes]


def bases(demo: Path) -> list[bytes]:
    """Whole files to begin with: a piece of the demo, small ones of each kind."""
    document = json.loads(gzip.decompress(demo.read_bytes()))
    piece = {**document, "traceEvents": document["traceEvents"][:60] + document["traceEvents"][-20:]}
    calls = [launch(at, 1, at) for at in range(1, 30)] + [kernel(at + 2, 1, at) for at in range(1, 30)]
    kineto = {"distributedInfo": {"rank": 0, "world_size": 2}, "traceEvents": [step(1, 0, 50), *calls]}
    chrome = [
        {"ph": phase, "name": f"n{at}", "cat": "c", "pid": 1, "tid": at % 3, "ts": at, "id": at // 4, "dur": 2}
        for at, phase in enumerate("BEXbnestfiCMPNSTpF" * 4)
    ]
    graph = {"schema": "1.1.1-chakra.0.0.4", "pid": 1, "nodes": [op(at, at // 2 + 1, at) for at in range(2, 30)]}
    frames = framed(HEADER, *(node4(at, 4, data=[at // 2], start_us=at, dur_us=1) for at in range(1, 40)))
    return [
        *(
            json.dumps(value, indent=indent).encode()
            for value in (piece, kineto, chrome, graph)
            for indent in (None, 1)
        ),
        frames,
    ]


VALUES = [
    "null", "true", "[]", "{}", '""', '"x"', "-1", "0", "1e999", "-1e-999", "NaN", "-Infinity", "9" * 400,
    "1." + "0" * 300,
    "18446744073709551616", "-9223372036854775809", "4000000000000000", "1e15", '"1e400"', '"NaN"', "[" * 40 + "]" * 40,
    '{"a":' * 30 + "1" + "}" * 30, "1e", "--1", "0x10", '"\\ud800"', '"\\u0000"', "2147483648", "-0.0", "1_000",
]  # fmt: skip

NAMES = [
    "\\u0000", "../../etc/passwd", "<script>alert(1)</script>", "'; drop table runs; --", "\\ud83d", "\\u202e\\u2066",
    "%s%n",
    "{{7*7}}", "x" * 200_000, "=cmd()", "ProfilerStep#" + "9" * 30, "ProfilerStep#-1", "__proto__",
    "stream " + "9" * 18,
    "\\uffff",
    "stream 99999999999999999999", "\x01\x02\x7f", "\\", "a\\", "CON", "nul\0byte", "🏳\ufe0f\u200d🌈" * 50,
]  # fmt: skip


def cut(rng: random.Random, whole: bytes) -> bytes:
    return whole[: rng.randrange(len(whole))]


def flip(rng: random.Random, whole: bytes) -> bytes:
    text = bytearray(whole)
    for _ in range(rng.randint(1, 8)):
        text[rng.randrange(len(text))] = rng.choice([rng.randrange(256), *b'{}[]",:\\'])
    return bytes(text)


def splice(rng: random.Random, whole: bytes) -> bytes:
    """Take stretches out, double them, move them."""
    for _ in range(rng.randint(1, 3)):
        begin, at = rng.randrange(len(whole)), rng.randrange(len(whole))
        part = whole[begin : begin + rng.randint(1, 300)]
        whole = rng.choice([whole[:begin] + whole[begin + len(part) :], whole[:at] + part + whole[at:]]) or whole
    return whole


def retype(rng: random.Random, whole: bytes) -> bytes:
    """Put other values behind keys."""
    parts = whole.split(b":")
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(parts))
        value, comma, rest = parts[at].partition(b",")
        parts[at] = rng.choice(VALUES).encode() + comma + rest
    return b":".join(parts)


def rename(rng: random.Random, whole: bytes) -> bytes:
    """Put hostile names in the place of words."""
    parts = whole.split(b'"')
    for _ in range(rng.randint(1, 4)):
        parts[rng.randrange(len(parts))] = rng.choice(NAMES).encode(errors="surrogatepass")
    return b'"'.join(parts)


def deepen(rng: random.Random, whole: bytes) -> bytes:
    at, depth = rng.randrange(len(whole)), rng.choice([10, 500, 600, 100_000])
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
    return whole[:at] + opening * depth + rng.choice([b"", b"1" + closing * depth]) + whole[at:]


def crowd(rng: random.Random, whole: bytes) -> bytes:
    """Much of the same: entries, keys, args, tracks."""
    many = rng.randint(1, 3_000)
    made = rng.choice([
        [event("e", at, 10**6) for at in range(many)],
        [event("e", 1, 1, tid=at, pid=at) for at in range(many)],
        [event("e", 0, 0, args={f"k{at}": at for at in range(many)})],
        [{} for _ in range(many)],
        [0] * many,
        [event("e", 2**53 * at, 2**53) for at in range(many // 10)],
        [event(f"ProfilerStep#{at}", at, 2, "user_annotation") for at in range(many)],
    ])  # fmt: skip
    return json.dumps({"traceEvents": made, **{f"key{at}": at for at in range(rng.choice([0, many]))}}).encode()


MUTATIONS: list[Mutation] = [cut, flip, splice, retype, rename, deepen, crowd]


def packed(rng: random.Random, text: bytes) -> bytes:
    """As it is, or compressed, and then perhaps damaged again."""
    pack = rng.choice([bytes, bytes, gzip.compress, zstandard.ZstdCompressor().compress])
    content = pack(text)
    if pack is not bytes and rng.random() < 0.5 and content:
        content = rng.choice([cut, flip, splice])(rng, content)
    return content


def bombs() -> list[bytes]:
    """Small files that unpack to very much; few, as each takes a moment."""
    zeros = zlib.compressobj(9, wbits=31)
    spaces = b"".join(zeros.compress(b" " * (1 << 20)) for _ in range(100)) + zeros.flush()
    return [
        spaces,
        zstandard.ZstdCompressor().compress(b"[" + bytes(100 << 20)),
        gzip.compress(b'{"traceEvents": [' + b"0," * (30 << 20), 1),
        gzip.compress(b'[{"ph": "X", "args": {' + b'"stream":1,' * (5 << 20), 1),
        gzip.compress(b'[{"ph": "X", "name": "' + b"x" * (90 << 20), 1),
        gzip.compress(gzip.compress(gzip.compress(bytes(100 << 20)))),
    ]  # fmt: skip


def outcome(path: Path, saved: Path | None) -> str:
    """ "run", or the reason for none. Any other exception is the caller's to see."""
    try:
        run = read_run([path])
    except TraceError as error:
        assert error.what
        return type(error).__name__
    if saved:
        run.save(saved)
        assert len(Run.open(saved).traces[0]) == len(run.traces[0])
    return "run"


def main(demo: Sequence[str]) -> dict[str, Any]:
    whole, found = bases(Path(demo[0])), Counter[str]()
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "trace"
        for number, make in enumerate(MUTATIONS * FILES_EACH):
            rng = random.Random(number)
            path.write_bytes(packed(rng, make(rng, rng.choice(whole))))
            saved = Path(home) / str(number) if number % SAVED_EACH == 0 else None
            found[_tried(path, saved, f"{make.__name__}, seed {number}")] += 1
        for number, bomb in enumerate(bombs()):
            path.write_bytes(bomb)
            found[_tried(path, None, f"bomb {number}")] += 1
    return {"outcomes": found, "peak_bytes": peak_bytes()}


def _tried(path: Path, saved: Path | None, what: str) -> str:
    try:
        return outcome(path, saved)
    except BaseException:
        sys.stderr.write(f"{what}\n")
        raise


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
