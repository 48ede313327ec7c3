"""The live page in a browser tab, as a person uses it, and all that the browser complained about."""

import json
from collections.abc import Iterable
from typing import Any

from playwright.sync_api import ConsoleMessage, Frame, Locator, Page, WebSocket

# The page keeps its socket to itself; this lets a test ask the server questions through it.
REMEMBER_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); window.sockets.push(this); }
};
"""
ASK = """(request) => new Promise((resolve) => {
  const socket = window.sockets.at(-1);
  socket.addEventListener("message", function listen({ data }) {
    if (typeof data !== "string") return;
    const answer = [JSON.parse(data)].flat().find((message) => message.id === request.id);
    if (answer) { socket.removeEventListener("message", listen); resolve(answer); }
  });
  socket.send(JSON.stringify(request));
})"""
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


class LivePage:
    """One tab. `complaints` are console errors (a violated Content-Security-Policy is one) and uncaught exceptions."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.frames: list[dict[str, Any]] = []
        """All text messages that the server has sent, batches taken apart."""
        self.requests: list[dict[str, Any]] = []
        """All that the page has asked the server."""
        self.loads = 0
        self._questions = 0
        page.add_init_script(REMEMBER_SOCKETS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("websocket", self._on_socket)
        page.on("framenavigated", self._on_navigated)

    def open(self, *names: str, plot: str = "") -> None:
        """Load the page with these PVs in its address."""
        fragment = f"#pv={','.join(names)}&plot={plot}" if names else ""
        self.page.goto(f"{self.url}{fragment}")

    def set_hidden(self, hidden: bool) -> None:
        """Make the page believe that its tab is hidden; a headless browser always shows its tabs."""
        self.page.evaluate(HIDE, hidden)

    def add(self, text: str) -> None:
        """Type into the field and press Enter."""
        field = self.page.get_by_role("combobox")
        field.fill(text)
        field.press("Enter")

    def row(self, name: str) -> Locator:
        return self.page.locator(f'tr[data-pv="{name}"]')

    def cell(self, name: str, column: str) -> Locator:
        """`column`: value, units, status or time."""
        return self.row(name).locator(f".{column}")

    def button(self, name: str, action: str) -> Locator:
        """`action`: "Add to chart" or "Remove"."""
        return self.row(name).get_by_role("button", name=f"{action} {name}")

    def names(self) -> list[str]:
        """The PVs in the table, from top to bottom."""
        return self.page.locator("#rows .name").all_inner_texts()

    def ask(self, action: str) -> dict[str, Any]:
        """The server's answer to a request through the page's own socket."""
        self._questions += 1
        answer: dict[str, Any] = self.page.evaluate(ASK, {"action": action, "id": self._questions})
        return answer

    def expect_complaints(self, about: str) -> None:
        """Take back the complaints that a test has provoked."""
        self.complaints = [complaint for complaint in self.complaints if about not in complaint]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _on_socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._on_frame)
        socket.on("framesent", lambda data: self.requests.append(json.loads(data)))

    def _on_frame(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self.frames += as_list(json.loads(data))

    def _on_navigated(self, frame: Frame) -> None:
        self.loads += 1


def as_list(decoded: Any) -> Iterable[Any]:
    """A frame's messages, batch or not."""
    return decoded if isinstance(decoded, list) else [decoded]
