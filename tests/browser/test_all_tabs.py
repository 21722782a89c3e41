"""Through all pages of the demo's run of eight ranks: replayed, compared, and asked what it is worth."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_five_steps import COMPARE, READING, events_in_view, open_timeline

pytestmark = pytest.mark.browser

TABS = ["Timeline", "Compare", "Critical path", "Sensitivity", "Analysis", "Trust"]
FIGURE = re.compile(r"\d (ns|us|ms|s)")


def expect_tabs(page: Page, current: str) -> None:
    """All of a predicted run's, with the open one marked."""
    tabs = page.get_by_role("navigation", name="Run")
    expect(tabs.locator("> a")).to_have_text(TABS)  # what one must know of the run stands beside them
    expect(tabs.locator("[aria-current=page]")).to_have_text(current)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Run").get_by_role("link", name=name, exact=True).click()
    expect_tabs(page, name)


def test_all_tabs_of_a_run_of_eight_ranks(page: Page, screenshots: Path) -> None:
    page.goto("/p/demo/")
    expect(page.locator("tr.ready", has_text="eight GPUs").first).to_be_visible(timeout=READING)
    open_timeline(page, "eight GPUs")
    page.get_by_role("button", name="Replay").click()
    page.wait_for_url(COMPARE, timeout=READING)

    expect_tabs(page, "Compare")
    figures = page.get_by_role("complementary")
    steps = figures.get_by_role("button", name=re.compile(r"^1[0-3], rank [0-7]$"))
    expect(steps).to_have_count(8, timeout=READING)
    expect(figures).to_contain_text(re.compile(r"error\s+[+−]?\d"))
    path = figures.locator("section", has_text="What decides how long it takes").get_by_role("row")
    expect(path.first).to_contain_text(FIGURE)
    expect(path.first).to_be_in_viewport()  # the steps of eight ranks do not push it below the fold
    expect(events_in_view(page).first).to_be_attached(timeout=READING)
    page.screenshot(path=screenshots / "8-compare.png")
    figures.get_by_role("button", name="Show all 32").click()
    expect(steps).to_have_count(32)

    open_tab(page, "Timeline")
    expect(events_in_view(page).first).to_be_attached(timeout=READING)
    page.screenshot(path=screenshots / "8-timeline.png")

    open_tab(page, "Critical path")
    expect(page.get_by_role("heading", name="What decides how long it takes")).to_be_visible(timeout=READING)
    longest = page.locator("section", has=page.get_by_role("heading", name="The longest segments"))
    expect(longest.locator("tbody tr")).to_have_count(50, timeout=READING)
    page.screenshot(path=screenshots / "8-path.png", full_page=True)
    longest.get_by_role("link").first.click()
    expect(page.get_by_role("complementary")).to_contain_text("Selected slice", timeout=READING)
    assert re.search(r"event=\d\.\d+", page.url)

    open_tab(page, "Sensitivity")
    expect(page.locator("table.sensitivity tbody tr").first).to_contain_text(FIGURE, timeout=READING)
    page.screenshot(path=screenshots / "8-sensitivity.png")

    open_tab(page, "Analysis")
    expect(page.locator(".large-figure")).to_have_text("GPU-bound", timeout=READING)
    bar = page.locator(".bar-line .bar").first.bounding_box()
    assert bar is not None and bar["width"] > 600  # the bars take the width of the page
    expect(page.locator(".wide-figures tbody tr").first).to_contain_text(FIGURE, timeout=READING)
    page.screenshot(path=screenshots / "8-analysis.png", full_page=True)

    open_tab(page, "Trust")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("can be trusted"), timeout=READING)
    expect(page.get_by_role("row", name=re.compile("from the other steps, on average"))).to_contain_text("kept")
    page.screenshot(path=screenshots / "8-trust.png", full_page=True)

    open_tab(page, "Compare")
    expect(steps).to_have_count(8, timeout=READING)
