"""One WebSocket of a session: sends requests, checks every message against the model, knows what is unanswered."""

import asyncio
import fcntl
import json
import socket
import sys
import termios
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.stress.model import Broken, Ledger, Message, Watch
from tests.timing import scaled

OPEN_SECONDS: Final = 10.0
LOOK_BYTES: Final = 20_000
BEHIND_BYTES: Final = 100_000
BEHIND_SECONDS: Final = 30.0
"""So long a session is not called healthy after more than that waited for this program: the machine is too busy."""
LAST: Final = 30
"""Messages kept for the report of a violation."""
SHOWN: Final = 300
"""Characters of each."""
SMALL_BUFFER: Final = 8192
"""Bytes that the kernel takes for a session that stalls."""
ANSWERED: Final = frozenset({"get", "info", "list", "history", "events", "options", "ping", "put"})
"""Actions of which each request is answered, once for each PV."""
CIRCUMSTANCES: Final = frozenset(
    {"not_found", "not_connected", "get_timeout", "put_failed", "put_timeout", "no_write_access"}
)
"""Errors that a peer that makes no mistake may meet while an IOC comes and goes."""

Tamper = Callable[[list[Message]], list[Message]]


class Link:
    """An open socket, and the model of what it is owed."""

    def __init__(self, ledger: Ledger, prefix: str, *, healthy: bool, tamper: Tamper | None = None) -> None:
        """tamper: changes what has come before it is looked at, to see whether that is found."""
        self.last: deque[tuple[str, object]] = deque(maxlen=LAST)
        """What was sent and what came, to be `shown`."""
        self.watches: dict[str, Watch] = {}
        self.unanswered: dict[tuple[int, str], str] = {}
        """Actions by id and PV; "" for those that are not about a PV."""
        self.refused = 0
        """Errors that are due for what was not even a request."""
        self.rude = False
        """Whether bytes were sent that may end the connection."""
        self.reading = asyncio.Event()
        self.reading.set()
        self.messages = 0
        self._ledger = ledger
        self._prefix = prefix
        self._healthy = healthy
        self._tamper = tamper
        self._defaults: dict[str, Any] = {}
        self._ids = 0
        self._left: dict[int, list[Watch]] = {}
        self._unlooked = 0
        self._behind = -BEHIND_SECONDS
        """When the kernel last held much that had not been read."""

    async def open(self, url: str, *, small: bool = False) -> None:
        """Connect; small: with a small receive buffer."""
        plain = await _plain_socket(url, SMALL_BUFFER if small else 0)
        self.socket: ClientConnection = await connect(
            url, sock=plain, max_size=None, compression=None, proxy=None, ping_interval=None,
            open_timeout=scaled(OPEN_SECONDS), close_timeout=1, max_queue=16,
        )  # fmt: skip

    async def receive(self) -> None:
        """Check what comes until the connection ends; raises Broken."""
        try:
            while True:
                await self.reading.wait()
                data = await self.socket.recv(decode=False)
                self._look_behind(len(data))
                self._take(data)
        except ConnectionClosed:
            return

    def keeps_up(self) -> bool:
        """Whether this session reads all that it is sent, and this program has had the time for it lately."""
        return self._healthy and time.monotonic() - self._behind > BEHIND_SECONDS

    def _look_behind(self, size: int) -> None:
        """Every so many bytes: does more wait in the kernel than a program that keeps up would let wait?"""
        self._unlooked += size
        number = self.socket.transport.get_extra_info("socket").fileno()
        if self._unlooked > LOOK_BYTES and number >= 0:
            self._unlooked = 0
            waiting = fcntl.ioctl(number, termios.FIONREAD, bytes(4))
            if int.from_bytes(waiting, sys.byteorder) > BEHIND_BYTES:
                self._behind = time.monotonic()

    @property
    def close_code(self) -> int | None:
        """None while it is open."""
        return self.socket.close_code

    # -- what is asked

    async def request(self, action: str, **keys: Any) -> int:
        """Send a request, PVs without prefix; its id."""
        self._ids += 1
        names = keys.get("pv", ())
        each = [names] if isinstance(names, str) else list(dict.fromkeys(names))
        if action in ANSWERED:
            self.unanswered |= {(self._ids, self._prefix + pv): action for pv in each} or {(self._ids, ""): action}
        _EXPECT.get(action, _nothing)(self, self._ids, each, keys)
        full = [self._prefix + pv for pv in each]
        pvs = {"pv": full[0] if isinstance(names, str) else full} if each else {}
        await self._send(json.dumps({"action": action, **keys, **pvs, "id": self._ids}))
        return self._ids

    async def garbage(self, data: str | bytes) -> None:
        """Send a message that is none; it is answered by an error."""
        self.refused += 1
        await self._send(data)

    async def _send(self, data: str | bytes) -> None:
        self.last.append((">", data))
        await self.socket.send(data)

    def watch(self, pv: str) -> Watch:
        """The model of a PV; pv without prefix."""
        full = self._prefix + pv
        if full not in self.watches:
            self.watches[full] = Watch(full, self._ledger, counts=pv.startswith("n"), keeps_up=self.keeps_up)
        return self.watches[full]

    def expect_connect(self, id: int, pvs: Sequence[str], keys: dict[str, Any]) -> None:
        options = self._defaults | keys
        for pv in pvs:
            lossy, merged = options.get("deadband") is not None, options.get("max_rate") is not None
            self.watch(pv).connect(id, lossy=lossy, merged=merged)

    def expect_disconnect(self, id: int, pvs: Sequence[str], keys: dict[str, Any]) -> None:
        watches = [self.watch(pv) for pv in pvs]
        for watch in watches:
            watch.disconnect()
        self._left[id] = watches

    def expect_options(self, id: int, pvs: Sequence[str], keys: dict[str, Any]) -> None:
        self._defaults |= keys

    # -- what comes

    def _take(self, data: bytes) -> None:
        messages = _decode(data)
        for message in self._tamper(messages) if self._tamper else messages:
            self.messages += 1
            self.last.append(("<", message))
            _CHECKS.get(message["msg_type"], Link._check_answer)(self, message)

    def _check_connection(self, message: Message) -> None:
        self._known(message).connection(message)

    def _check_value(self, message: Message) -> None:
        watch = self._known(message)
        counts = isinstance(message.get("value"), float | int)
        watch.value(message, message["value"] if counts else message["timestamp"])

    def _check_told(self, message: Message) -> None:
        """Metadata, access, history: about a PV that was asked for. History is an answer, or comes with a connect."""
        id, watch = message.get("id"), self.watches.get(message["pvname"])
        if id is None or (watch is not None and watch.awaits(id)):
            self._known(message)._must_be_there()
        else:
            self._check_answer(message)

    def _check_answer(self, message: Message) -> None:
        key = message.get("id", 0), message.get("pvname", "")
        if self.unanswered.pop(key, None) is None:
            raise Broken("an answer to what was not asked, or twice")
        if message["msg_type"] == "pong":
            self._taken_up(message["id"])

    def _check_error(self, message: Message) -> None:
        if "id" in message:
            self._check_answer(message)
            if message["code"] not in CIRCUMSTANCES:
                raise Broken(f"refused: {message['code']}")
        elif self.rude:
            return
        elif self.refused <= 0:
            raise Broken("an error about nothing that was sent")
        else:
            self.refused -= 1

    def _known(self, message: Message) -> Watch:
        watch = self.watches.get(message["pvname"])
        if watch is None:
            raise Broken("about a PV that was never asked for")
        return watch

    def _taken_up(self, id: int) -> None:
        """All requests up to this one have been."""
        for earlier in [left for left in self._left if left < id]:
            for watch in self._left.pop(earlier):
                if not any(watch in later for later in self._left.values()):
                    watch.disconnected()


