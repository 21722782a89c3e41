"""Masks secrets in the raw text of a trace, before anything is made of it.

    text -> anchors (one pass) -> windows of JSON around them -> distinct windows -> rules -> stars of the same length

So names, args, metadata, side tables and messages cannot hold what the text no longer holds; places in the
text, and JSON, stay as they were. Values that are JSON numbers are left.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit

from simulation.formats.decimals import Bytes
from simulation.formats.secret_rules import rules
from simulation.formats.words import intern
from simulation.quality import QualityReport

BEHIND_BYTES = 4096
AHEAD_BYTES = 65_536
"""How far a window reaches before and behind its anchor; a secret that is longer is masked so far."""

CARRIED_BYTES = BEHIND_BYTES + 2 * AHEAD_BYTES + 4096
"""A window reaches so far: a string around the anchor, and the string or the list behind that."""

_PLACES_AT_ONCE = 65_536
_TOLD_OF = 10_000
"""Masked spans, the first ones, of which kinds and keys are told; the others are only counted."""

_STAR = ord("*")
_GRAM = 3
_COMMON = b"etaoinsrhldcumfpgwybvkxjqz"


@dataclass(frozen=True)
class Masked:
    """A text without its secrets."""

    text: Bytes  # the text given, or a masked copy if it could not be written
    count: int  # spans masked
    places: tuple[str, ...] = ()  # what they looked like, in which key, at which byte; never what they were

    def without_text(self) -> Masked:
        """What there is to report."""
        return replace(self, text=np.empty(0, np.uint8))

    def report(self, quality: QualityReport) -> None:
        quality.add("secrets_masked", self.count, self.places)


class _Anchors(NamedTuple):
    """The anchors of all rules, folded, and a filter of one 3-byte gram of each."""

    letters: np.ndarray  # u8
    offsets: np.ndarray  # i64[n + 1] into letters
    gram_end: np.ndarray  # i64, of the anchor's gram within it
    bits: np.ndarray  # u8[8192]: a bit per hash of a gram that some anchor has
    first: np.ndarray  # i16[65536]: the first anchor of a hash, -1 none
    following: np.ndarray  # i16: the next anchor of the same hash, -1 none


def mask(text: Bytes, base: int = 0, last: bool = True) -> Masked:
    """Mask what the rules find, in place where `text` can be written. `base`: place of the text in its file.

    Unless it is the `last` of the file, a string that the text cuts off is left for when it comes again in full: half
    of a token does not look like one. So are those beside it that share a window with it.
    """
    begin, end, anchor = find_windows(text)
    ready = last | _settled(begin, end, text)
    spans = _merged(_spans(text, begin[ready], end[ready], anchor[ready]))
    if not len(spans):
        return Masked(text, 0)
    if not text.flags.writeable:
        text = text.copy()
    _fill(text, spans[:, 0], spans[:, 1])
    return Masked(text, len(spans), tuple(_places(text, spans, base)))


def _settled(begin: np.ndarray, end: np.ndarray, text: Bytes) -> np.ndarray:
    """Whether windows share nothing with one that the text cuts off, by themselves or through others: bool.

    Stars within what they share could hide from that window what it would find. Where windows hang together over more
    bytes than come again, those that do not come again in full count as settled.
    """
    tail = text[-CARRIED_BYTES:].tobytes()
    size = len(text) - len(tail) + len(tail.rstrip(b" \t\r\n:,"))  # behind a colon or a comma a value may follow
    if not len(end) or end.max() < size:
        return np.ones(len(end), bool)
    order = np.argsort(begin, kind="stable")
    apart = np.flatnonzero(begin[order][1:] >= np.maximum.accumulate(end[order])[:-1])
    first = begin[order[apart[-1] + 1]] if len(apart) else begin.min()
    return np.asarray((begin < first) | ((begin < len(text) - CARRIED_BYTES) & (end < size)))


def masked_text(chunks: Iterable[bytes], found: list[Masked]) -> Iterator[Bytes]:
    """The same bytes without their secrets; what was masked goes to `found`.

    The last CARRIED_BYTES of each chunk are looked at again with the next one, behind which no window may reach.
    """
    carried, base = np.empty(0, np.uint8), 0
    for chunk in chunks:
        text = np.concatenate([carried, np.frombuffer(chunk, np.uint8)])
        found.append(mask(text, base, last=False).without_text())
        cut = max(len(text) - CARRIED_BYTES, 0)
        yield text[:cut]
        carried, base = text[cut:], base + cut
    found.append(mask(carried, base).without_text())
    yield carried


@cache
def _anchors() -> _Anchors:
    words = [_folded(anchor) for rule in rules() for anchor in rule.anchors]
    ends = [_rarest(word) for word in words]
    bits, first, following = np.zeros(8192, np.uint8), np.full(65_536, -1, np.int16), np.full(len(words), -1, np.int16)
    for number, (word, end) in enumerate(zip(words, ends, strict=True)):
        gram = int.from_bytes(word[end - _GRAM : end], "big")
        digest = ((gram * 0x9E3779B1) & 0xFFFFFFFF) >> 16
        bits[digest >> 3] |= np.uint8(1 << (digest & 7))
        following[number], first[digest] = first[digest], number
    offsets = np.cumsum([0, *map(len, words)], dtype=np.int64)
    letters = np.frombuffer(b"".join(words), np.uint8)
    return _Anchors(letters, offsets, np.array(ends, np.int64), bits, first, following)


@cache
def _rule_of() -> np.ndarray:
    return np.array([number for number, rule in enumerate(rules()) for _ in rule.anchors], np.int64)


def _folded(word: bytes) -> bytes:
    return bytes(letter | 0x20 for letter in word)


def _rarest(word: bytes) -> int:
    """End of the gram that is the least likely to stand in other words."""

    def commonness(end: int) -> int:
        return sum(26 - place for letter in word[end - _GRAM : end] if (place := _COMMON.find(letter)) >= 0)

    return min(range(_GRAM, len(word) + 1), key=commonness)


@njit(cache=True, nogil=True)
def suspects(text: Bytes, bits: np.ndarray, pos: int, places: np.ndarray) -> tuple[int, int]:
    """Fill `places` with the ends of grams that some anchor may have: (how many, where to go on)."""
    n, gram = 0, 0
    for back in range(max(pos - _GRAM + 1, 0), pos):
        gram = ((gram << 8) | (text[back] | 0x20)) & 0xFFFFFF
    for at in range(pos, len(text)):
        gram = ((gram << 8) | (text[at] | 0x20)) & 0xFFFFFF
        digest = ((gram * 0x9E3779B1) >> 16) & 0xFFFF
        if (bits[digest >> 3] >> (digest & 7)) & 1:
            places[n] = at + 1
            n += 1
            if n == len(places):
                return n, at + 1
    return n, len(text)


@njit(cache=True, nogil=True)
def windows(
    text: Bytes, places: np.ndarray, anchors: _Anchors, seen_until: np.ndarray, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(begin i64, end i64, anchor i64) of what the rules must look at, of the anchors whose grams end at `places`.

    A window is the JSON string around an anchor, and the string or flat list behind it; an anchor that comes again
    in a string that it has opened a window on opens no other. `seen_until` (i64 per anchor) and `state` (i64[3], the
    string last looked at) go from call to call.
    """
    found, n = np.empty((3, 64), np.int64), 0
    for index in range(len(places)):
        place = int(places[index])
        gram = (text[place - 3] | 0x20) << 16 | (text[place - 2] | 0x20) << 8 | (text[place - 1] | 0x20)
        anchor = int(anchors.first[((gram * 0x9E3779B1) >> 16) & 0xFFFF])
        while anchor >= 0:
            start = place - anchors.gram_end[anchor]
            if start >= seen_until[anchor] and _stands(text, start, anchors, anchor):
                if not state[0] <= start < state[1]:
                    state[0], state[1], end = _string_around(text, start)
                    state[2] = _next_value(text, end) if state[1] == end else end
                seen_until[anchor] = state[1]
                if n == found.shape[1]:
                    grown = np.empty((3, 2 * n), np.int64)
                    grown[:, :n] = found
                    found = grown
                found[0, n], found[1, n], found[2, n] = state[0], state[2], anchor
                n += 1
            anchor = int(anchors.following[anchor])
    return found[0, :n].copy(), found[1, :n].copy(), found[2, :n].copy()


