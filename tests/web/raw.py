"""A WebSocket peer down to the bytes: it can stop reading, break frames apart, break rules, and see every frame."""

import base64
import json
import os
import socket
import struct
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from tests.timing import scaled

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FINAL = 0x80
ANSWER_SECONDS = 10.0


class Frame(NamedTuple):
    opcode: int
    payload: bytes

    @property
    def close_code(self) -> int:
        return int.from_bytes(self.payload[:2])

    def json(self) -> Any:
        return json.loads(self.payload)


def masked(opcode: int, payload: bytes, final: bool = True) -> bytes:
    """A frame as a client must send it (RFC 6455, 5.2)."""
    return head(opcode | FINAL * final, len(payload)) + bytes(4) + payload  # the mask of zeros changes nothing


def head(first: int, size: int, mask: int = 0x80) -> bytes:
    """The head of a frame: its first byte, whatever it is, and the size that it claims."""
    if size < 126:
        return struct.pack(">BB", first, mask | size)
    if size < 1 << 16:
        return struct.pack(">BBH", first, mask | 126, size)
    return struct.pack(">BBQ", first, mask | 127, size)


class RawClient:
    """One TCP connection to a server. `receive_buffer`: bytes the kernel may take while nobody reads."""

    def __init__(self, url: str, *, receive_buffer: int | None = None, source: str = "127.0.0.1") -> None:
        parts = urlsplit(url)
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(scaled(ANSWER_SECONDS))
        self.socket.bind((source, 0))
        self.socket.connect((parts.hostname, parts.port))
        self.host = parts.netloc
        self._buffer = b""

    def http(self, path: str, *headers: str, method: str = "GET") -> bytes:
        """The head of the answer to a request, line ends and all."""
        lines = [f"{method} {path} HTTP/1.1", *headers]
        if not any(header.lower().startswith("host:") for header in headers):
            lines.append(f"Host: {self.host}")
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        return self.read_until(b"\r\n\r\n")

    def open(self) -> Self:
        """The WebSocket handshake at /monitor."""
        key = base64.b64encode(os.urandom(16)).decode()
        head = self.http("/monitor", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                         f"Sec-WebSocket-Key: {key}")  # fmt: skip
        assert head.startswith(b"HTTP/1.1 101 "), head
        return self

    def send(self, **request: Any) -> None:
        """A request as a text frame."""
        self.send_frame(TEXT, json.dumps(request).encode())

    def send_frame(self, opcode: int, payload: bytes, final: bool = True) -> None:
        self.socket.sendall(masked(opcode, payload, final))

    def frame(self) -> Frame:
        """The next frame; ConnectionError when the connection has ended."""
        first, second = self.read(2)
        assert first & FINAL and not first & 0x70 and not second & 0x80, (
            f"not a whole server frame: {first:x} {second:x}"
        )
        size = second
        if size == 126:
            (size,) = struct.unpack(">H", self.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.read(8))
        return Frame(first & 0x0F, self.read(size))

    def frames_until_close(self) -> list[Frame]:
        """All frames up to and including the close frame."""
        frames = [self.frame()]
        while frames[-1].opcode != CLOSE:
            frames.append(self.frame())
        return frames

    def wait_for_frame(self, opcode: int) -> Frame:
        """The next frame of this kind."""
        while (frame := self.frame()).opcode != opcode:
            pass
        return frame

    def wait_for_message(self, **keys: Any) -> dict[str, Any]:
        """The next message that has these keys."""
        message: dict[str, Any] = {}
        while not keys.items() <= message.items():
            message = self.wait_for_frame(TEXT).json()
        return message

    def read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill(max(65536, size - len(self._buffer)))
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def unread(self, data: bytes) -> None:
        """Put back what was read."""
        self._buffer = data + self._buffer

    def read_until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._fill(65536)
        data, _, self._buffer = self._buffer.partition(end)
        return data + end

    def read_to_end(self) -> bytes:
        """All that still comes until the server closes; ConnectionResetError if it resets instead."""
        while data := self.socket.recv(65536):
            self._buffer += data
        data, self._buffer = self._buffer, b""
        return data

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fill(self, size: int) -> None:
        data = self.socket.recv(size)
        if not data:
            raise ConnectionError("the server has closed the connection")
        self._buffer += data
