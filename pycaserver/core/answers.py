"""Answers: the large ones of one session, encoded piece by piece."""

from collections.abc import Callable
from functools import partial
from typing import Final

from pycaserver.core.channel import Channel
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.outbox import Frame
from pycaserver.core.piecework import Job, Piecework
from pycaserver.core.values import PVValue, size_of

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of the values that wait for it, beside one."""


class Answers:
    """Those that are not sent yet; they go in the order in which the values came, small ones before large ones."""

    __slots__ = ("_bytes", "_jobs", "_piecework", "_tell")

    def __init__(self, piecework: Piecework, tell: Callable[[Frame], None]) -> None:
        self._piecework = piecework
        self._tell = tell
        self._jobs: dict[ValueEncoder, Job] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def give(self, channel: Channel, value: PVValue, encode: ValueEncoder) -> None:
        """Tell what encode makes of the value; PycaError(rate_limited) if too much waits. encode: of this answer."""
        pieces = encode.prepare(channel, value)
        if pieces is None:
            self._tell(encode(channel, value, 0))
            return
        size = size_of(value.data)
        if self._jobs and self._bytes + size > MOST_BYTES:
            raise PycaError("rate_limited", f"Arrays of {MOST_BYTES} bytes are being read already.")
        self._bytes += size
        self._jobs[encode] = self._piecework.begin(pieces, partial(self._made, channel, value, encode, size))

    def close(self) -> None:
        """Nobody waits for them any more."""
        for job in self._jobs.values():
            job.cancel()
        self._jobs.clear()

    def _made(self, channel: Channel, value: PVValue, encode: ValueEncoder, size: int) -> None:
        del self._jobs[encode]
        self._bytes -= size
        self._tell(encode(channel, value, 0))
