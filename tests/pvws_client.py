"""A client of /pvws/pv as the known ones are: it merges each update into what it has of that PV."""

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from websockets.sync.client import ClientConnection, connect

from tests.servers import ANSWER_SECONDS, Server
from tests.timing import scaled

ARRAYS = {"b64dbl": "<f8", "b64flt": "<f4", "b64int": "<i4", "b64srt": "<i2", "b64byt": "|i1"}


class Merger:
    """What a client knows of each PV."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {}

    def merge(self, update: dict[str, Any]) -> dict[str, Any]:
        """All that is known after the update, with arrays as lists under `value`."""
        for key, dtype in ARRAYS.items():
            if key in update:
                update["value"] = np.frombuffer(b64decode(update.pop(key), validate=True), dtype).tolist()
        known = self.values.setdefault(update["pv"], {"readonly": True})
        known.update(update)
        return known


class PvwsClient(Merger):
    """Says what clients say, and waits for what a test wants."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        url = server.url.replace("http", "ws", 1) + "pvws/pv"
        self._context = connect(url, max_size=None, compression=None, proxy=None)
        self.socket: ClientConnection = self._context.__enter__()
        self.raw: list[str] = []
        """All that came."""

    def says(self, type: str, **keys: Any) -> None:
        self.socket.send(json.dumps({"type": type, **keys}))

    def hears(self) -> dict[str, Any]:
        """The next message; of an update all that is known now. TimeoutError if none comes."""
        data = self.socket.recv(timeout=scaled(ANSWER_SECONDS))
        assert isinstance(data, str)
        self.raw.append(data)
        message: dict[str, Any] = json.loads(data)
        return self.merge(message) if message["type"] == "update" else message

    def wait(self, wanted: Callable[[dict[str, Any]], bool] = lambda _: True, **keys: Any) -> dict[str, Any]:
        """The next message, merged, that has these keys and is wanted; a copy."""
        while True:
            message = self.hears()
            if keys.items() <= message.items() and wanted(message):
                return dict(message)

    def knows(self, pv: str) -> dict[str, Any]:
        """Subscribe, and wait for the first value."""
        self.says("subscribe", pvs=[pv])
        return self.wait(lambda message: message.get("pv") == pv and "vtype" in message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.__exit__(None, None, None)
