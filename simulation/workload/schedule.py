"""The order of micro-batches in a pipeline stage."""

from __future__ import annotations

from collections.abc import Iterator

FORWARD, BACKWARD = "forward", "backward"


def one_f_one_b(stage: int, stages: int, micro_batches: int) -> Iterator[tuple[str, int]]:
    """1F1B (PipeDream-Flush): forwards to fill the pipeline, then one forward, one backward, then the rest.

    With equal stages and free transfers a step takes (micro_batches + stages - 1) x (forward + backward).
    """
    warm_up = min(stages - stage - 1, micro_batches)
    for micro_batch in range(warm_up):
        yield FORWARD, micro_batch
    for micro_batch in range(micro_batches - warm_up):
        yield FORWARD, warm_up + micro_batch
        yield BACKWARD, micro_batch
    for micro_batch in range(micro_batches - warm_up, micro_batches):
        yield BACKWARD, micro_batch
