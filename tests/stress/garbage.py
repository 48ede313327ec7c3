"""What no peer should send: messages that are refused, and bytes after which the connection is closed."""

from collections.abc import Mapping
from typing import Final

from tests.web.raw import FINAL, TEXT, head, masked

FRAMES: Final[Mapping[str, str | bytes]] = {
    "half an object": '{"action": "connect"',
    "a list": "[1, 2]",
    "nothing": "",
    "an unknown action": '{"action": "dance"}',
    "no action": '{"pv": "X"}',
    "a number for a name": '{"action": "connect", "pv": 5}',
    "an unknown key": '{"action": "connect", "pv": "X", "colour": 1}',
    "a wrong option": '{"action": "connect", "pv": "X", "max_rate": -1}',
    "a name with NUL": '{"action": "connect", "pv": "X\\u0000Y"}',
    "a name with spaces": '{"action": "connect", "pv": " X "}',
    "a long name": '{"action": "connect", "pv": "' + "X" * 2000 + '"}',
    "a plain bad name": "no such\tname",
    "deep nesting": '{"action": ' + "[" * 60_000,
    "a long integer": '{"action": "ping", "id": ' + "9" * 5000 + "}",
    "not a number": '{"action": "get", "pv": "X", "timeout": NaN}',
    "a lone surrogate": '{"action": "connect", "pv": "\\ud800"}',
    "a bad put": '{"action": "put", "pv": "X"}',
    "a binary frame": b"\x00\x01\x02\x03",
    "a binary frame with a false length": b"\xff\xff\xff\xff{}",
    "an empty binary frame": b"",
}
"""Whole messages, each answered by an error."""

BREAKING: Final[Mapping[str, bytes]] = {
    "no UTF-8": masked(TEXT, b"\xff\xfe"),
    "no mask": bytes([FINAL | TEXT, 2]) + b"{}",
    "reserved bits": masked(TEXT | 0x70, b"{}"),
    "an unknown opcode": masked(0xB, b"{}"),
    "a ping too long": head(FINAL | 0x9, 200) + bytes(204),
    "a message beyond the limit": head(FINAL | TEXT, (1 << 20) + 1),
    "a length beyond all": head(FINAL | TEXT, (1 << 64) - 1),
    "a flood of mistakes": masked(TEXT, b"{") * 400,
    "half a frame": head(FINAL | TEXT, 1000) + bytes(20),
    "no WebSocket at all": b"GET / HTTP/1.1\r\n\r\n" * 3,
}
"""Bytes as they are; half a frame swallows what is sent after it."""
