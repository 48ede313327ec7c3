"""The page's pure modules one by one, imported by the browser from the server."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import live_page
from tests.browser.live_page import LivePage
from tests.servers import Server


@pytest.fixture(scope="module")
def blank(browser: Browser, server: Server) -> Iterator[LivePage]:
    """A tab at the plain example, which imports none of the modules itself."""
    for live in live_page(browser, server.url):
        live.page.goto(f"{server.url}static/monitor.html")
        yield live


def call(live: LivePage, module: str, expression: str, argument: Any = None) -> Any:
    """The value of a JavaScript expression of `m`, the module, and `x`, the argument."""
    imported = f"await import(new URL('{module}.js', location.href))"
    return live.page.evaluate(f"async (x) => {{ const m = {imported}; return {expression}; }}", argument)


@pytest.mark.parametrize(
    ("value", "metadata", "text"),
    [
        (1.25, {"type": "double", "precision": 3}, "1.250"),
        (1.25, {"type": "double"}, "1.25"),
        (0.1, {"type": "float"}, "0.1"),
        (0.10000000149011612, {"type": "float"}, "0.1"),
        (3.2e-7, {"type": "double", "precision": 2}, "3.200e-7"),
        (-0.024391, {"type": "double", "precision": 0}, "-0.0244"),
        (0.5, {"type": "double", "precision": 0}, "1"),
        (0, {"type": "double", "precision": 2}, "0.00"),
        (1.5e12, {"type": "double", "precision": 1}, "1.500e+12"),
        (7, {"type": "long", "precision": None}, "7"),
        (1, {"type": "double", "precision": 500}, "1.00000000000000000"),
        ("NaN", {"type": "double", "precision": 1}, "NaN"),
        ("-Infinity", {"type": "double", "precision": 1}, "−∞"),
    ],
)
def test_numbers(blank: LivePage, value: Any, metadata: dict[str, Any], text: str) -> None:
    assert call(blank, "elements/format", "m.formatNumber(x[0], x[1])", [value, metadata]) == text


def test_times(blank: LivePage) -> None:
    assert call(blank, "elements/format", "m.formatTime(0)") == "never"
    assert (
        call(blank, "elements/format", "m.formatTime(new Date(2020, 1, 3, 4, 5, 6, 7) / 1000)")
        == "2020-02-03 04:05:06.007"
    )
    assert call(blank, "elements/format", "m.formatTime(new Date().setHours(4, 5, 6, 7) / 1000)") == "04:05:06.007"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", []),
        (" A,B  C;A\tD\n", ["A", "B", "C", "A", "D"]),
        ('A.VAL{"arr":{"s":0, "e":5}} B', ['A.VAL{"arr":{"s":0, "e":5}}', "B"]),
        ("sim://ramp(0, 10,1) loc://x", ["sim://ramp(0, 10,1)", "loc://x"]),
    ],
)
def test_typed_names(blank: LivePage, line: str, names: list[str]) -> None:
    assert call(blank, "elements/names", "m.splitNames(x)", line) == names


def test_text_frames(blank: LivePage) -> None:
    assert call(blank, "client/frame", "m.decodeFrame(x)", '{"a": 1}') == [{"a": 1}]
    assert call(blank, "client/frame", "m.decodeFrame(x)", '[{"a": 1}, {"b": 2}]') == [{"a": 1}, {"b": 2}]


def test_a_binary_frame(blank: LivePage) -> None:
    header = b'{"pvname":"A","dtype":"<f8"}'.ljust(36)
    frame = len(header).to_bytes(4, "little") + header + bytes.fromhex("000000000000f83f000000000000f07f")
    script = "m.decodeFrame(Uint8Array.from(x).buffer).map((message) => [message.pvname, ...message.value])"
    assert call(blank, "client/frame", script, list(frame)) == [["A", 1.5, float("inf")]]
