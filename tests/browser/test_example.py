"""Version 1 pages: monitor.html, and the JavaScript of the 2015 document typed into the console."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser.live_page import LivePage
from tests.iocs import CIOC
from tests.timing import wait_for

README = Path(__file__).parent.parent.parent / "README.md"

# As documented, but for the address of the server and the name of the PV.
CONSOLE = """([address, name]) => {
  window.seen = [];
  var ws = new WebSocket("ws://" + address + "/monitor");
  ws.onmessage = function(event) {
    var msg = JSON.parse(event.data);
    window.seen.push(msg);
    console.log(msg["msg_type"]);
  };
  ws.onopen = function() {
    var msg = JSON.stringify({ "action":"connect", "pv": name });
    ws.send(msg);
  };
}"""


def test_the_plain_example_prints_messages(live: LivePage, ioc: CIOC) -> None:
    live.page.goto(f"{live.url}static/monitor.html")
    live.page.get_by_label("PV name").fill(f"{ioc.prefix}fast")
    live.page.get_by_role("button", name="Connect").click()
    messages = live.page.get_by_label("Messages")
    expect(messages).to_contain_text("connection  {")
    expect(messages).to_contain_text("monitor  {")
    lines = messages.inner_text().strip().splitlines()
    assert json.loads(lines[-1].removeprefix("connection  ")) == {
        "msg_type": "connection",
        "pvname": f"{ioc.prefix}fast",
        "conn": True,
    }


def test_the_documented_javascript_in_the_console(live: LivePage, ioc: CIOC) -> None:
    printed: list[str] = []
    live.page.on("console", lambda message: printed.append(message.text))
    live.open()
    live.page.evaluate(CONSOLE, [live.url.removeprefix("http://").rstrip("/"), f"{ioc.prefix}longout"])
    seen: list[dict[str, Any]] = wait_for(lambda: two(live.page.evaluate("window.seen")), what="two messages")
    assert printed[:2] == ["connection", "monitor"]
    assert seen[0] == {"msg_type": "connection", "pvname": f"{ioc.prefix}longout", "conn": True}
    documented = {"msg_type": "monitor", "pvname": f"{ioc.prefix}longout", "value": 42, "count": 1, "units": "counts"}
    assert seen[1].items() >= documented.items()
    assert isinstance(seen[1]["timestamp"], float)


def test_the_example_of_the_readme_in_the_console(live: LivePage, ioc: CIOC) -> None:
    (example,) = re.findall(r"```js\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    for theirs, ours in {"SIM:T1": "ai", "SIM:STATE": "mbbi", "NO:SUCH:PV": "nothing"}.items():
        assert theirs in example
        example = example.replace(theirs, ioc.prefix + ours)
    printed: list[str] = []
    live.page.on("console", lambda message: printed.append(message.text))
    live.open()
    live.page.evaluate(f"() => {{ {example} }}")
    wanted = {
        f"{ioc.prefix}ai 21.5 mm NO_ALARM",
        f"{ioc.prefix}mbbi Fault  MAJOR",
        f"{ioc.prefix}nothing is disconnected: not_found",
    }
    wait_for(lambda: live.page.evaluate("1") and wanted <= set(printed), what=f"{wanted}")


def two(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages once there are two, else nothing."""
    return messages if len(messages) > 1 else []
