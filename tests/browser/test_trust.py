"""The page *How far can I trust this*: reached from a run, worked out by a job, read from top to bottom."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

READING = 60_000  # milliseconds


def test_it_says_how_far_a_run_can_be_trusted(page: Page, samples: Path, screenshots: Path) -> None:
    page.goto("/p/demo/")
    page.get_by_label("Trace files of one run").set_input_files(samples / "hta" / "ns_resolution.json.gz")
    row = page.locator("tr", has_text="ns_resolution").first
    expect(row).to_contain_text("ready", timeout=READING)
    row.get_by_role("link").first.click()
    page.get_by_role("link", name="Trust").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("can be trusted"), timeout=READING)
    expect(page.get_by_role("row", name=re.compile("Replay with the run's own durations"))).to_contain_text("kept")
    expect(page.get_by_text("Left out, because the run was still getting up to speed: 101; 102")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("host sync")).first).to_be_visible()
    page.screenshot(path=screenshots / "7-trust.png", full_page=True)
    page.reload()  # kept: no second job
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("can be trusted"))
    page.set_viewport_size({"width": 420, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    page.screenshot(path=screenshots / "7-trust-narrow.png")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("section", has_text="The worst events").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"event=0\.\d+"))
    expect(page.get_by_role("complementary")).to_be_visible(timeout=READING)


def test_a_run_of_one_host_thread_says_so(page: Page, tmp_path: Path, screenshots: Path) -> None:
    steps = [{"name": f"ProfilerStep#{i}", "cat": "user_annotation", "ts": 1000 * i, "dur": 900} for i in range(4)]
    ops = [{"name": "aten::mm", "cat": "cpu_op", "ts": 1000 * i + 100, "dur": 700} for i in range(4)]
    events = [{"ph": "X", "pid": 1, "tid": 1, **event} for event in steps + ops]
    path = tmp_path / "one-thread.json"
    path.write_text(json.dumps({"traceEvents": events}))
    page.goto("/p/demo/")
    page.get_by_label("Trace files of one run").set_input_files(path)
    row = page.locator("tr.ready", has_text="one-thread").first
    expect(row).to_be_visible(timeout=READING)
    row.get_by_role("link").first.click()
    page.get_by_role("link", name="Trust").click()
    expect(page.get_by_text("says little about the model")).to_be_visible(timeout=READING)
    page.get_by_text("admin").first.click()
    page.get_by_role("button", name="Dark").click()
    page.keyboard.press("Escape")
    page.screenshot(path=screenshots / "7-trust-untested.png", full_page=True)
