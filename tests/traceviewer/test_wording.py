"""Figures and names on server-rendered pages read as they do in the browser."""

import json
from pathlib import Path

import pytest

from traceviewer import wording

CASES = json.loads((Path(__file__).parent.parent / "samples" / "display.json").read_text("utf-8"))


@pytest.mark.parametrize(("ns", "text"), CASES["duration"])
def test_it_writes_a_duration(ns: int | None, text: str) -> None:
    assert wording.duration(ns) == text


@pytest.mark.parametrize(("number", "text"), CASES["count"])
def test_it_writes_a_count(number: int, text: str) -> None:
    assert wording.count(number) == text


@pytest.mark.parametrize(("number", "text"), CASES["size"])
def test_it_writes_a_size(number: int, text: str) -> None:
    assert wording.size(number) == text


@pytest.mark.parametrize(("share", "text"), CASES["percent"])
def test_it_writes_a_share(share: float, text: str) -> None:
    assert wording.percent(share) == text


@pytest.mark.parametrize(("text", "shown"), CASES["visible"])
def test_it_shows_unseen_characters(text: str, shown: str) -> None:
    assert wording.visible(text) == shown


@pytest.mark.parametrize(("text", "limit", "shown"), CASES["cut"])
def test_it_cuts_a_name(text: str, limit: int, shown: str) -> None:
    assert wording.cut(text, limit) == shown


def test_it_writes_a_time_of_the_api_in_utc() -> None:
    assert wording.moment("2026-11-23T02:58:05+01:00") == "23 Nov 2026, 01:58 UTC"


def test_it_shows_half_a_surrogate_pair_by_its_number() -> None:
    assert wording.visible("a\ud83dz") == "a<U+D83D>z"
