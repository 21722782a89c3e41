"""The figures of a run by REST and on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from typer.testing import CliRunner

from simulation.analysis.report import SECTIONS, analyze
from simulation.analysis.selection import Selection
from simulation.run import read_run
from tests.traceviewer.reading import as_user, contents, read
from traceviewer.accounts.models import Project
from traceviewer.analysis_text import NEEDS, RENDERERS
from traceviewer.cli import app
from traceviewer.runs.models import Run


@pytest.fixture
def run(project: Project, bob: User, demo_files: list[Path]) -> Run:
    return read(project, contents(demo_files), bob)


@pytest.fixture
def client(victor: User, run: Run) -> Client:
    return as_user(victor)


def ask(client: Client, run: Run, **query: str) -> Any:
    return client.get(f"/api/v1/runs/{run.pk}/analysis/", query)


@pytest.mark.django_db(transaction=True)
class TestRest:
    def test_it_answers_what_the_engine_says(self, client: Client, run: Run, demo_files: list[Path]) -> None:
        figures = ask(client, run).json()
        assert set(SECTIONS) <= set(figures)
        assert figures == json.loads(json.dumps(analyze(read_run(demo_files))))

    def test_it_answers_the_sections_ranks_and_steps_asked_for(
        self, client: Client, run: Run, demo_files: list[Path]
    ) -> None:
        whole = analyze(read_run(demo_files), sections=["ops"])
        step = whole["steps"][0]
        figures = ask(client, run, sections="ops,idle", ranks="1", steps=str(step)).json()
        assert (figures["ranks"], figures["steps"]) == ([1], [step])
        assert set(SECTIONS) & set(figures) == {"ops", "idle"}
        chosen = Selection(frozenset([1]), frozenset([step]))
        assert figures["ops"] == json.loads(json.dumps(analyze(read_run(demo_files), chosen, ["ops"])["ops"]))
        assert figures["ops"]["ops"][0]["count"] < whole["ops"]["ops"][0]["count"]

    @pytest.mark.parametrize("query", [{"sections": "nonsense"}, {"ranks": "one"}, {"steps": ""}, {"clock": "wall"}])
    def test_it_refuses_what_it_does_not_know(self, client: Client, run: Run, query: dict[str, str]) -> None:
        refused = ask(client, run, **query)
        assert refused.status_code == 400
        assert next(iter(query)) in json.dumps(refused.json())

    def test_it_waits_for_the_run(self, client: Client, run: Run) -> None:
        Run.objects.filter(pk=run.pk).update(state=Run.State.READING)
        assert ask(client, run).json()["code"] == "not_ready"

    def test_the_page_is_a_tab_of_the_run(self, client: Client, run: Run) -> None:
        address = f"/p/{run.project.slug}/runs/{run.pk}/"
        assert f'href="{address}analysis/"' in client.get(address).content.decode()
        page = client.get(f"{address}analysis/").content.decode()
        assert "analysis.js" in page and f'href="{address}"' in page


def command(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["analyze", *arguments])


def test_the_command_prints_the_same_figures(demo_files: list[Path]) -> None:
    printed = command(*map(str, demo_files), "--json", "--rank", "0")
    chosen = Selection(frozenset([0]))
    assert json.loads(printed.stdout) == json.loads(json.dumps(analyze(read_run(demo_files), chosen)))


def test_the_command_prints_tables(demo_files: list[Path]) -> None:
    printed = command(*map(str, demo_files), "--section", "ops", "--top", "3").stdout
    assert printed.startswith("Operators") and "aten::" in printed and "more; --top" in printed
    assert "Kernels" not in printed


def test_every_section_prints(samples: Path) -> None:
    printed = command(str(samples / "tracelens" / "h100" / "bert-small.json.gz"), "--top", "2")
    assert printed.exit_code == 0
    for title in ("Breakdown", "Who holds up whom", "Kernels by operator", "Modules", "Memory", "FLOPs and bytes"):
        assert title in printed.stdout


def test_it_says_what_a_trace_lacks(demo_files: list[Path]) -> None:
    """The demo ran on processors alone: no table of a device, no column without a figure."""
    printed = command(*map(str, demo_files)).stdout
    told, _, untold = printed.partition("Nothing to say")
    assert "Breakdown" not in told and "device, direct all 0" in told and "aten::" in told
    named = {line.split()[0] for line in untold.splitlines()[2:] if line.strip() and not line.startswith(" ")}
    assert {"breakdown", "idle", "kernels", "roofline", "fusion"} <= named <= set(SECTIONS)
    assert "ops" not in named and "collectives" not in named


def test_every_section_can_be_told_or_named() -> None:
    assert set(RENDERERS) == set(NEEDS) == set(SECTIONS)


@pytest.mark.parametrize(("option", "value"), [("--section", "nonsense"), ("--rank", "7")])
def test_the_command_refuses_what_there_is_not(demo_files: list[Path], option: str, value: str) -> None:
    refused = command(*map(str, demo_files), option, value)
    assert refused.exit_code == 2
