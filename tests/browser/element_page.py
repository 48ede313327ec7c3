"""A page of custom elements in a browser tab, with the policy and from the origin of the server's own pages."""

from playwright.sync_api import Locator, Page, Route, expect

from pycaserver.web.security import HEADERS
from tests.browser.live_page import LivePage

PATH = "static/of-a-test.html"
HTML = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="color-scheme" content="dark light">
  <title>Elements</title>
  <link rel="icon" href="favicon.svg">
  <script type="module" src="epics-elements.js"></script>
</head>
<body><main>{body}</main></body>
</html>"""
EVENTS = """
window.told = [];
for (const name of ["epics-written", "epics-refused"]) {
  addEventListener(name, (event) => window.told.push([name, event.target.id, event.detail.value]));
}
"""


class ElementPage(LivePage):
    """All but its HTML comes from the server."""

    def __init__(self, page: Page, url: str, prefix: str) -> None:
        """prefix: of the IOC's records; the macro P of all elements."""
        super().__init__(page, url)
        self.prefix = prefix
        self._body = ""
        page.add_init_script(EVENTS)
        page.route(url + PATH, self._answer)

    def show(self, body: str) -> None:
        """Load a page with this body, in which $(P) is the prefix."""
        self._body = f'<epics-scope macros="P={self.prefix}">{body}</epics-scope>'
        self.page.goto(self.url + PATH)

    def host(self, name: str) -> Locator:
        """The element with this id."""
        return self.page.locator(f"#{name}")

    def part(self, name: str, part: str) -> Locator:
        """A part of the element with this id."""
        return self.host(name).locator(f'[part~="{part}"]')

    def expect_live(self, *names: str) -> None:
        for name in names:
            expect(self.host(name)).to_have_attribute("data-condition", "live")

    def expect_written(self, name: str) -> None:
        """Its last write was completed."""
        expect(self.host(name)).not_to_have_attribute("data-pending", "")
        assert self.told()[-1][:2] == ["epics-written", name]

    def told(self) -> list[list[object]]:
        """The events of the elements: name, id of the element, value."""
        told: list[list[object]] = self.page.evaluate("window.told")
        return told

    def subscriptions(self) -> list[str]:
        """What the server has of this session, sorted, without the prefix."""
        return sorted(pv["pvname"].removeprefix(self.prefix) for pv in self.ask("list")["pvs"])

    def _answer(self, route: Route) -> None:
        headers = {**HEADERS, "Content-Type": "text/html"}
        route.fulfill(body=HTML.replace("{body}", self._body), headers=headers)
