"""What a newcomer does: open, drop a trace, look, replay, compare. Leaves a screenshot of each step."""

import gzip
import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

READING = 60_000  # milliseconds until a trace of 40,000 events is on the page, on a slow machine
COMPARE = re.compile(r"/compare/")


@pytest.fixture(scope="module")
def trace(samples: Path) -> Path:
    return samples / "hta" / "nccl_data.json.gz"


def upload(page: Page, *files: Path, name: str) -> Locator:
    """Hand files to the project page as the file dialog does; the run's row once it is ready."""
    page.goto("/p/demo/")
    page.get_by_label("Trace files of one run").set_input_files(files)
    row = page.locator("tr", has_text=name).first
    expect(row).to_contain_text("ready", timeout=READING)
    return row


def open_run(page: Page, origin: str, name: str) -> None:
    """The newest run of this name that is `measured` or `predicted`."""
    page.goto("/p/demo/")
    page.locator(f"tr.ready.{origin}", has_text=name).first.get_by_role("link").first.click()


def open_timeline(page: Page, name: str) -> None:
    open_run(page, "measured", name)
    expect(page.get_by_role("application")).to_be_visible()
    expect(events_in_view(page).first).to_be_attached(timeout=READING)


def events_in_view(page: Page) -> Locator:
    return page.locator("#visible-events tbody tr")


def painted_share(page: Page) -> float:
    """Share of the canvas' middle that is neither background nor text: slices, when a timeline is drawn."""
    return page.evaluate(
        """() => {
          const canvases = [...document.querySelectorAll('canvas')];
          const canvas = canvases.reduce((a, b) => (a.width * a.height > b.width * b.height ? a : b));
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let coloured = 0;
          for (let i = 0; i < data.length; i += 4) {
            const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
            if (data[i + 3] && Math.max(r, g, b) - Math.min(r, g, b) > 40) coloured++;
          }
          return coloured / (data.length / 4);
        }"""
    )


def expect_painted(page: Page, least: float = 0.02) -> None:
    """Tiles come when they come: wait for the timeline to be drawn."""
    deadline = time.monotonic() + READING / 1000
    while painted_share(page) <= least:
        assert time.monotonic() < deadline, f"less than {least:.0%} of the canvas is drawn"
        page.wait_for_timeout(100)


def expect_at_rest(page: Page) -> list[str]:
    """What is in view once neither it nor the address changes any more."""
    before: tuple[str, list[str]] | None = None
    deadline = time.monotonic() + READING / 1000
    while before != (now := (page.url, events_in_view(page).all_inner_texts())):
        assert time.monotonic() < deadline, "the view does not come to rest"
        before = now
        page.wait_for_timeout(1000)
    return now[1]


def test_it_shows_the_demo_run_at_once(page: Page, screenshots: Path) -> None:
    page.goto("/p/demo/")
    row = page.locator("tr", has_text="ready").first
    expect(row).to_be_visible(timeout=READING)
    page.screenshot(path=screenshots / "1-project.png")


def test_it_shows_the_generated_run_of_eight_ranks(page: Page, screenshots: Path) -> None:
    page.goto("/p/demo/")
    expect(page.locator("tr.ready.measured", has_text="eight GPUs")).to_be_visible(timeout=READING)
    open_timeline(page, "eight GPUs")
    expect(page.get_by_role("button", name="ProfilerStep#11").first).to_be_visible()
    expect_painted(page)
    page.screenshot(path=screenshots / "1-generated.png")


def test_it_reads_a_dropped_trace(page: Page, trace: Path, screenshots: Path) -> None:
    row = upload(page, trace, name="nccl_data")
    expect(row).to_contain_text("222 ms")  # the median of three steps
    page.screenshot(path=screenshots / "2-uploaded.png")


def test_it_says_what_is_wrong_with_a_broken_file(page: Page, tmp_path: Path, screenshots: Path) -> None:
    broken = tmp_path / "no trace.json"
    broken.write_text("This is not what a profiler writes.")
    page.goto("/p/demo/")
    page.get_by_label("Trace files of one run").set_input_files(broken)
    expect(page.locator("tr.failed", has_text="no trace")).to_be_visible(timeout=READING)
    expect(page.locator("tr.reason").first).to_contain_text("no trace.json")
    expect(page.locator("body")).not_to_contain_text("Traceback")
    page.screenshot(path=screenshots / "2-broken.png")