def shown(sent: tuple[str, object]) -> str:
    """One of the last messages, for people."""
    return f"{sent[0]} {str(sent[1])[:SHOWN]}"


def _nothing(link: Link, id: int, pvs: Sequence[str], keys: dict[str, Any]) -> None:
    """Nothing more to expect than the answer."""


_EXPECT: Final = {
    "connect": Link.expect_connect,
    "disconnect": Link.expect_disconnect,
    "options": Link.expect_options,
}
_CHECKS: Final[dict[str, Callable[[Link, Message], None]]] = {
    "connection": Link._check_connection,
    "monitor": Link._check_value,
    "metadata": Link._check_told,
    "access": Link._check_told,
    "history": Link._check_told,
    "error": Link._check_error,
}
_json = msgspec.json.Decoder()


def _decode(data: bytes) -> list[Message]:
    """The messages of a frame. JSON begins with { or [, a binary frame with the length of its header."""
    if data[:1] in (b"{", b"["):
        decoded = _json.decode(data)
        return decoded if isinstance(decoded, list) else [decoded]
    size = int.from_bytes(data[:4], "little")
    header = _json.decode(data[4 : 4 + size])
    elements = 2 * header["reduced"] if "reduced" in header else header["count"]
    if (4 + size) % 8 or len(data) - 4 - size != elements * 8:
        raise Broken(f"{len(data)} bytes do not fit {header}")
    return [header]


async def _plain_socket(url: str, buffer: int) -> socket.socket:
    parts = urlsplit(url)
    plain = socket.socket()
    if buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (parts.hostname, parts.port))
    return plain
