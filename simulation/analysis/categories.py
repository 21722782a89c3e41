"""What kind of work operators do, by TraceLens's categories: by name, else by the first kernel that they launch."""

from __future__ import annotations

import numpy as np

from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups
from simulation.analysis.volumes import FAMILIES, formula_of

OTHER = "other"
PREFIXES = {"triton": "triton", "record_param_comms": "record_param_comms"}
NATIVE = "void at::native"
KERNELS = ("elementwise", "reduce", "multi_tensor_apply")
"""Of PyTorch's own kernels: a word of the name is the category, the first that is in it."""

CATEGORIES = tuple(dict.fromkeys([*FAMILIES, *KERNELS, *PREFIXES.values()]))

_BY_NAME = {name: family for family, formulas in FAMILIES.items() if family != OTHER for name in formulas}


def category_of(name: str, kernel: str = "") -> str:
    """Of an operator and the first kernel that it launches."""
    known = formula_of(name)
    if known in _BY_NAME:
        return _BY_NAME[known]
    if found := next((category for prefix, category in PREFIXES.items() if name.startswith(prefix)), None):
        return found
    if name.endswith("Backward") and "AttnFunc" in name:
        return "SDPA_bwd"
    return next((word for word in KERNELS if kernel.startswith(NATIVE) and word in kernel), OTHER)


def categories_of(view: RankView) -> np.ndarray:
    """Of each row that is an operator and launches something, a code into CATEGORIES; -1 of other rows: i64."""
    device, found = view.device, np.full(len(view.table), -1, np.int64)
    launched = np.flatnonzero(view.launching_op >= 0)
    if not len(launched):
        return found
    calls = Groups(view.launching_op[launched])
    first = calls.largest(-view.table.start_ns[device.launch[launched]])
    op, kernel = calls.keys[0], view.table.name[device.rows[launched[first]]]
    pairs, names = Groups(view.table.name[op], kernel), view.table.names
    named = zip(*(key.tolist() for key in pairs.keys), strict=True)
    codes = [CATEGORIES.index(category_of(names[name], names[first])) for name, first in named]
    found[op] = np.array(codes, np.int64)[pairs.place]
    return found
