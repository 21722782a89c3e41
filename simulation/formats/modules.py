"""The tree of nn.Modules that was recorded with Python's stacks, and the module that each row ran in.

A frame named `nn.Module: Linear_3` is a call of the module Linear_3; a module is known by its path, the modules whose
calls enclose its own. Device work ran in the module of its launch.
"""

from __future__ import annotations

import numpy as np

from simulation.events import empty_side
from simulation.formats.details import distinct
from simulation.formats.links import Rows
from simulation.store import Column, Strings
from simulation.tracks import inherited

FRAME_CATEGORY = "python_function"
FRAME_PREFIX = "nn.Module: "


def module_tree(rows: Rows) -> dict[str, dict[str, Column]]:
    """The side tables `module_tree` and `module_rows`. Costs O(rows), and a sort of the frames per level of modules."""
    is_module = np.array([name.startswith(FRAME_PREFIX) for name in rows.names] or [False])
    frames = np.flatnonzero(rows.of_category(FRAME_CATEGORY) & is_module[rows.columns["name"]])
    if not len(frames):
        return {name: empty_side(name) for name in ("module_tree", "module_rows")}
    node_of_frame, parent, name = _nodes(rows, frames)
    own = np.full(len(rows), -1, np.int32)
    own[frames] = node_of_frame
    node = inherited(rows.columns["parent"], own)
    launch = rows.columns["launch"]
    launched = launch >= 0
    node[launched] = node[launch[launched]]
    inside = np.flatnonzero(node >= 0)
    used, words = distinct(name)
    names = tuple(rows.names[code].removeprefix(FRAME_PREFIX) for code in used.tolist())
    return {
        "module_tree": {"parent": parent.astype(np.int32), "name": Strings(words.astype(np.int32), names)},
        "module_rows": {"row": inside.astype(np.int32), "node": node[inside].astype(np.int32)},
    }


def _nodes(rows: Rows, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(node of each frame, parent node and name code of each node), all i64: level by level, outermost first."""
    above = _frames_above(rows, frames)
    node, parents, names, known = np.full(len(frames), -1, np.int64), [], [], 0
    level = np.flatnonzero(above < 0)
    while len(level):
        over = np.where(above[level] >= 0, node[above[level]], -1)
        pairs = np.stack([over, rows.columns["name"][frames[level]].astype(np.int64)])
        found, place = np.unique(pairs, axis=1, return_inverse=True)
        node[level] = known + place.reshape(-1)
        parents.append(found[0])
        names.append(found[1])
        known += found.shape[1]
        level = np.flatnonzero((node < 0) & (above >= 0) & (node[above] >= 0))
    return node, np.concatenate(parents), np.concatenate(names)


def _frames_above(rows: Rows, frames: np.ndarray) -> np.ndarray:
    """For each frame the place in `frames` of the one around it, -1 none."""
    own = np.full(len(rows), -1, np.int32)
    own[frames] = np.arange(len(frames))
    nearest = inherited(rows.columns["parent"], own)
    parent = rows.columns["parent"][frames]
    return np.where(parent >= 0, nearest[parent], -1)
