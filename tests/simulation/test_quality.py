"""The quality report: counts, and names of what was touched."""

from __future__ import annotations

import json

import pytest

from simulation.quality import MESSAGES, NAME_CHARS, SHOWN, QualityReport, counted


def message(report: QualityReport) -> str:
    (finding,) = report
    return finding.message


def test_it_adds_up_and_names_what_was_touched() -> None:
    report = QualityReport()
    report.add("ranks_missing", 2, ["3", "5"])
    report.add("ranks_missing", 1, ["9"])
    assert report.count("ranks_missing") == 3
    assert message(report) == "ranks of the job have no file in this run: 3, 5, 9"


def test_it_speaks_of_one_as_of_one() -> None:
    report = QualityReport()
    report.add("ranks_missing", 1, ["3"])
    assert message(report) == "rank of the job has no file in this run: 3"


def test_every_message_goes_on_from_its_count() -> None:
    for code, text in MESSAGES.items():
        one, several = counted(text, 1), counted(text, 2)
        assert one != several and not {"[", "|", "]"} & {*one, *several}, code


def test_it_names_some_of_many_and_not_all_of_a_long_name() -> None:
    report = QualityReport()
    report.add("files_skipped", 100, ["n" * 500] * 100)
    assert report.which("files_skipped") == ["n" * NAME_CHARS] * SHOWN
    assert message(report).endswith("n, ...")


def test_nothing_found_leaves_no_line() -> None:
    report = QualityReport()
    report.add("no_steps", 0, ["x"])
    assert (len(report), list(report), report.stored()) == (0, [], {})


def test_it_comes_back_from_the_store_as_it_was() -> None:
    report = QualityReport()
    report.add("no_steps", 2)
    report.add("ranks_missing", 1, ["7"])
    opened = QualityReport(json.loads(json.dumps(report.stored())))
    assert list(opened) == list(report)


def test_it_opens_a_report_without_names() -> None:
    assert QualityReport({"no_steps": 2}).counts() == {"no_steps": 2}


def test_the_report_of_a_run_is_the_sum_of_its_traces() -> None:
    one, other = QualityReport(), QualityReport({"no_steps": 2})
    one.add("no_steps")
    one.add("files_skipped", 1, ["README"])
    total = QualityReport.merged([one, other])
    assert (total.counts(), total.which("files_skipped")) == ({"no_steps": 3, "files_skipped": 1}, ["README"])


def test_a_code_needs_a_message() -> None:
    with pytest.raises(KeyError, match="no_such_code"):
        QualityReport().add("no_such_code")
