"""How messages become bytes on the wire: WebSocket frames (RFC 6455, 5.2), arrays in frames, two kinds of events."""

from functools import lru_cache
from itertools import groupby
from struct import Struct
from typing import Final, cast

from pycaserver.core.outbox import Frame, LongFrame

TEXT: Final = 0x1
BINARY: Final = 0x2
_FINAL: Final = 0x80

BATCH_BYTES: Final = 256 * 1024
"""Messages beyond this go into a further array, since many clients refuse frames over 1 MiB."""

SEPARATOR: Final = b"\x1e"
"""Between the packets of Engine.IO."""
_TYPE_KEY: Final = b'{"msg_type":"'

_MEDIUM: Final = Struct(">BBH")
_LARGE: Final = Struct(">BBQ")


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole, unmasked frame, as a server sends it: the same bytes serve every peer."""
    return header(opcode, len(payload)) + payload


@lru_cache(maxsize=1024)
def header(opcode: int, size: int) -> bytes:
    """What is before the payload of an unmasked frame."""
    if size < 126:
        return bytes((_FINAL | opcode, size))
    if size < 1 << 16:
        return _MEDIUM.pack(_FINAL | opcode, 126, size)
    return _LARGE.pack(_FINAL | opcode, 127, size)


def _binary(head: bytes, body: memoryview) -> LongFrame:
    return LongFrame(header(BINARY, len(head) + len(body)) + head, body)


def _long(parts: list[bytes]) -> LongFrame:
    return LongFrame(header(TEXT, sum(map(len, parts))), *parts)


def _joined(frames: list[Frame], between: bytes) -> list[Frame]:
    """Neighbours as one piece; long frames stay apart."""
    pieces: list[Frame] = []
    for kind, run in groupby(frames, type):
        neighbours = list(run)
        pieces += neighbours if kind is LongFrame else [between.join(cast(list[bytes], neighbours))]
    return pieces


class SingleFrames:
    """One message, one WebSocket frame."""

    def text(self, payload: bytes) -> bytes:
        """A text frame."""
        return frame(TEXT, payload)

    def long(self, parts: list[bytes]) -> Frame:
        """A text frame, of which the parts are not copied."""
        return _long(parts)

    def binary(self, head: bytes, body: memoryview) -> Frame:
        """A binary frame."""
        return _binary(head, body)

    def join(self, frames: list[Frame]) -> list[Frame]:
        """Frames stay frames when they lie one after the other."""
        return _joined(frames, b"")

    def pack(self, frames: list[Frame]) -> list[Frame]:
        """They are finished."""
        return frames


class BatchedFrames:
    """All that is due in one WebSocket frame: a JSON array of messages. Long frames stay frames, in their place."""

    def text(self, payload: bytes) -> bytes:
        """The JSON as it is: pack makes the frame."""
        return payload

    def long(self, parts: list[bytes]) -> Frame:
        """An array of its own."""
        return _long([b"[", *parts, b"]"])

    def binary(self, head: bytes, body: memoryview) -> Frame:
        """A binary frame."""
        return _binary(head, body)

    def join(self, frames: list[Frame]) -> list[Frame]:
        """Messages with commas between them are a part of an array too."""
        return _joined(frames, b",")

    def pack(self, frames: list[Frame]) -> list[Frame]:
        """Arrays of neighbouring messages, and long frames between them."""
        pieces: list[Frame] = []
        batch: list[bytes] = []
        size = 0
        for item in frames:
            if batch and (isinstance(item, LongFrame) or size > BATCH_BYTES):
                pieces.append(_array(batch))
                batch, size = [], 0
            if isinstance(item, LongFrame):
                pieces.append(item)
            else:
                batch.append(item)
                size += len(item)
        return [*pieces, _array(batch)] if batch else pieces


def _array(messages: list[bytes]) -> bytes:
    return frame(TEXT, b"[" + b",".join(messages) + b"]")


class ServerSentEvents:
    """One message, one event of an event stream (HTML standard, 9.2); JSON has no line breaks of its own."""

    def text(self, payload: bytes) -> bytes:
        """An event without a name, which EventSource gives to onmessage."""
        return b"data: " + payload + b"\n\n"

    def long(self, parts: list[bytes]) -> Frame:
        """The same."""
        return LongFrame(b"data: ", *parts, b"\n\n")

    def binary(self, head: bytes, body: memoryview) -> Frame:
        """Event streams are text; the stream handler refuses the option."""
        raise TypeError("an event stream has no binary messages")

    def join(self, frames: list[Frame]) -> list[Frame]:
        """Events stay events when they lie one after the other."""
        return _joined(frames, b"")

    def pack(self, frames: list[Frame]) -> list[Frame]:
        """They are finished."""
        return frames


def _name_of(payload: bytes) -> bytes:
    return payload[len(_TYPE_KEY) : payload.index(b'"', len(_TYPE_KEY))]


class SocketIOEvents:
    """One message, one Socket.IO event packet, named by its `msg_type`; an array is name and payload already."""

    def text(self, payload: bytes) -> bytes:
        """With the separator that Engine.IO has between packets, and JSON never holds."""
        if payload.startswith(b"["):
            return b"2" + payload + SEPARATOR
        return b'2["%b",%b]%b' % (_name_of(payload), payload, SEPARATOR)

    def long(self, parts: list[bytes]) -> Frame:
        """The same; the name is in the first part."""
        if parts[0].startswith(b"["):
            return LongFrame(b"2", *parts, SEPARATOR)
        return LongFrame(b'2["%b",' % _name_of(parts[0]), *parts, b"]" + SEPARATOR)

    def binary(self, head: bytes, body: memoryview) -> Frame:
        """Events are text; the session refuses the option."""
        raise TypeError("an event has no binary messages")

    def join(self, frames: list[Frame]) -> list[Frame]:
        """Packets stay packets when they lie one after the other."""
        return _joined(frames, b"")

    def pack(self, frames: list[Frame]) -> list[Frame]:
        """They are finished."""
        return frames


class PlainJson:
    """The JSON itself: the body of an HTTP answer."""

    def text(self, payload: bytes) -> bytes:
        """As it is."""
        return payload

    def long(self, parts: list[bytes]) -> Frame:
        """As it is."""
        return LongFrame(*parts)

    def binary(self, head: bytes, body: memoryview) -> Frame:
        """JSON is text; reads over HTTP refuse the option."""
        raise TypeError("JSON has no binary messages")

    def join(self, frames: list[Frame]) -> list[Frame]:
        """As they are."""
        return frames

    def pack(self, frames: list[Frame]) -> list[Frame]:
        """As they are."""
        return frames


SINGLE: Final = SingleFrames()
BATCHED: Final = BatchedFrames()
EVENTS: Final = ServerSentEvents()
SOCKETIO: Final = SocketIOEvents()
PLAIN: Final = PlainJson()
