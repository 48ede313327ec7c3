"""Reads: those of one session that are not answered yet."""

from pycaserver.core.channel import Channel
from pycaserver.core.clock import Clock
from pycaserver.core.errors import PycaError
from pycaserver.core.oneshot import Done, OneShot
from pycaserver.core.pool import ChannelPool
from pycaserver.core.rights import Rights
from pycaserver.core.values import PVValue


class Reads:
    """Each is answered once, unless the session ends before."""

    __slots__ = ("_clock", "_pending", "_pool", "_rights")

    def __init__(self, rights: Rights, pool: ChannelPool, clock: Clock) -> None:
        """rights: of the session, also at the time of the answer."""
        self._rights = rights
        self._pool = pool
        self._clock = clock
        self._pending: dict[OneShot, None] = {}  # an empty set would take more

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._pending)

    def start(self, name: str, done: Done, *, read: bool, timeout: float | None) -> None:
        """Read a PV, or wait until it is known; who asks has seen to rights and room."""
        one_shot = OneShot(self._pool, name, read=read)

        def finish(channel: Channel, result: PVValue | PycaError | None) -> None:
            self._pending.pop(one_shot, None)
            done(channel, self._rights.denial(name) or result)

        self._pending[one_shot] = None
        one_shot.start(self._clock, timeout, finish)

    def close(self) -> None:
        """Nobody waits for the answers any more."""
        for one_shot in self._pending:
            one_shot.cancel()
        self._pending.clear()
