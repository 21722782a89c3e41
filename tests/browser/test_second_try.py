"""When a first try was not good: a better file for a failed run, a stale prediction made anew, clocks that differ."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.simulation.job import Job
from tests.traceviewer.processes import until

pytestmark = pytest.mark.browser

READING = 60_000  # milliseconds
SKEW_NS = 1_200_000


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two ranks that meet nine times, the second on a clock that is ahead."""
    job = Job([0, SKEW_NS])
    for _ in range(9):
        job.collective((0, 1))
    folder = tmp_path_factory.mktemp("ranks")
    paths = [folder / f"twice-rank{rank}.json" for rank in range(2)]
    for rank, (path, events) in enumerate(zip(paths, job.events, strict=True)):
        entries = [event.entry() for event in events]
        path.write_text(json.dumps({"distributedInfo": {"rank": rank}, "traceEvents": entries}))
    return paths


def pick(page: Page, action: str) -> None:
    page.locator(".tabs").get_by_role("button", name=re.compile("^Actions on")).click()
    page.locator(":popover-open .menu-item", has_text=action).click()


def test_a_failed_run_gets_a_better_file(page: Page, ranks: list[Path], tmp_path: Path, screenshots: Path) -> None:
    broken = tmp_path / "twice-broken.json"
    broken.write_text("This is not what a profiler writes.")
    page.goto("/p/demo/")
    page.get_by_label("Trace files of one run").set_input_files([ranks[0], broken])
    row = page.locator("tr.failed", has_text="twice")
    expect(row).to_be_visible(timeout=READING)
    row.get_by_role("button", name=re.compile("^Actions on")).click()
    page.locator(":popover-open .menu-item", has_text="Files and ranks").click()
    line = page.get_by_role("dialog").locator("tr", has_text="twice-broken.json")
    with page.expect_file_chooser() as chooser:
        line.get_by_role("button", name="Replace").click()
    page.screenshot(path=screenshots / "7-files.png")
    chooser.value.set_files(ranks[1])
    ready = page.locator("tr.ready", has_text="twice")
    expect(ready).to_contain_text("ready", timeout=READING)
    expect(ready.locator("td.figure").first).to_have_text("2")


def test_a_comparison_says_that_its_prediction_is_stale_and_takes_the_clocks(page: Page, screenshots: Path) -> None:
    page.goto("/p/demo/")
    page.locator("tr.ready", has_text="twice").get_by_role("link").first.click()
    page.get_by_role("button", name="Replay").click()
    page.wait_for_url(re.compile("/compare/"), timeout=READING)
    address = page.url

    clocks = page.get_by_role("group", name="Clocks")
    expect(clocks).to_contain_text("rank 1 +1.20 ms")
    recorded = page.locator(".large-figure").inner_text()
    clocks.get_by_role("button", name="aligned", exact=True).click()
    expect(page).to_have_url(re.compile("clock=aligned"))
    expect(page.locator(".large-figure")).not_to_have_text(recorded)
    page.reload()
    pressed = page.get_by_role("group", name="Clocks").locator("[aria-pressed=true]")
    expect(pressed).to_have_text("aligned")

    measured = re.search("/compare/([^/]+)/", address)
    assert measured is not None
    page.goto(f"/p/demo/runs/{measured[1]}/")
    expect(page.get_by_role("button", name="Replay")).to_be_visible(timeout=READING)
    with page.expect_response(lambda answer: "/reread/" in answer.url):
        pick(page, "Read again")
    page.goto("about:blank")  # the run's page would load itself again when the job is over
    until(lambda: page.request.get(f"/api/v1/runs/{measured[1]}/").json()["job"]["state"] == "succeeded")
    page.goto(address)
    banner = page.locator(".run-banner")
    expect(banner).to_contain_text("This prediction is stale: The run was read again.", timeout=READING)
    page.screenshot(path=screenshots / "7-stale.png")
    banner.get_by_role("button", name="Replay anew").click()
    page.wait_for_url(lambda url: "/compare/" in url and url.split("?")[0] != address.split("?")[0], timeout=READING)
    expect(page.locator(".large-figure")).to_be_visible(timeout=READING)
    expect(page.locator(".run-banner")).to_have_count(0)
