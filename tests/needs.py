"""What a machine may lack: skipped with the reason, or failed where it was said to be there."""

import os
from typing import NoReturn

import pytest

REQUIRED = frozenset(os.environ.get("TRACEVIEWER_TESTS_REQUIRE", "").split(","))


def missing(what: str, reason: str) -> NoReturn:
    """Skip, or fail where TRACEVIEWER_TESTS_REQUIRE names `what` (samples, browser, services)."""
    if what in REQUIRED:
        pytest.fail(f"{reason}, and TRACEVIEWER_TESTS_REQUIRE asks for {what}")
    pytest.skip(reason)
