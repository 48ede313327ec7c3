"""Drives the RTWebsocketClient of RTOC from outside: run in an environment of its own, it speaks JSON lines.

Input: {"connect": [host, port, password or null]} first, then {"send": {...}} for each request.
Output: {"told": name of the callback, "with": what it was given}.
"""

import json
import sys
from typing import Any

from RTOC.RTLogger.RTWebsocketClient import RTWebsocketClient

CALLBACKS = (
    "authorize", "pluginList", "signalList", "plugin", "latest", "automation", "client", "events", "signal",
    "userAction", "logger", "event", "session", "signals", "unknown",
)  # fmt: skip

out = sys.stdout
sys.stdout = sys.stderr  # the client prints


def tell(name: str, given: Any = None) -> None:
    print(json.dumps({"told": name, "with": given}), file=out, flush=True)


client = RTWebsocketClient()
for callback in CALLBACKS:
    setattr(client, f"handle_{callback}", lambda given, name=callback: tell(name, given))
client.handle_RTOCError = lambda: tell("RTOCError")
client.on_open = lambda: tell("open")
client.on_close = lambda: tell("close")
client.on_error = lambda error: tell("error", str(error))
for line in sys.stdin:
    order = json.loads(line)
    if "connect" in order:
        host, port, password = order["connect"]
        client.connect(host, port=port, password=password)
    else:
        client.send(**order["send"])