def find_windows(text: Bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `windows`, of the whole text."""
    anchors, pos = _anchors(), 0
    text = text.view()
    text.flags.writeable = False  # texts come either way; the kernels are compiled for one
    places = np.empty(_PLACES_AT_ONCE, np.int64)
    seen_until, state = np.zeros(len(anchors.gram_end), np.int64), np.zeros(3, np.int64)
    parts = [(np.empty(0, np.int64),) * 3]
    while pos < len(text):
        n, pos = suspects(text, anchors.bits, pos, places)
        parts.append(windows(text, places[:n], anchors, seen_until, state))
    begin, end, anchor = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return begin, end, anchor


@njit(cache=True, nogil=True)
def _stands(text: Bytes, start: int, anchors: _Anchors, anchor: int) -> bool:
    low, high = anchors.offsets[anchor], anchors.offsets[anchor + 1]
    if start < 0 or start + high - low > len(text):
        return False
    for at in range(low, high):
        if text[start + at - low] | 0x20 != anchors.letters[at]:
            return False
    return True


@njit(cache=True, nogil=True)
def _string_around(text: Bytes, at: int) -> tuple[int, int, int]:
    """(opening quote, where the next anchor needs a window of its own, after the closing quote or the limit)."""
    begin, least = at, max(at - BEHIND_BYTES, 0)
    while begin > least and not (text[begin] == 34 and not _escaped(text, begin, least)):
        begin -= 1
    end, most = at, min(at + AHEAD_BYTES, len(text))
    while end < most and not (text[end] == 34 and end > begin):
        end += 2 if text[end] == 92 else 1
    if end >= most:
        whole = most == len(text)
        return begin, most if whole else most - BEHIND_BYTES, most
    return begin, end + 1, end + 1


@njit(cache=True, nogil=True)
def _escaped(text: Bytes, at: int, least: int) -> bool:
    slashes = 0
    while at - 1 - slashes >= least and text[at - 1 - slashes] == 92:
        slashes += 1
    return slashes % 2 == 1


@njit(cache=True, nogil=True)
def _next_value(text: Bytes, pos: int) -> int:
    """The end of the string behind a string and a colon or a comma, or of the flat list behind a colon; else `pos`."""
    most, at = min(pos + AHEAD_BYTES, len(text)), _past_space(text, pos)
    if at >= most or (text[at] != 58 and text[at] != 44):
        return pos
    is_key = text[at] == 58
    at = _past_space(text, at + 1)
    if at >= most or not (text[at] == 34 or (is_key and text[at] == 91)):
        return pos
    is_list, inside = text[at] == 91, False
    if is_list:
        at += 1
    while at < most:
        byte = text[at]
        if byte == 34:
            if inside and not is_list:
                return at + 1
            inside = not inside
        elif not inside and (byte == 93 or byte == 123 or byte == 91):
            return at + 1
        at += 2 if byte == 92 else 1
    return most


@njit(cache=True, nogil=True)
def _past_space(text: Bytes, pos: int) -> int:
    while pos < len(text) and (text[pos] == 32 or text[pos] == 10 or text[pos] == 13 or text[pos] == 9):
        pos += 1
    return pos


def _spans(text: Bytes, begin: np.ndarray, end: np.ndarray, anchor: np.ndarray) -> np.ndarray:
    """(begin, end, rule) of all that the rules find: i64[n, 3]. Each distinct window is looked at once per rule."""
    if not len(begin):
        return np.empty((0, 3), np.int64)
    rule = _rule_of()[anchor]
    codes, first = intern(text, begin, end)
    pairs, first_of, pair = np.unique(
        codes.astype(np.int64) * len(rules()) + rule, return_index=True, return_inverse=True
    )
    order = np.argsort(pair, kind="stable")
    cuts = np.searchsorted(pair[order], np.arange(len(pairs) + 1))
    parts = [np.empty((0, 3), np.int64)]
    for number, at in enumerate(first_of.tolist()):
        window = text[begin[at] : end[at]].tobytes()
        found = np.array(list(_inside(window, rules()[rule[at]].find(window))), np.int64).reshape(-1, 2)
        if len(found):
            places = begin[order[cuts[number] : cuts[number + 1]]]
            spans = (places[:, None, None] + found).reshape(-1, 2)
            parts.append(np.column_stack([spans, np.full(len(spans), rule[at])]))
    return np.concatenate(parts)


def _inside(window: bytes, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The parts of the spans that lie within strings, so that masking cannot change how the JSON is built.

    What is masked already is not found again.
    """
    strings = list(_strings(window))
    for begin, end in spans:
        at = max(bisect_right(strings, (begin, len(window))) - 1, 0)
        while at < len(strings) and strings[at][0] < end:
            inside = max(begin, strings[at][0]), min(end, strings[at][1])
            if window[slice(*inside)].strip(b"*"):
                yield inside
            at += 1


_BODY = re.compile(rb"(?:[^\"\\]|\\.)*+", re.S)


def _strings(window: bytes) -> Iterator[tuple[int, int]]:
    """What stands between quotes; a window that begins without one begins inside a string."""
    begin, quote = int(window[:1] == b'"'), 0
    while quote >= 0:
        match = _BODY.match(window, begin)
        end = match.end() if match else begin
        yield begin, end
        quote = window.find(b'"', end + 1)
        begin = quote + 1


def _merged(spans: np.ndarray) -> np.ndarray:
    """Spans that overlap as one, under the earliest of their rules; ascending."""
    if not len(spans):
        return spans
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    reach = np.maximum.accumulate(spans[:, 1])
    starts = np.flatnonzero(np.concatenate([[True], spans[1:, 0] >= reach[:-1]]))
    rule = np.minimum.reduceat(spans[:, 2], starts)
    return np.column_stack([spans[starts, 0], np.append(reach[starts[1:] - 1], reach[-1]), rule])


@njit(cache=True, nogil=True)
def _fill(text: Bytes, begin: np.ndarray, end: np.ndarray) -> None:
    for index in range(len(begin)):
        text[begin[index] : end[index]] = _STAR


def _places(text: Bytes, spans: np.ndarray, base: int) -> Iterator[str]:
    """Each kind and key once. The text is masked by now, so that no key can tell another secret."""
    seen = set()
    for begin, _, rule in spans[:_TOLD_OF].tolist():
        kind, key = rules()[rule].kind, _key(text[max(begin - 256, 0) : begin].tobytes())
        if (kind, key) not in seen:
            seen.add((kind, key))
            yield f"{kind}{' in ' * bool(key)}{key}, byte {base + begin}"


_JSON_KEY = re.compile(rb"\"([^\"\\]{1,40})\"\s*:\s*(?:\"[^\"]*|\[[^\[\]{}]*)$")
_VARIABLE = re.compile(rb"([A-Za-z_][\w.-]{0,39})[\\\"']*\s*[:=][^=]{0,40}$")


def _key(before: bytes) -> str:
    match = _JSON_KEY.search(before) or _VARIABLE.search(before)
    return "".join(letter for letter in match[1].decode(errors="replace") if letter.isprintable()) if match else ""
