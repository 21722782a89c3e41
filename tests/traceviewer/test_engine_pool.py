"""Long questions to the engine keep no short one waiting."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from traceviewer.engine.pool import ask, ask_long


def test_tiles_are_answered_while_analyses_are_worked_out() -> None:
    goes_on, begun = Event(), Event()

    def analysis() -> bool:
        begun.set()
        return goes_on.wait(30)

    with ThreadPoolExecutor(8) as requests:
        asked = [requests.submit(ask_long, analysis) for _ in range(8)]
        try:
            assert begun.wait(30)
            with ThreadPoolExecutor(1) as other:
                assert other.submit(ask, lambda: "tile").result(timeout=30) == "tile"
            assert not any(each.done() for each in asked)
        finally:
            goes_on.set()
        assert all(each.result(timeout=30) for each in asked)


def test_long_questions_are_worked_out_one_at_a_time() -> None:
    at_once: list[int] = []
    running: list[None] = []

    def analysis() -> None:
        running.append(None)
        Event().wait(0.001)
        at_once.append(len(running))
        running.pop()

    with ThreadPoolExecutor(8) as requests:
        for each in [requests.submit(ask_long, analysis) for _ in range(50)]:
            each.result(timeout=30)
    assert at_once == [1] * 50
