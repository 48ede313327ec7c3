"""Everybody can use the page: nothing serious for axe-core in any of its states, and the focus is always seen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import serious_findings
from tests.browser.conftest import live_page
from tests.browser.live_page import LivePage
from tests.iocs import CIOC
from tests.servers import WRITABLE, Server

HOST = ".facts div:has(> dt:text-is('Host'))"
STATES = {  # fragment, and what is there when all of it is
    "": "#suggestions button",
    "#pv={names}": "tr[data-condition=disconnected]",
    "#pv={names}&plot={p}ao": f"{HOST} >> visible=true",
    "#pv={names}&plot={p}wf_double": ".plot > epics-waveform canvas",
    "#pv={names}&plot={p}wf_text": ".whole-text:text('array of characters')",
    "#pv={names}&chart={p}fast,{p}ai&chart={p}wf_double;as=wave&view=charts": ".card epics-stripchart canvas",
    "#pv={names}&plot={p}mbbo&chart={p}fast&events=all&sort=-state&view=events": "#events li",
    "#pv={names}&filter=zzz": "#nothing:text('No PV')",
}
DRAWN = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn())))"
# What has the focus, as tag, label and place, and whether it or the row that stands for it is outlined.
FOCUSED = """() => {
  let element = document.activeElement;
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const drawn = (element) => element && getComputedStyle(element).outlineStyle !== "none";
  const row = document.getElementById(element.getAttribute("aria-activedescendant"));
  const { x, y } = element.getBoundingClientRect();
  const name = element.ariaLabel ?? element.textContent.slice(0, 30);
  return [element === document.body ? "BODY" : `${element.localName} ${name} ${x} ${y}`, drawn(element) || drawn(row)];
}"""
RECORDS = ("ai", "ao", "bi", "mbbi", "undefined", "wf_double", "stringin", "nowhere")


@pytest.fixture(scope="module")
def writable(ioc: CIOC) -> Iterator[Server]:
    with Server(ioc.env(), WRITABLE | {"limits-search-seconds": 1, "pvs-names": f"{ioc.prefix}ai"}) as server:
        yield server


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_nothing_serious_is_found(browser: Browser, writable: Server, ioc: CIOC, width: int, scheme: str) -> None:
    names = ",".join(f"{ioc.prefix}{record}" for record in RECORDS)
    for live in live_page(browser, writable.url, width):
        live.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        live.page.goto(writable.url)
        for state, ready in STATES.items():
            view = "&view=detail" if "plot" in state and "view" not in state else ""
            live.page.evaluate("(hash) => { location.hash = hash; }", state.format(names=names, p=ioc.prefix) + view)
            live.page.wait_for_selector(ready)
            live.page.evaluate(DRAWN)
            assert serious_findings(live.page) == [], state


def test_the_focus_is_always_seen(live: LivePage, ioc: CIOC) -> None:
    """Tab through the whole page: what has the focus has an outline, in the page or in an element."""
    name = f"{ioc.prefix}fast"
    live.page.goto(f"{live.url}#pv={name}&plot={name}&chart={name}&events=all")
    live.page.wait_for_selector(".card canvas")
    live.page.get_by_role("combobox", name="PV names").focus()
    seen = []
    for _ in range(60):
        what, outline = live.page.evaluate(FOCUSED)
        if what == "BODY" or what in seen:
            break
        assert outline, what
        seen.append(what)
        live.page.keyboard.press("Tab")
    assert len(seen) > 25
    assert any("Live values" in what for what in seen)


def test_nothing_moves_where_that_is_not_wanted(live: LivePage, ioc: CIOC) -> None:
    live.page.emulate_media(reduced_motion="reduce")
    live.open(f"{ioc.prefix}nowhere")
    expect(live.row(f"{ioc.prefix}nowhere")).to_have_attribute("data-condition", "disconnected")
    assert live.page.evaluate("document.getAnimations().length") == 0
