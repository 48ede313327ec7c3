"""Reads: the get and info requests of one session that are not answered yet."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from pycaserver.core.channel import Channel
from pycaserver.core.clock import Clock
from pycaserver.core.errors import PycaError
from pycaserver.core.messages import Get, Info, InfoAnswer, SubscriptionOptions, metadata_keys
from pycaserver.core.oneshot import OneShot
from pycaserver.core.pool import ChannelPool
from pycaserver.core.values import PVValue

if TYPE_CHECKING:
    from pycaserver.core.session import Session


class Reads:
    """Each is answered once, unless the session ends before."""

    __slots__ = ("_clock", "_pending", "_pool", "_session")

    def __init__(self, session: "Session", pool: ChannelPool, clock: Clock) -> None:
        self._session = session
        self._pool = pool
        self._clock = clock
        self._pending: set[OneShot] = set()

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._pending)

    def get(self, request: Get, name: str, options: SubscriptionOptions) -> None:
        """Read one PV; PycaError(read_denied, invalid_pv_name, too_many_subscriptions)."""
        self._start(name, partial(self._got, request, options), read=True, timeout=request.timeout)

    def info(self, request: Info) -> None:
        """Describe a PV; the same errors."""
        self._start(request.pv, partial(self._informed, request), read=False, timeout=None)

    def close(self) -> None:
        """Nobody waits for the answers any more."""
        for one_shot in self._pending:
            one_shot.cancel()
        self._pending.clear()

    # -- inside

    def _start(self, name: str, done: Callable[..., None], *, read: bool, timeout: float | None) -> None:
        self._session.rights.check_read(name)
        self._session.check_room()
        one_shot = OneShot(self._pool, name, read=read)

        def finish(channel: Channel, result: PVValue | PycaError | None) -> None:
            self._pending.discard(one_shot)
            done(channel, self._session.rights.denial(name) or result)

        self._pending.add(one_shot)
        one_shot.start(self._clock, timeout, finish)

    def _got(
        self, request: Get, options: SubscriptionOptions, channel: Channel, result: PVValue | PycaError | None
    ) -> None:
        if isinstance(result, PVValue):
            session = self._session
            answer = session.dialect.answer(channel, result, options, request.id, session.outbox.framing)
            session.outbox.tell(answer)
        elif result is not None:
            self._session.refuse_pv(result, request, channel.name)

    def _informed(self, request: Info, channel: Channel, result: PycaError | None) -> None:
        if result is not None or channel.metadata is None:
            self._session.refuse_pv(result or PycaError("not_found"), request, channel.name)
            return
        answer = InfoAnswer(
            **metadata_keys(channel.name, channel.metadata),
            host=channel.host,
            access=self._session.rights.on(channel),
            rule=self._session.rights.decide(channel.name).rule,
            subscribers=channel.subscribers,
            id=request.id,
        )
        self._session.send(answer)
