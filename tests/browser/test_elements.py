"""The elements that show: each in each state, with macros, in the tree and out of it, to eyes and screen readers."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import serious_findings
from tests.browser.conftest import ELEMENTS_DATABASE, element_page
from tests.browser.element_page import ElementPage
from tests.iocs import CIOC
from tests.servers import WRITABLE, Server
from tests.timing import scaled, wait_for

NUMERIC = ["value", "led", "bar", "gauge", "input", "toggle", "slider", "table", "button"]
ALL = [*NUMERIC, "enum"]
EVERY_ELEMENT = "".join(
    f'<p><epics-{tag} id="{tag}" pv="$(P){"mode" if tag == "enum" else "level"}" label="The {tag}" value="1">'
    f"</epics-{tag}></p>"
    for tag in ALL
)
SEVERITIES = {
    "NO_ALARM": (2.5, ""),
    "MINOR": (8.25, "HIGH"),
    "MAJOR": (9.5, "HIHI"),
    "INVALID": (-9.5, "LOLO"),
}
RECONNECTION = scaled(40) * 1000


def state(tag: str) -> str:
    """The word beside the shape of an element."""
    return f'#{tag} [part~="state"] .word'


def test_each_element_in_each_severity(elements: ElementPage, elements_ioc: CIOC) -> None:
    elements.show(EVERY_ELEMENT)
    looks = set()
    for severity, (value, word) in SEVERITIES.items():
        elements_ioc.shell(f"dbpf {elements.prefix}level {value}")
        shapes = set()
        for tag in NUMERIC:
            expect(elements.host(tag)).to_have_attribute("data-severity", severity)
            expect(elements.host(tag)).to_have_attribute("data-condition", "live")
            expect(elements.page.locator(state(tag))).to_have_text(word)
            shapes.add(elements.part(tag, "state").locator("path").get_attribute("d"))
        assert len(shapes) == 1
        looks.add((shapes.pop(), elements.part("value", "state").evaluate("(part) => getComputedStyle(part).color")))
    assert len({shape for shape, _ in looks}) == len({color for _, color in looks}) == len(SEVERITIES)


def test_each_element_shows_a_pv_that_nobody_has(elements: ElementPage) -> None:
    elements.show(EVERY_ELEMENT.replace("$(P)level", "$(P)nobody").replace("$(P)mode", "$(P)nobody"))
    for tag in ALL:
        expect(elements.host(tag)).to_have_attribute("data-condition", "disconnected")
        expect(elements.host(tag)).not_to_have_attribute("data-severity", re.compile(""))
        expect(elements.page.locator(state(tag))).to_have_text("not found")


def test_each_element_when_the_server_and_the_ioc_are_lost_and_come_back(browser: Browser) -> None:
    with CIOC(ELEMENTS_DATABASE) as ioc, Server(ioc.env(), {**WRITABLE, "limits-search-seconds": 1}) as server:
        for elements in element_page(browser, server.url, ioc.prefix):
            elements.show(EVERY_ELEMENT)
            elements.expect_live(*ALL)
            ioc.kill()
            expect_all(elements, "disconnected", "offline")
            server.stop()
            expect_all(elements, "stale", "stale")
            expect(elements.part("value", "value")).to_have_text("2.50")
            ioc.start()
            server.start()
            for tag in ALL:
                expect(elements.host(tag)).to_have_attribute("data-condition", "live", timeout=RECONNECTION)
            assert elements.subscriptions() == ["level", "mode"]
            elements.expect_complaints("WebSocket connection to")


def expect_all(elements: ElementPage, condition: str, word: str) -> None:
    for tag in ALL:
        expect(elements.host(tag)).to_have_attribute("data-condition", condition)
        expect(elements.page.locator(state(tag))).to_have_text(word)


def test_value_and_units_and_formats(elements: ElementPage) -> None:
    elements.show(
        '<epics-value id="plain" pv="$(P)level"></epics-value>'
        '<epics-value id="digits" pv="$(P)level" precision="4"></epics-value>'
        '<epics-value id="exponential" pv="$(P)level" format="exponential"></epics-value>'
        '<epics-value id="engineering" pv="$(P)level" format="engineering" precision="1"></epics-value>'
        '<epics-value id="hex" pv="loc://format<VLong>(-9007199254740991)" format="hex"></epics-value>'
        '<epics-value id="big" pv="loc://format<VLong>(-9007199254740991)"></epics-value>'
        '<epics-value id="state" pv="$(P)mode"></epics-value>'
        '<epics-value id="index" pv="$(P)mode" format="decimal"></epics-value>'
    )
    shown = {
        "plain": "2.50", "digits": "2.5000", "exponential": "2.50e+0", "engineering": "2.5",
        "hex": "0xFFE0000000000001",
        "big": "-9007199254740991",
        "state": "Low", "index": "0",
    }  # fmt: skip
    for name, text in shown.items():
        expect(elements.part(name, "value")).to_have_text(text)
    expect(elements.part("plain", "units")).to_have_text("mm")


def test_led_on_off_and_chosen_states(elements: ElementPage, elements_ioc: CIOC) -> None:
    elements.show(
        '<epics-led id="valve" pv="$(P)valve"></epics-led>'
        '<epics-led id="mode" pv="$(P)mode" on-value="Medium | 2"></epics-led>'
        '<epics-led id="number" pv="$(P)other" compact></epics-led>'
    )
    expect(elements.part("number", "value")).to_have_text("On")
    for name, record, value, text in (("valve", "valve", "Open", "Open"), ("mode", "mode", "High", "High")):
        elements.expect_live(name)
        expect(elements.host(name)).not_to_have_attribute("data-on", "")
        core, dash = (elements.host(name).locator(shape) for shape in (".core", ".dash"))
        assert (core.is_visible(), dash.is_visible()) == (False, True)
        elements_ioc.shell(f"dbpf {elements.prefix}{record} {value}")
        expect(elements.host(name)).to_have_attribute("data-on", "")
        assert (core.is_visible(), dash.is_visible()) == (True, False)
        expect(elements.part(name, "value")).to_have_text(text)


@pytest.mark.parametrize("tag", ["bar", "gauge"])
def test_meters_tell_range_value_and_bands(elements: ElementPage, tag: str) -> None:
    elements.show(
        f'<epics-{tag} id="m" pv="$(P)level" label="Level"></epics-{tag}>'
        f'<epics-{tag} id="narrow" pv="$(P)level" max="5" min="0"></epics-{tag}>'
        f'<epics-{tag} id="none" pv="$(P)count"></epics-{tag}>'
    )
    meter = elements.page.get_by_role("meter", name="Level", exact=True)
    expect(meter).to_have_attribute("aria-valuenow", "2.5")
    expect(meter).to_have_attribute("aria-valuetext", "2.50 mm")
    assert [meter.get_attribute(f"aria-value{end}") for end in ("min", "max")] == ["-10", "10"]
    bands = elements.part("m", "bands").locator("> *")
    assert bands.evaluate_all("(all) => all.map((band) => band.dataset.severity)") == [
        "MAJOR", "MINOR", "MINOR", "MAJOR",
    ]  # fmt: skip
    expect(elements.part("narrow", "max")).to_have_text("5")
    expect(elements.part("narrow", "bands").locator("> *")).to_have_count(0)
    expect(elements.host("none")).to_have_attribute("data-empty", "")


def test_table_has_a_row_for_each_pv_and_the_columns_asked_for(elements: ElementPage, elements_ioc: CIOC) -> None:
    elements.show('<epics-table id="t" pv="$(P)level $(P)mode $(P)nobody" columns="name value state"></epics-table>')
    table = elements.host("t")
    expect(table.get_by_role("columnheader")).to_have_text(["Name", "Value", "State"])
    row = table.get_by_role("row")
    expect(row.nth(1)).to_contain_text("2.50")
    expect(row.nth(2)).to_contain_text("Low")
    expect(row.nth(3)).to_contain_text("not found")
    elements_ioc.shell(f"dbpf {elements.prefix}level 9.5")
    expect(row.nth(1)).to_have_attribute("data-severity", "MAJOR")
    expect(table.get_by_role("cell", name="MAJOR HIHI")).to_be_visible()
    elements.host("t").evaluate("(table) => table.setAttribute('pv', '$(P)mode')")
    expect(row).to_have_count(2)
    assert elements.subscriptions() == ["mode"]


def test_macros_nest_have_defaults_and_are_never_asked_for_when_missing(elements: ElementPage) -> None:
    elements.show(
        '<epics-scope macros="R=lev,S=$(P)$(R=x)"><epics-scope macros="T=el">'
        '<epics-value id="nested" pv="$(P)$(R)${T}"></epics-value>'
        '<epics-value id="default" pv="$(P)$(U=mode)"></epics-value></epics-scope></epics-scope>'
        '<epics-value id="missing" pv="$(P)$(NOT)"></epics-value><epics-value id="empty"></epics-value>'
    )
    expect(elements.part("nested", "value")).to_have_text("2.50")
    expect(elements.part("default", "value")).to_have_text("Low")
    expect(elements.page.locator(state("missing"))).to_have_text("Macro NOT is not defined")
    expect(elements.page.locator(state("empty"))).to_have_text("The attribute pv is missing")
    assert elements.subscriptions() == ["level", "mode"]


def test_other_macros_are_followed(elements: ElementPage) -> None:
    elements.show('<epics-scope id="s" macros="R=level"><epics-value id="v" pv="$(P)$(R)"></epics-value></epics-scope>')
    expect(elements.part("v", "value")).to_have_text("2.50")
    elements.host("s").evaluate("(scope) => { scope.macros = 'R=mode'; }")
    expect(elements.part("v", "value")).to_have_text("Low")
    assert elements.subscriptions() == ["mode"]


def test_a_move_keeps_the_subscription_and_a_removal_ends_it(elements: ElementPage) -> None:
    elements.show('<epics-value id="v" pv="$(P)level"></epics-value><div id="elsewhere"></div>')
    elements.expect_live("v")
    elements.page.evaluate("document.getElementById('elsewhere').append(document.getElementById('v'))")
    assert elements.subscriptions() == ["level"]
    assert [request["action"] for request in elements.requests].count("connect") == 1
    elements.page.evaluate("window.kept = document.getElementById('v'); window.kept.remove()")
    wait_for(lambda: elements.subscriptions() == [], what="the end of the subscription")
    elements.page.evaluate("document.getElementById('elsewhere').append(window.kept)")
    elements.expect_live("v")


def test_values_are_drawn_once_per_frame_and_only_after_changes(elements: ElementPage) -> None:
    elements.show('<epics-value id="v" pv="$(P)level"></epics-value>')
    elements.expect_live("v")
    drawn = elements.page.evaluate(
        """async () => {
          const element = document.getElementById("v");
          let drawn = 0;
          const { render } = element;
          element.render = function (...given) { drawn += 1; render.apply(this, given); };
          for (let i = 0; i < 5; i += 1) element.renderSoon();
          for (let i = 0; i < 3; i += 1) await new Promise(requestAnimationFrame);
          return drawn;
        }"""
    )
    assert drawn == 1


def test_alarms_are_announced_where_the_page_asks_for_it(elements: ElementPage, elements_ioc: CIOC) -> None:
    elements.show(
        '<epics-value id="v" pv="$(P)level" label="Level" announce></epics-value>'
        '<epics-value id="quiet" pv="$(P)level"></epics-value>'
    )
    elements.expect_live("v", "quiet")
    status = elements.host("v").get_by_role("status")
    elements_ioc.shell(f"dbpf {elements.prefix}level 9.5")
    expect(status).to_have_text("Level: MAJOR HIHI")
    elements_ioc.shell(f"dbpf {elements.prefix}level 2.5")
    expect(status).to_have_text("Level: OK")
    expect(elements.host("quiet").get_by_role("status")).to_have_text("")


def test_tooltip_tells_all_and_leaves_that_of_the_page(elements: ElementPage) -> None:
    elements.show(
        '<epics-value id="v" pv="$(P)level"></epics-value>'
        '<epics-value id="own" pv="$(P)level" title="Mine" aria-label="Also mine"></epics-value>'
    )
    elements.expect_live("v", "own")
    elements.host("v").hover()
    expect(elements.host("v")).to_have_attribute("title", re.compile(r"level: 2\.50 mm, "))
    elements.host("own").hover()
    expect(elements.host("own")).to_have_attribute("title", "Mine")
    expect(elements.host("own")).to_have_attribute("aria-label", "Also mine")


def test_colours_and_parts_are_the_pages(elements: ElementPage) -> None:
    elements.show('<epics-value id="v" pv="$(P)level" label="Level"></epics-value>')
    elements.expect_live("v")
    elements.page.evaluate(
        """() => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync("html { --epics-text: rgb(1, 2, 3); } #v::part(value) { letter-spacing: 7px; }");
          document.adoptedStyleSheets.push(sheet);
        }"""
    )
    style = elements.part("v", "value").evaluate(
        "(part) => [getComputedStyle(part).color, getComputedStyle(part).letterSpacing]"
    )
    assert style == ["rgb(1, 2, 3)", "7px"]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_nothing_serious_for_axe(elements: ElementPage, elements_ioc: CIOC, scheme: Literal["dark", "light"]) -> None:
    elements_ioc.shell(f"dbpf {elements.prefix}level 9.5")
    elements.page.emulate_media(color_scheme=scheme)
    lost = EVERY_ELEMENT.replace("$(P)level", "$(P)nobody").replace('id="', 'id="lost-').replace("The ", "Lost ")
    fixed = EVERY_ELEMENT.replace("$(P)level", "$(P)fixed").replace('id="', 'id="fixed-').replace("The ", "Fixed ")
    other = EVERY_ELEMENT.replace("$(P)level", "$(P)other").replace('id="', 'id="other-').replace("The ", "Other ")
    buttons = '<epics-enum id="buttons" pv="$(P)mode" as="buttons" label="Choice"></epics-enum>'
    elements.show(f"<h1>Elements</h1>{EVERY_ELEMENT}{lost}{fixed}{other}{buttons}")
    elements.page.evaluate("document.body.style.background = 'Canvas'")
    elements.expect_live(*ALL, "fixed-value", "other-value", "buttons")
    expect(elements.host("lost-table")).to_have_attribute("data-condition", "disconnected")
    assert serious_findings(elements.page) == []
