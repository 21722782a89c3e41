"""What only moves data: rows looked up by index, tensors put together, tokens sent to experts."""

from __future__ import annotations

from math import prod

from simulation.analysis.volumes.inputs import WIDTHS, Formula, Inputs, Volume


def _concatenation(inputs: Inputs) -> Volume | None:
    """Reads and writes everything once; of a list only the sizes are recorded where its type says no more."""
    width = WIDTHS.get(inputs.types[0] if inputs.types else "", 0)
    shapes = inputs.dims[0] if inputs.dims else []
    if not width or not all(isinstance(shape, list) for shape in shapes):
        return None
    return Volume(0, 2 * width * sum(prod(shape) for shape in shapes), 0)


def _lookup(inputs: Inputs) -> Volume | None:
    """index_select(table, 0, index): reads the indices and the rows, writes the rows."""
    table, index = inputs.shape(0), inputs.shape(2)
    if not table or index is None or inputs.value(1) not in ("0", ""):
        return None
    rows = prod(index) * prod(table[1:]) * inputs.width(0)
    return Volume(0, 2 * rows + inputs.size_bytes(2), 0)


def _gather(inputs: Inputs) -> Volume | None:
    """gather(source, dim, index): an element read and written per index."""
    index = inputs.shape(2)
    if inputs.shape(0) is None or index is None:
        return None
    return Volume(0, 2 * prod(index) * inputs.width(0) + inputs.size_bytes(2), 0)


def _bag(inputs: Inputs) -> Volume | None:
    """_embedding_bag(table, indices, offsets): rows are read and added up, one row is written per bag."""
    table, index, bags = inputs.shape(0), inputs.shape(1), inputs.shape(2)
    if not table or len(table) != 2 or index is None or not bags:
        return None
    moved = (prod(index) + bags[0]) * table[1] * inputs.width(0) + inputs.size_bytes(1, 2)
    return Volume(prod(index) * table[1], moved, 0)


def _embedding_gradient(inputs: Inputs) -> Volume | None:
    """embedding_dense_backward(gradient, indices, rows): rows of the gradient are added up, the whole table written."""
    gradient, rows = inputs.shape(0), inputs.number(2)
    if not gradient or inputs.shape(1) is None or rows is None:
        return None
    table = rows * gradient[-1] * inputs.width(0)
    return Volume(prod(gradient), inputs.size_bytes(0, 1) + table, 0)


def _tokens(inputs: Inputs) -> Volume | None:
    """Tokens on their way to experts or back: what is sent."""
    tokens = inputs.shape(0)
    return Volume(0, inputs.size_bytes(0), 0) if tokens is not None and len(tokens) >= 2 else None


MOVED: dict[str, Formula] = {
    "aten::cat": _concatenation,
    "aten::index_select": _lookup,
    "aten::gather": _gather,
    "aten::_embedding_bag": _bag,
    "aten::embedding_dense_backward": _embedding_gradient,
    "MoEDispatch": _tokens,
    "MoECombine": _tokens,
}
