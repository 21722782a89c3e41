"""An upload that a restart of the server and a reload of the page interrupt goes on, and no byte is lost."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Site

pytestmark = pytest.mark.browser

PARTS = 38  # 319 MB
PART_BYTES = 8 * 2**20  # as frontend/src/uploads/resumable.ts sends them
UPLOAD = re.compile(r"/api/v1/uploads/")
READING = 120_000  # milliseconds


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One trace of a few parts in which no two are alike: numbers, and in between room without events."""
    path = tmp_path_factory.mktemp("traces") / "long rank0.json"
    with path.open("w") as file:
        file.write('{"traceEvents": [')
        for number in range(PARTS):
            event = f'{{"ph": "X", "pid": 1, "tid": 1, "name": "part {number}", "ts": {number * 100}, "dur": 50}}'
            file.write(f"{',' if number else ''}\n{event}" + " " * (number + 1) + "\t\n" * (PART_BYTES // 2 - 500))
        file.write("]}")
    return path


def offsets(requests: list[Request]) -> list[int]:
    return [int(request.headers["upload-offset"]) for request in requests if request.method == "PATCH"]


@pytest.fixture
def patched(page: Page) -> Iterator[list[Request]]:
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request) if UPLOAD.search(request.url) else None)
    yield requests


def test_it_goes_on_after_a_restart_of_the_server_and_after_a_reload(
    page: Page,
    site: Site,
    cookies: list[dict[str, str]],
    trace: Path,
    patched: list[Request],
    screenshots: Path,
    complaints: list[str],
) -> None:
    def restart(route: Route) -> None:
        route.continue_()
        if route.request.method == "PATCH" and int(route.request.headers["upload-offset"]) == PART_BYTES:
            page.unroute(UPLOAD)
            site.stop()

    page.goto("/p/demo/")
    page.route(UPLOAD, restart)
    page.get_by_label("Trace files of one run").set_input_files(trace)
    row = page.locator("tr.uploading")
    expect(row).to_contain_text("waiting for the server", timeout=30_000)
    page.screenshot(path=screenshots / "5-waiting.png")

    # Once the server is back, the page goes on; and is left while a part is on its way.
    page.route(UPLOAD, lambda route: hold_back(page, route))
    site.start()
    expect(page.locator("html")).to_have_attribute("data-held", "yes", timeout=60_000)
    page.unroute(UPLOAD)
    before = offsets(patched)
    assert before.count(0) == 1
    page.reload()

    left = page.locator("tr.unfinished")
    expect(left).to_contain_text("arrived before the page was left")
    page.screenshot(path=screenshots / "5-left-behind.png")
    patched.clear()
    page.get_by_label("Trace files of one run").set_input_files(trace)
    expect(page.locator("tr.ready", has_text="long")).to_be_visible(timeout=READING)
    expect(left).to_have_count(0)
    after = offsets(patched)
    assert after[0] > 0 and after == sorted(set(after))
    complaints.clear()  # the browser's own, of requests that found no server

    run = page.locator("tr.ready", has_text="long").get_by_role("link").first.get_attribute("href")
    stored = f"{site.address}/api/v1/runs/{run.split('/')[-2]}/originals/0/"
    session = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)
    with urlopen(UrlRequest(stored, headers={"Cookie": session})) as arrived, trace.open("rb") as sent:
        assert hashlib.file_digest(arrived, "sha256").digest() == hashlib.file_digest(sent, "sha256").digest()


def hold_back(page: Page, route: Route) -> None:
    """Let parts through but the last but one, and mark the page when that is to be sent."""
    request = route.request
    if request.method == "PATCH" and int(request.headers["upload-offset"]) == (PARTS - 2) * PART_BYTES:
        page.evaluate("document.documentElement.dataset.held = 'yes'")
    else:
        route.continue_()