def test_it_draws_the_timeline(page: Page, trace: Path, screenshots: Path) -> None:
    open_timeline(page, "nccl_data")
    expect(page.get_by_role("button", name="ProfilerStep#5")).to_be_visible()
    expect_painted(page)
    page.screenshot(path=screenshots / "3-timeline.png")


def test_it_zooms_and_pans_by_keys_and_keeps_the_view_in_the_address(page: Page, screenshots: Path) -> None:
    open_timeline(page, "nccl_data")
    whole = page.url
    page.get_by_role("button", name="ProfilerStep#5").click()
    page.get_by_role("application").focus()
    for key in ("w", "w", "d"):
        page.keyboard.down(key)
        page.wait_for_timeout(300)
        page.keyboard.up(key)
    page.wait_for_function("before => location.href !== before", arg=whole)
    seen = expect_at_rest(page)
    page.screenshot(path=screenshots / "3-zoomed.png")
    assert seen
    page.reload()
    expect(events_in_view(page).first).to_be_attached(timeout=READING)
    expect(events_in_view(page)).to_have_text([text.replace("\t", "") for text in seen])


def test_it_shows_an_event_as_the_file_has_it(page: Page, trace: Path, screenshots: Path) -> None:
    open_timeline(page, "nccl_data")
    box = page.get_by_role("application").bounding_box()
    assert box is not None
    tooltip = page.locator(".tooltip")
    for y in range(int(box["y"]) + 110, int(box["y"] + box["height"]), 7):
        page.mouse.move(box["x"] + box["width"] * 0.6, y)
        page.wait_for_timeout(100)
        if tooltip.count():
            break
    expect(tooltip).to_contain_text(re.compile(r"\d (ns|us|ms|s) at "))
    page.screenshot(path=screenshots / "3-hover.png")
    page.mouse.down()
    page.mouse.up()
    details = page.get_by_role("complementary")
    expect(details).to_contain_text("Duration")
    page.wait_for_function("() => location.search.includes('event=')")
    page.screenshot(path=screenshots / "3-details.png")
    place = re.search(r"event ([\d,]+)", details.inner_text())
    assert place is not None
    events = json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    event = events[int(place.group(1).replace(",", ""))]
    pairs = page.evaluate("() => [...document.querySelectorAll('.args > *')].map((e) => e.textContent)")
    for key, value in event["args"].items():
        assert any(text.startswith(key) and json.dumps(value) in text for text in pairs), (key, value, pairs)


def test_it_replays_and_shows_both_runs_on_one_axis(page: Page, screenshots: Path) -> None:
    open_timeline(page, "nccl_data")
    page.get_by_role("button", name="Replay").click()
    page.wait_for_url(COMPARE, timeout=READING)
    expect(events_in_view(page).first).to_be_attached(timeout=READING)
    figures = page.get_by_role("complementary")
    for step in ("4", "5", "6"):
        expect(figures.get_by_role("button", name=step, exact=True)).to_be_visible()
    expect(figures).to_contain_text(re.compile(r"error\s+[+-]?\d"))
    expect_painted(page)
    page.screenshot(path=screenshots / "4-compare.png")
    figures.get_by_role("button", name="5", exact=True).click()
    expect_at_rest(page)
    expect_painted(page)
    page.screenshot(path=screenshots / "4-compare-step.png")


def test_it_says_what_would_make_the_run_faster(page: Page, screenshots: Path) -> None:
    open_run(page, "predicted", "nccl_data")
    page.get_by_role("link", name="Sensitivity").click()
    rows = page.locator("table.sensitivity tbody tr")
    expect(rows.first).to_contain_text(re.compile(r"\d (us|ms)"), timeout=READING)
    page.screenshot(path=screenshots / "5-sensitivity.png")
    of_step = rows.first.inner_text()
    page.get_by_role("button", name="whole run").click()
    expect(rows.first).not_to_have_text(of_step)
    page.get_by_label("Kind").select_option("kernel")
    page.get_by_label("Filter by name").fill("nccl allreduce")
    expect(rows).to_have_count(1)
    page.screenshot(path=screenshots / "5-sensitivity-filtered.png")
    rows.first.get_by_role("link").click()
    expect(page.get_by_role("complementary")).to_contain_text("AllReduce", timeout=READING)
    assert "event=" in page.url
