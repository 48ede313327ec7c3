"""Requests about one PV that need it connected, and are answered once: in time, or with a coded error."""

from collections.abc import Callable
from typing import Final

from pycaserver.core.channel import Channel
from pycaserver.core.clock import Clock
from pycaserver.core.contact import State
from pycaserver.core.errors import PycaError
from pycaserver.core.pool import ChannelPool
from pycaserver.core.values import PVValue

DEFAULT_TIMEOUT: Final = 5.0
"""Seconds for a read whose request names no time-out."""

_UNREACHABLE: Final = {"lost": "not_connected", "not_found": "not_found", "read_denied": "read_denied"}

Done = Callable[[Channel, PVValue | PycaError | None], None]
"""Called with the channel and its value (None if none was asked for), or the error."""


def _nothing() -> None:
    """There is nothing to forget."""


class OneShot:
    """Waits until the PV is known, reads it if wanted, and calls done exactly once unless cancelled."""

    def __init__(self, pool: ChannelPool, name: str, *, read: bool) -> None:
        """PycaError(invalid_pv_name)."""
        self._pool = pool
        self._read = read
        self._channel = pool.acquire(name)
        self._done: Done | None = None
        self._forget: Callable[[], None] = _nothing

    def start(self, clock: Clock, timeout: float | None, done: Done) -> None:
        """Begin; done may be called before this returns."""
        self._done = done
        self._timer = clock.call_later(timeout or DEFAULT_TIMEOUT, self._timed_out)
        if self._channel.settled:
            self._settled()
        else:
            self._forget = self._channel.contact.when_settled(self._settled)

    def cancel(self) -> None:
        """Forget it: done is not called any more. Harmless when it has been."""
        if self._done is not None:
            self._done = None
            self._timer.cancel()
            forget, self._forget = self._forget, _nothing  # which may have us
            forget()
            self._pool.release(self._channel)

    def _settled(self) -> None:
        if self._done is None:
            return
        if not self._channel.known:
            self._finish(self._unreachable())
        elif self._read:
            self._forget = self._channel.get(self._finish)
        else:
            self._finish(None)

    def _timed_out(self) -> None:
        connected = self._channel.contact.state is State.CONNECTED
        self._finish(PycaError("get_timeout") if connected else self._unreachable())

    def _unreachable(self) -> PycaError:
        return PycaError(_UNREACHABLE[self._channel.contact.reason or "not_found"])

    def _finish(self, result: PVValue | PycaError | None) -> None:
        done, channel = self._done, self._channel
        if done is not None:
            try:
                done(channel, result)
            finally:
                self.cancel()
