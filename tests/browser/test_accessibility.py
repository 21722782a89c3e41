"""Every page, in both themes, against the rules of axe-core; and what those rules cannot see: the keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.test_five_steps import COMPARE, READING, events_in_view, open_timeline
from tests.needs import missing

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
AT_REST = {
    "compare": "#visible-events tbody tr",
    "timeline": "#visible-events tbody tr",
    "path": ".wide-figures tbody tr",
    "sensitivity": "table.sensitivity tbody tr",
    "analysis": ".wide-figures tbody tr",
    "trust": ".trust tbody tr",
}
"""Of each page of a run, what is there once it is drawn."""


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        missing("browser", "axe-core is not installed (npm ci in frontend/)")
    return AXE.read_text()


@pytest.fixture(scope="module")
def addresses(browser: Any, site: Site, cookies: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Of each page its address; those of a run are of a prediction of eight ranks."""
    context = browser.new_context(base_url=site.address)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto("/p/demo/")
    expect(page.locator("tr.ready", has_text="eight GPUs").first).to_be_visible(timeout=READING)
    row = page.locator("tr.ready.measured", has_text="eight GPUs").first
    row.get_by_role("link").first.click()
    page.get_by_role("button", name="Replay").click()
    page.wait_for_url(COMPARE, timeout=READING)
    compare = page.url.split("?")[0]
    run = f"/p/demo/runs/{compare.rstrip('/').split('/')[-1]}/"
    pages = {name: f"{run}{name}/" for name in ("path", "sensitivity", "analysis", "trust")}
    yield {"projects": "/", "project": "/p/demo/", "timeline": run, "compare": compare, **pages, "404": "/p/none/"}
    context.close()


def open_page(page: Page, name: str, address: str) -> None:
    page.goto(address)
    if name in AT_REST:
        expect(page.locator(AT_REST[name]).first).to_be_attached(timeout=READING)
        expect(page.locator(".tabs-end .badge").first).to_be_visible(timeout=READING)


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{rule['impact']} {rule['id']}: {rule['help']}: {[node['html'][:200] for node in rule['nodes'][:3]]}"
        for rule in found
        if rule["impact"] in GRAVE
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["projects", "project", "404", *AT_REST])
def test_no_page_breaks_a_grave_rule(
    page: Page, axe: str, addresses: dict[str, str], name: str, theme: str, complaints: list[str]
) -> None:
    page.add_init_script(f"localStorage.setItem('traceviewer.theme', '{theme}')")
    open_page(page, name, addresses[name])
    assert page.locator("html").get_attribute("data-theme") == theme
    assert violations(page, axe) == []
    if name == "404":
        complaints.clear()  # the browser's own, of the status


def test_the_rules_find_what_is_wrong(page: Page, axe: str) -> None:
    page.goto("/")
    page.evaluate("document.querySelector('label').remove(); document.querySelector('#id_name').placeholder = ''")
    assert any("label" in line for line in violations(page, axe))


def test_a_login_page_and_a_panel_with_a_chosen_slice(
    page: Page, axe: str, addresses: dict[str, str], browser: Any, site: Site
) -> None:
    open_page(page, "timeline", f"{addresses['timeline']}?event=0.400")
    expect(page.get_by_role("button", name="Next")).to_be_visible(timeout=READING)
    assert violations(page, axe) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page, axe) == []
    stranger = browser.new_context(base_url=site.address).new_page()
    stranger.goto("/login/")
    assert violations(stranger, axe) == []
    stranger.context.close()


@pytest.mark.parametrize("name", AT_REST)
def test_the_tab_key_leads_through_a_page_and_out_of_it(page: Page, addresses: dict[str, str], name: str) -> None:
    """Every stop is in view and shows that it has the focus, and none holds it."""
    open_page(page, name, addresses[name])
    page.evaluate("document.activeElement.blur(); document.querySelector('.logo').focus()")
    stops = []
    for _ in range(40):
        stop = page.evaluate(
            """() => {
              const element = document.activeElement;
              if (!element || element === document.body) return null;
              const box = element.getBoundingClientRect();
              const style = getComputedStyle(element);
              const isSeen = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
              const isMarked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
              return [element.outerHTML.slice(0, 120), isSeen, isMarked || !element.matches(':focus-visible')];
            }"""
        )
        if stop is None:
            break
        stops.append(stop)
        page.keyboard.press("Tab")
    assert len({html for html, _, _ in stops}) > min(8, len(stops) - 1)
    assert [stop for stop in stops if not (stop[1] and stop[2])] == []


def test_tables_are_sorted_and_chosen_by_keys(page: Page, addresses: dict[str, str]) -> None:
    open_page(page, "analysis", addresses["analysis"])
    page.get_by_role("tab", name="Kernels", exact=True).focus()
    page.keyboard.press("ArrowRight")
    tab = page.get_by_role("tab", name="Operators", exact=True)
    expect(tab).to_be_focused()
    expect(tab).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name="Operators")).to_be_visible()
    heading = page.get_by_role("columnheader", name=re.compile("^calls"))
    heading.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")


def test_the_picture_can_be_read_without_being_seen(page: Page) -> None:
    open_timeline(page, "eight GPUs")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Timeline of"))
    expect(page.get_by_role("table", name="The longest events in view")).to_be_attached()
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[aria-live=polite]")).to_have_text(re.compile(r"starts at .*, lane \d"))
    expect(events_in_view(page).first).to_be_attached()
