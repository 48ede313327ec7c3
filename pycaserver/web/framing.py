"""How messages become bytes on the wire: WebSocket frames (RFC 6455, 5.2), arrays in frames, server-sent events."""

from itertools import groupby
from struct import Struct
from typing import Final

TEXT: Final = 0x1
BINARY: Final = 0x2
_FINAL: Final = 0x80

BATCH_BYTES: Final = 256 * 1024
"""Messages beyond this go into a further array, since many clients refuse frames over 1 MiB."""

_MEDIUM: Final = Struct(">BBH")
_LARGE: Final = Struct(">BBQ")


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole, unmasked frame, as a server sends it: the same bytes serve every peer."""
    size = len(payload)
    if size < 126:
        return bytes((_FINAL | opcode, size)) + payload
    if size < 1 << 16:
        return _MEDIUM.pack(_FINAL | opcode, 126, size) + payload
    return _LARGE.pack(_FINAL | opcode, 127, size) + payload


class SingleFrames:
    """One message, one WebSocket frame."""

    def text(self, payload: bytes) -> bytes:
        """A text frame."""
        return frame(TEXT, payload)

    def binary(self, payload: bytes) -> bytes:
        """A binary frame."""
        return frame(BINARY, payload)

    def join(self, frames: list[bytes]) -> list[bytes]:
        """Frames stay frames when they lie one after the other."""
        return _joined(frames)

    def pack(self, frames: list[bytes]) -> list[bytes]:
        """They are finished."""
        return frames


class _Finished(bytes):
    """A frame that is not to be put into an array."""


class BatchedFrames:
    """All that is due in one WebSocket frame: a JSON array of messages. Binary frames stay frames, in their place."""

    def text(self, payload: bytes) -> bytes:
        """The JSON as it is: pack makes the frame."""
        return payload

    def binary(self, payload: bytes) -> bytes:
        """A binary frame."""
        return _Finished(frame(BINARY, payload))

    def join(self, frames: list[bytes]) -> list[bytes]:
        """Messages with commas between them are a part of an array too."""
        if _Finished not in set(map(type, frames)):
            return [b",".join(frames)] if frames else []
        pieces: list[bytes] = []
        for finished, run in groupby(frames, _is_finished):
            messages = list(run)
            pieces += messages if finished else [b",".join(messages)]
        return pieces

    def pack(self, frames: list[bytes]) -> list[bytes]:
        """Arrays of neighbouring messages, and binary frames between them."""
        pieces: list[bytes] = []
        batch: list[bytes] = []
        size = 0
        for item in frames:
            finished = _is_finished(item)
            if batch and (finished or size > BATCH_BYTES):
                pieces.append(_array(batch))
                batch, size = [], 0
            if finished:
                pieces.append(item)
            else:
                batch.append(item)
                size += len(item)
        return [*pieces, _array(batch)] if batch else pieces


def _is_finished(item: bytes) -> bool:
    return isinstance(item, _Finished)


def _joined(frames: list[bytes]) -> list[bytes]:
    return [b"".join(frames)] if frames else []


def _array(messages: list[bytes]) -> bytes:
    return frame(TEXT, b"[" + b",".join(messages) + b"]")


class ServerSentEvents:
    """One message, one event of an event stream (HTML standard, 9.2); JSON has no line breaks of its own."""

    def text(self, payload: bytes) -> bytes:
        """An event without a name, which EventSource gives to onmessage."""
        return b"data: " + payload + b"\n\n"

    def binary(self, payload: bytes) -> bytes:
        """Event streams are text; the stream handler refuses the option."""
        raise TypeError("an event stream has no binary messages")

    def join(self, frames: list[bytes]) -> list[bytes]:
        """Events stay events when they lie one after the other."""
        return _joined(frames)

    def pack(self, frames: list[bytes]) -> list[bytes]:
        """They are finished."""
        return frames


class PlainJson:
    """The JSON itself: the body of an HTTP answer."""

    def text(self, payload: bytes) -> bytes:
        """As it is."""
        return payload

    def binary(self, payload: bytes) -> bytes:
        """As it is."""
        return payload

    def join(self, frames: list[bytes]) -> list[bytes]:
        """As they are."""
        return frames

    def pack(self, frames: list[bytes]) -> list[bytes]:
        """As they are."""
        return frames


SINGLE: Final = SingleFrames()
BATCHED: Final = BatchedFrames()
EVENTS: Final = ServerSentEvents()
PLAIN: Final = PlainJson()
