"""The page with a thousand PVs at ten values a second each: only the rows in sight are in the document."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.live_page import LivePage
from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import wait_for

COUNT = 1000
NAMES = [f"sim://ramp(0,{high},0.1)" for high in range(1, COUNT + 1)]
SECONDS = 2.0
# Times between animation frames, in milliseconds, while the page is scrolled from top to bottom.
FRAMES = """(seconds) => new Promise((resolve) => {
  const scroller = document.querySelector(".scroller");
  const start = performance.now();
  const gaps = [];
  let last = start;
  requestAnimationFrame(function frame(now) {
    gaps.push(now - last);
    last = now;
    scroller.scrollTop = (now - start) / (seconds * 1000) * scroller.scrollHeight;
    if (now - start < seconds * 1000) requestAnimationFrame(frame);
    else resolve(gaps.slice(1));
  });
})"""


@pytest.fixture(scope="module")
def server(ioc: CIOC) -> Iterator[Server]:
    """One of its own: a thousand PVs in and out of alarm would be in the way of other tests."""
    with Server(ioc.env()) as server:
        yield server


def frame_times(live: LivePage) -> list[float]:
    gaps: list[float] = live.page.evaluate(FRAMES, SECONDS)
    return sorted(gaps)


def test_a_thousand_pvs(live: LivePage, capsys: pytest.CaptureFixture[str]) -> None:
    live.open(*(quote(name, safe=":/") for name in NAMES))
    expect(live.page.locator("#summary")).to_contain_text(f"{COUNT} PVs")
    expect(live.page.locator("#summary")).not_to_contain_text("not live")
    grid = live.page.get_by_role("grid")
    assert grid.get_attribute("aria-rowcount") == str(COUNT + 1)
    assert len(live.names()) < 60

    times = frame_times(live)
    median, most = times[len(times) // 2], times[-1]
    with capsys.disabled():
        print(f"\n{COUNT} PVs at 10 Hz, scrolling: {len(times)} frames, median {median:.1f} ms, longest {most:.1f} ms")
    assert len(live.names()) < 60
    assert live.names()[-1] == NAMES[-1]
    assert wait_for(lambda: len(live.frames) > COUNT, what="values")

    live.page.get_by_label("Filter", exact=True).fill("ramp(0,77")
    expect(live.page.locator("#rows tr")).to_have_count(11)
    assert live.names() == [name for name in NAMES if "ramp(0,77" in name]
    expect(grid).to_have_attribute("aria-rowcount", "12")
