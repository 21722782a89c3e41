"""What is done to a run from its menu: name, tags, and out again, to a file or to Perfetto."""

import gzip
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

READING = 60_000  # milliseconds
PERFETTO = """<!doctype html><title>a stand-in that speaks the protocol</title><script>
addEventListener('message', async ({ data, origin, source }) => {
  if (data === 'PING') return source.postMessage('PONG', origin);
  const unpacked = new Blob([data.perfetto.buffer]).stream().pipeThrough(new DecompressionStream('gzip'));
  window.text = await new Response(unpacked).text();
});
</script>"""


def pick(page: Page, row: Locator, action: str) -> None:
    row.get_by_role("button", name=re.compile("^Actions on")).click()
    page.locator(":popover-open .menu-item", has_text=action).click()


def demo(page: Page) -> Locator:
    page.goto("/p/demo/")
    row = page.locator("tr.ready", has_text="transformer").first
    expect(row).to_be_visible(timeout=READING)
    return row


def slices(text: str) -> int:
    return sum(event["ph"] == "X" for event in json.loads(text)["traceEvents"])


def test_it_renames_a_run_and_finds_it_by_its_tag(page: Page, screenshots: Path) -> None:
    row = demo(page)
    name = row.get_by_role("link").first.inner_text()
    pick(page, row, "Rename")
    expect(page.get_by_label("Name of the run")).to_be_focused()
    page.keyboard.type(f"{name}, as recorded")
    page.keyboard.press("Enter")
    expect(row.get_by_role("link").first).to_have_text(f"{name}, as recorded")
    pick(page, row, "Tags")
    expect(page.get_by_label("New tag")).to_be_focused()
    page.keyboard.type("two ranks")
    page.keyboard.press("Enter")
    expect(row.locator(".tag")).to_have_text("two ranks✕")
    page.keyboard.press("Escape")
    row.get_by_role("link", name="two ranks", exact=True).click()
    page.wait_for_url(re.compile(r"\?tag=two%20ranks"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.screenshot(path=screenshots / "6-tagged.png")
    page.goto("/p/demo/?tag=none%20has%20it")
    expect(page.locator("body")).to_contain_text("No run has this tag")


def test_it_exports_what_is_in_view_and_hands_all_of_it_to_perfetto(page: Page, screenshots: Path) -> None:
    page.context.route(
        "https://ui.perfetto.dev/**", lambda route: route.fulfill(body=PERFETTO, content_type="text/html")
    )
    demo(page).get_by_role("link").first.click()
    expect(page.locator("#visible-events tbody tr").first).to_be_attached(timeout=READING)
    page.keyboard.press("w")
    page.keyboard.down("w")
    page.wait_for_timeout(500)
    page.keyboard.up("w")
    pick(page, page.locator(".tabs"), "Export")
    page.screenshot(path=screenshots / "6-export.png")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Open in Perfetto").click()
    expect(page.get_by_role("dialog")).to_contain_text("Handed over", timeout=READING)
    opened.value.wait_for_function("window.text")
    whole = slices(opened.value.evaluate("window.text"))
    page.get_by_text("What is in view").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    part = slices(gzip.decompress(download.value.path().read_bytes()).decode())
    assert 0 < part < whole
