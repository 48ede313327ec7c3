"""The fixed baseline: the server that one writes in an afternoon with pyepics and Tornado. Not to be improved.

A callback of epics.PV makes the JSON, and IOLoop.add_callback has every peer's write_message called with it.
"""

import asyncio
import json
from typing import Any

import epics
from epics import dbr
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler

SEVERITIES = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")


class Feed:
    """One PV and the peers that want it."""

    def __init__(self, name: str, loop: IOLoop) -> None:
        self.peers: set[Monitor] = set()
        self.newest = ""
        self.connection = ""
        self.loop = loop
        mask = dbr.DBE_VALUE | dbr.DBE_ALARM
        self.pv = epics.PV(
            name, callback=self.on_value, connection_callback=self.on_connection, auto_monitor=mask, form="time"
        )

    def on_value(
        self, pvname: str, value: Any, timestamp: float, severity: int, status: int, count: int, **others: Any
    ) -> None:
        """On a thread of Channel Access."""
        message = {
            "msg_type": "monitor",
            "pvname": pvname,
            "value": value.tolist() if count > 1 else value,
            "count": count,
            "timestamp": timestamp,
            "units": others.get("units") or "",
            "severity": SEVERITIES[severity],
            "status": "NO_ALARM" if status == 0 else str(status),
        }
        self.loop.add_callback(self.send_value, json.dumps(message))

    def on_connection(self, pvname: str, conn: bool, **others: Any) -> None:
        """On a thread of Channel Access."""
        message = {"msg_type": "connection", "pvname": pvname, "conn": conn}
        self.loop.add_callback(self.send_connection, json.dumps(message))

    def send_value(self, text: str) -> None:
        self.newest = text
        self.send(text)

    def send_connection(self, text: str) -> None:
        self.connection = text
        self.send(text)

    def send(self, text: str) -> None:
        for peer in list(self.peers):
            peer.send(text)


class Monitor(WebSocketHandler):
    """One peer."""

    feeds: dict[str, Feed] = {}  # noqa: RUF012

    def check_origin(self, origin: str) -> bool:
        return True

    def open(self, *args: str, **kwargs: str) -> None:
        self.set_nodelay(True)

    def on_message(self, message: str | bytes) -> None:
        request = json.loads(message)
        if request["action"] != "connect":
            return
        names = request["pv"] if isinstance(request["pv"], list) else [request["pv"]]
        for name in names:
            self.connect(name)

    def connect(self, name: str) -> None:
        if name not in self.feeds:
            self.feeds[name] = Feed(name, IOLoop.current())
        feed = self.feeds[name]
        feed.peers.add(self)
        for text in filter(None, (feed.connection, feed.newest)):
            self.send(text)

    def send(self, text: str) -> None:
        try:
            future = self.write_message(text)
            future.add_done_callback(lambda done: done.exception())
        except WebSocketClosedError:
            pass

    def on_close(self) -> None:
        for feed in self.feeds.values():
            feed.peers.discard(self)


async def main() -> None:
    """Serve on a free loopback port, for ever."""
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(Application([("/monitor", Monitor)])).add_sockets(sockets)
    print(f"listens on http://127.0.0.1:{sockets[0].getsockname()[1]}/", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
