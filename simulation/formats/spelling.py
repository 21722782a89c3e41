"""Categories by their modern names, and what the file calls them."""

from __future__ import annotations

import numpy as np

from simulation.formats.decimals import Bytes, Places
from simulation.formats.details import distinct
from simulation.formats.words import Words

CATEGORIES = {
    "Operator": "cpu_op",
    "Kernel": "kernel",
    "Memcpy": "gpu_memcpy",
    "Memset": "gpu_memset",
    "Runtime": "cuda_runtime",
}
"""Old spelling -> modern one."""

FLOW_CATEGORIES = {"async": "ac2g", "async_gpu": "ac2g", "async_cpu_to_gpu": "ac2g"}
"""The same, of flows only: elsewhere `async` is anyone's word."""


class Spellings:
    """Normalizes categories on their way into `categories`."""

    def __init__(self, categories: Words) -> None:
        self.categories = categories
        self._raw = Words()
        self._modern: tuple[list[int], list[int]] = ([], [])  # code of each raw word: of a flow, else

    def codes(self, text: Bytes, begin: Places, end: Places, is_flow: np.ndarray) -> np.ndarray:
        """Codes into `categories`, i32."""
        raw = self._raw.codes(text, begin, end)
        for modern, old in zip(self._modern, (FLOW_CATEGORIES, CATEGORIES), strict=True):
            modern += [-1] * (len(self._raw) - len(modern))
            used, _ = distinct(raw[is_flow if old is FLOW_CATEGORIES else ~is_flow])
            for code in used.tolist():
                word = self._raw.words[code]
                modern[code] = self.categories.code(old.get(word, word), self._raw.replaced[code])
        of_flow, of_other = (np.array(modern or [0], np.int32) for modern in self._modern)
        return np.where(is_flow, of_flow[raw], of_other[raw]) if len(raw) else raw

    def originals(self) -> dict[str, list[str]]:
        """Modern name -> the file's spellings of it, where one differs."""
        found: dict[str, list[str]] = {}
        for word, *codes in zip(self._raw.words, *self._modern, strict=True):
            for name in {self.categories.words[code] for code in codes if code >= 0}:
                found.setdefault(name, []).append(word)
        return {name: words for name, words in found.items() if words != [name]}
