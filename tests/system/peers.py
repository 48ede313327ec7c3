"""Many peers of /monitor in a process of their own: python -m tests.system.peers HOST PORT.

The first line of standard input is a JSON array of what each of them sends once it is connected, a list of requests.
On standard output follows a line of JSON with the `seconds` until all were connected, and, for each further line of the
input, one with what they have heard until then.
"""

import asyncio
import hashlib
import json
import subprocess
import sys
import time
from collections import defaultdict
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np

from tests.servers import STOP_SECONDS, Client, Server
from tests.timing import scaled
from tests.web.raw import BINARY, TEXT, masked

AT_ONCE = 100
"""Connections being made."""


class Heard:
    """What all peers have heard."""

    def __init__(self) -> None:
        self.values: dict[str, int] = defaultdict(int)
        """Updates by PV, the merged ones too."""
        self.delays: list[float] = []
        """From the IOC's time stamp, seconds; of scalars, but for the first of each."""
        self.arrays: dict[int, list[str]] = defaultdict(list)
        """The SHA-256 of the elements of arrays, by peer."""
        self.gaps = 0

    def json(self) -> str:
        """All of it; of the delays the median, the 99th percentile and the greatest."""
        delays = np.percentile(self.delays, (50, 99, 100)).tolist() if self.delays else []
        counts = {"values": self.values, "delays": delays, "arrays": self.arrays, "gaps": self.gaps}
        return json.dumps(counts)


class Peer(asyncio.Protocol):
    """One connection. Scalars are expected to count up by one."""

    def __init__(self, number: int, requests: list[dict[str, Any]], heard: Heard) -> None:
        self.connected = asyncio.get_running_loop().create_future()
        self._number = number
        self._requests = requests
        self._heard = heard
        self._buffer = bytearray()
        self._newest: dict[str, float] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        host, port = transport.get_extra_info("peername")
        lines = ("GET /monitor HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", "")  # fmt: skip
        transport.write("\r\n".join(lines).encode())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.connected.done():
            head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if end:
                self.connected.set_result(head.startswith(b"HTTP/1.1 101"))
                self._buffer = bytearray(rest)
        while (frame := self._frame()) is not None:
            self._hear(*frame)

    def begin(self) -> None:
        for request in self._requests:
            self._transport.write(masked(TEXT, json.dumps(request).encode()))

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2 or not self.connected.done():
            return None
        start = {126: 4, 127: 10}.get(buffer[1], 2)
        size = int.from_bytes(buffer[2:start]) if start > 2 else buffer[1]
        if len(buffer) < start + size:
            return None
        frame = buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return frame

    def _hear(self, opcode: int, payload: bytes) -> None:
        if opcode == BINARY:
            self._monitor(*Client.unpack(payload))
        elif opcode == TEXT:
            frame = msgspec.json.decode(payload)
            for message in frame if isinstance(frame, list) else [frame]:
                if message["msg_type"] == "monitor":
                    self._monitor(message, None)

    def _monitor(self, message: dict[str, Any], elements: bytes | None) -> None:
        name, merged = message["pvname"], message.get("coalesced", 0)
        self._heard.values[name] += 1 + merged
        if message["count"] != 1 or elements is not None:
            self._array(message, elements)
            return
        before, self._newest[name] = self._newest.get(name), message["value"]
        if before is not None:  # the first is as old as it is
            self._heard.delays.append(time.time() - message["timestamp"])
            self._heard.gaps += message["value"] != before + 1 + merged

    def _array(self, message: dict[str, Any], elements: bytes | None) -> None:
        if elements is None and "value_b64" in message:
            elements = msgspec.convert(message["value_b64"], bytes)
        data = np.array(message["value"]).tobytes() if elements is None else elements
        self._heard.arrays[self._number].append(hashlib.sha256(data).hexdigest())


async def _main(host: str, port: int) -> None:
    loop, heard, gate = asyncio.get_running_loop(), Heard(), asyncio.Semaphore(AT_ONCE)
    wanted = json.loads(sys.stdin.readline())

    async def connect(number: int) -> Peer:
        async with gate:
            _, peer = await loop.create_connection(lambda: Peer(number, wanted[number], heard), host, port)
            assert await peer.connected, "refused"
            return peer

    began = time.monotonic()
    peers = await asyncio.gather(*map(connect, range(len(wanted))))
    print(json.dumps({"seconds": time.monotonic() - began}), flush=True)
    for peer in peers:
        peer.begin()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(heard.json(), flush=True)


class Peers:
    """The process, from the side of a test."""

    def __init__(self, server: Server, *requests: list[dict[str, Any]]) -> None:
        """requests: of each peer."""
        host, port = server.url.split("/")[2].split(":")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.peers", host, port],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._say(json.dumps(requests))
        self.seconds: float = self._line()["seconds"]
        """Until all were connected."""

    def heard(self) -> dict[str, Any]:
        """What they have heard until now, as Heard.json says it."""
        self._say("")
        return self._line()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(scaled(STOP_SECONDS))
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the peers have failed"
        answer: dict[str, Any] = json.loads(line)
        return answer


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
