"""A whole traceviewer in a home of its own, and Debian's chromium looking at it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.needs import missing

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READY_SECONDS = 120
expect.set_options(timeout=20_000)  # milliseconds: of a machine that has other work, too
SCREENSHOTS = Path(__file__).parent / "screenshots"


@dataclass
class Site:
    """A traceviewer in its home, at its port: started, stopped, started again as the same."""

    home: Path
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home / "up.log"

    def start(self) -> None:
        """Returns once it answers."""
        command = [sys.executable, "-m", "traceviewer.cli", "up", "--port", str(self.port)]
        environment = {**os.environ, "TRACEVIEWER_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}
        del environment["DJANGO_SETTINGS_MODULE"]  # the product's own settings, not the tests'
        with self.log.open("w") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        deadline = time.monotonic() + READY_SECONDS
        while self.address not in self.log.read_text():
            assert self.server.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(timeout=60)

    @property
    def login_link(self) -> str:
        """Logs the first user in, once."""
        found = re.search(r"http://\S+sesame=\S+", self.log.read_text())
        assert found is not None, self.log.read_text()
        return found.group()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site = Site(tmp_path_factory.mktemp("home"), port)
    site.start()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A chromium. Not for longer than a module: Playwright's event loop is in the way of asynchronous tests."""
    if CHROMIUM is None:
        missing("browser", "chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def cookies(site: Site) -> list[dict[str, str]]:
    """Of the first user's session; the link works once, so it is followed once."""
    jar = CookieJar()
    build_opener(HTTPCookieProcessor(jar)).open(site.login_link).close()
    return [{"name": cookie.name, "value": cookie.value or "", "url": site.address} for cookie in jar]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of. A test that provokes it clears the list."""
    return []


@pytest.fixture
def page(browser: Browser, site: Site, cookies: list[dict[str, str]], complaints: list[str]) -> Iterator[Page]:
    """A page of the first user. Whatever the browser complains of fails the test."""
    context = browser.new_context(base_url=site.address, viewport={"width": 1440, "height": 900})
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert not complaints


@pytest.fixture(scope="session")
def screenshots() -> Path:
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS
