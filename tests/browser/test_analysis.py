"""The analysis page of a run of several ranks: the verdict, the bars, a table, and the way into the timeline."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_five_steps import READING, events_in_view, upload

pytestmark = pytest.mark.browser


def test_it_says_where_the_time_goes(page: Page, samples: Path, screenshots: Path) -> None:
    row = upload(page, samples / "param" / "dlrm_kineto.tar.gz", name="dlrm_kineto")
    row.get_by_role("link").first.click()
    page.get_by_role("link", name="Analysis").click()
    expect(page.locator(".large-figure")).to_have_text("CPU-bound", timeout=READING)
    expect(page.locator(".bar-line")).to_have_count(8)
    table = page.locator(".wide-figures tbody tr")
    expect(table.first).to_contain_text("ncclKernel_SendRecv")
    page.screenshot(path=screenshots / "7-analysis.png", full_page=True)

    page.get_by_label("Rank").select_option("3")
    expect(page.locator(".bar-line")).to_have_count(1)
    page.get_by_role("tab", name="Operators", exact=True).click()
    page.get_by_label("Filter Operators").fill("aten::mm")
    expect(table).to_have_count(1)
    assert re.search(r"rank=3&table=ops", page.url)
    page.reload()
    expect(page.get_by_role("tab", name="Operators", exact=True)).to_have_attribute("aria-selected", "true")

    page.get_by_role("tab", name="Kernels", exact=True).click()
    page.get_by_role("button", name="count").click()
    page.get_by_label("Filter Kernels").fill("AllReduce")
    page.get_by_role("link", name="ncclKernel_AllReduce").click()
    expect(events_in_view(page).first).to_be_attached(timeout=READING)
    expect(page.get_by_role("complementary")).to_contain_text("ncclKernel_AllReduce")
    assert re.search(r"event=3\.\d+", page.url)

    # From there through all of its name, by buttons and by keys.
    details = page.get_by_role("complementary")
    expect(details).to_contain_text(re.compile(r"\d+ of 24"), timeout=READING)
    details.get_by_role("button", name="Next").click()
    before = page.url
    page.wait_for_function("before => location.href !== before", arg=before)
    second = details.get_by_role("status").inner_text()
    page.get_by_role("application").focus()
    page.keyboard.press("p")
    expect(details.get_by_role("status")).not_to_have_text(second)
    expect(details).to_contain_text("ncclKernel_AllReduce")
    page.screenshot(path=screenshots / "7-same-name.png")
