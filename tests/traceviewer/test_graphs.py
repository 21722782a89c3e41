"""Execution traces on the web side: where times come from is said, and a pair of files is one rank."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from tests.simulation.nodes import HEADER, framed, node4
from tests.traceviewer.reading import as_user, contents, read
from traceviewer.accounts.models import Project

pytestmark = pytest.mark.django_db(transaction=True)

COMP = 4


def test_it_says_that_times_were_placed(project: Project, bob: User) -> None:
    file = framed(HEADER, node4(1, COMP, "a", dur_us=3), node4(2, COMP, "b", data=[1], dur_us=2))
    run = read(project, {"job.3.et": file}, bob)
    found = as_user(bob).get(f"/api/v1/runs/{run.pk}/").json()
    assert (found["state"], found["placed"], found["span_ns"]) == ("ready", "replay", 5_000)
    assert [trace.rank for trace in run.traces.all()] == [3]
    layout = as_user(bob).get(f"/api/v1/runs/{run.pk}/timeline/").json()
    assert (layout["placed"], layout["placing"]) == ("replay", ["data and control"])


def test_it_makes_one_rank_of_a_pair(project: Project, bob: User, samples: Path) -> None:
    files = [samples / f"torch_cpu/ddp_2layer/{kind}_rank0.json.gz" for kind in ("et", "kineto")]
    run = read(project, contents(files), bob)
    found = as_user(bob).get(f"/api/v1/runs/{run.pk}/").json()
    assert (found["state"], found["ranks"], found["placed"]) == ("ready", 1, "recorded")
    assert {original["file_name"] for original in found["originals"]} == {file.name for file in files}
    assert "trace-0/paired/events.arrow" in run.files
