"""The server's own interest in PVs, on behalf of something configured; nothing of it goes to a peer.

Watch    is told whatever happens to a PV
Wait     until a PV has a wanted value
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from pycaserver.core.channel import Channel
from pycaserver.core.clock import Timer
from pycaserver.core.contact import State
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.groups import Update
from pycaserver.core.oneshot import OneShot
from pycaserver.core.outbox import Frame
from pycaserver.core.pool import ChannelPool
from pycaserver.core.services import Services
from pycaserver.core.values import PVValue

if TYPE_CHECKING:
    from pycaserver.core.subscription import Subscription


class _Silent(ValueEncoder):
    """Watches have no wire."""

    def __call__(self, channel: Channel, value: PVValue, coalesced: int) -> Frame:
        raise TypeError("a watch sends nothing")

    def batch(self, updates: list[Update]) -> list[Frame]:
        raise TypeError("a watch sends nothing")


_SILENT: Final = _Silent()
_KEY: Final = "watch"


class Watch:
    """Calls `changed` whenever the PV has another value, state or metadata; a Subscription to the channel."""

    plain = False
    """Told of each value by itself, at once."""
    owed = 0
    """Nothing ever is."""

    def __init__(self, pool: ChannelPool, name: str, changed: Callable[[], object]) -> None:
        """PycaError(invalid_pv_name)."""
        self.channel = pool.acquire(name)
        self._pool = pool
        self._changed = changed
        self.channel.subscribe(cast("Subscription", self), _KEY, _SILENT)

    @property
    def ready(self) -> bool:
        """Whether the PV has a value, or is known to be out of reach."""
        return self.channel.latest is not None or self.channel.contact.state is State.DISCONNECTED

    def end(self) -> None:
        """Not interested any more."""
        self.channel.unsubscribe(cast("Subscription", self), _KEY)
        self._pool.release(self.channel)
        self._changed = _nothing  # whose owner may have us

    # -- called by the channel

    def owe(self, value: PVValue, merged: int) -> None:
        """A value came."""
        self._changed()

    def connection_changed(self) -> None:
        """The state is another."""
        self._changed()

    introduce = metadata_changed = rights_changed = connection_changed

    def settle(self) -> None:
        """Nothing is ever owed."""


def _nothing() -> None:
    """Nobody is interested."""


class Wait:
    """Until a PV has a wanted value, or time is over. It is read first: what a monitor told before may be older."""

    def __init__(
        self,
        services: Services,
        name: str,
        wanted: Callable[[Channel, PVValue], bool],
        timeout: float,
        done: Callable[[bool], None],
    ) -> None:
        """timeout: seconds. done: called once with whether it has; perhaps before this returns."""
        self._wanted = wanted
        self._clock = services.clock
        self._done: Callable[[bool], None] | None = done
        self._timer: Timer = services.clock.call_later(timeout, self._finish, False)
        self._watch = Watch(services.pool, name, self._look)
        self._read = OneShot(services.pool, name, read=True)
        self._read.start(services.clock, timeout, self._got)

    def _got(self, channel: Channel, result: PVValue | PycaError | None) -> None:
        if isinstance(result, PVValue) and self._wanted(channel, result):
            self._finish(True)

    def _look(self) -> None:
        latest = self._watch.channel.latest
        if latest is not None and self._wanted(self._watch.channel, latest):
            self._clock.call_soon(self._finish, True)  # the channel is telling all its subscriptions

    def _finish(self, so: bool) -> None:
        done, self._done = self._done, None
        if done is not None:
            self._timer.cancel()
            self._read.cancel()
            self._watch.end()
            done(so)
