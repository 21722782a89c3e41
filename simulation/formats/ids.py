"""Ids of events: numbers for flows, words for asynchronous work and counters."""

from __future__ import annotations

import re

import numpy as np

from simulation.formats.decimals import Bytes, Places, integers
from simulation.formats.words import Words

NO_ID = 0

_UNREADABLE = -(2**63)
_HEX = re.compile(r"0[xX]([0-9a-fA-F]{1,16})")


class FlowIds:
    """Flow ids as integers: numbers keep theirs, `0x` words too, other words get one below -1 each."""

    def __init__(self) -> None:
        self._words = Words()

    def of(self, text: Bytes, begin: Places, end: Places) -> np.ndarray:
        """i64; NO_ID where there is none."""
        ids = integers(text, begin, end, _UNREADABLE)
        odd = np.flatnonzero((ids == _UNREADABLE) & (end > begin))
        ids[end == begin] = NO_ID
        codes = self._words.codes(text, begin[odd], end[odd])
        known, place = np.unique(codes, return_inverse=True)
        numbers = np.array([self._number(code) for code in known.tolist()], np.int64)
        ids[odd] = numbers[place.reshape(-1)] if len(odd) else ids[odd]
        return ids

    def _number(self, code: int) -> int:
        found = _HEX.fullmatch(self._words.words[code])
        value = int(found[1], 16) if found else -2 - code
        return value - 2**64 if value >= 2**63 else value


def scoped(texts: Words, ids: np.ndarray, scopes: np.ndarray) -> np.ndarray:
    """Codes into `texts` of `scope:id`, of the ids alone where the scope is empty."""
    codes = ids.astype(np.int64)
    at = np.flatnonzero(scopes != texts.code(""))
    pairs, place = np.unique(np.stack([scopes[at], ids[at]]), axis=1, return_inverse=True)
    words = [texts.code(f"{texts.words[scope]}:{texts.words[id_]}") for scope, id_ in pairs.T.tolist()]
    codes[at] = np.array(words, np.int64)[place.reshape(-1)]
    return codes


def numbered(names: Words, name: np.ndarray, texts: Words, ids: np.ndarray) -> np.ndarray:
    """Codes into `names` of `name[id]`: with an id, counters of one name are many."""
    pairs, place = np.unique(np.stack([name, ids]), axis=1, return_inverse=True)
    codes = [names.code(f"{names.words[one]}[{texts.words[id_]}]") for one, id_ in pairs.T.tolist()]
    return np.array(codes, np.int32)[place.reshape(-1)] if len(name) else name
