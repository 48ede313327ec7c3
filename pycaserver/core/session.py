"""Session: one peer, its subscriptions and defaults; executes its requests."""

import logging
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Final, Protocol

from pycaserver.core.budget import Budget
from pycaserver.core.channel import Channel, State, ValueEncoder
from pycaserver.core.clock import Clock
from pycaserver.core.errors import TOO_MANY_ERRORS, PycaError
from pycaserver.core.figures import Figures
from pycaserver.core.messages import (
    AccessRights,
    Connect,
    Disconnect,
    Error,
    Get,
    Id,
    Info,
    InfoAnswer,
    List,
    ListAnswer,
    ListItem,
    Message,
    Names,
    OptionsAnswer,
    Pause,
    Ping,
    Pong,
    Request,
    Resume,
    SetOptions,
    SubscriptionOptions,
    metadata_keys,
)
from pycaserver.core.oneshot import OneShot
from pycaserver.core.outbox import Frame, Framing, Outbox, Transport
from pycaserver.core.pool import ChannelPool
from pycaserver.core.subscription import Subscription
from pycaserver.core.values import PVValue

log = logging.getLogger(__name__)

ERROR_BURST_SECONDS: Final = 5
"""An error budget lets through this many seconds' worth at once."""


class Dialect(Protocol):
    """What is said on the wire: pure translation between a peer's bytes and the core's vocabulary."""

    name: str

    def decode(self, data: bytes) -> Request:
        """One message from the peer; PycaError if it is none."""

    def encode(self, message: Message) -> bytes:
        """One message to the peer, not yet framed."""

    def value_encoder(self, options: SubscriptionOptions, framing: Framing) -> ValueEncoder:
        """What makes finished monitor messages in this form."""

    def answer(
        self, channel: Channel, value: PVValue, options: SubscriptionOptions, id: Id | None, framing: Framing
    ) -> Frame:
        """A finished answer to get."""


class Limits(Protocol):
    """The settings that bound a session."""

    subscriptions_per_session: int
    requests_per_second: float
    errors_per_second: float
    backlog_bytes: int


class Session:
    """One peer. The web layer calls receive and ended; everything it sends goes through its outbox."""

    def __init__(
        self,
        pool: ChannelPool,
        dialect: Dialect,
        transport: Transport,
        framings: tuple[Framing, Framing],
        limits: Limits,
        clock: Clock,
        figures: Figures,
    ) -> None:
        """framings: one message a frame, and batches."""
        self.figures = figures
        self.outbox = Outbox(transport, framings[0], pool.fanout, clock, figures, limits.backlog_bytes)
        self._pool = pool
        self._dialect = dialect
        self._transport = transport
        self._framings = framings
        self._limits = limits
        self._clock = clock
        self._subscriptions: dict[str, Subscription] = {}
        self._defaults = SubscriptionOptions()
        self._pending: set[OneShot] = set()
        self._at_fault = False
        self._requests = Budget(clock, limits.requests_per_second, limits.requests_per_second)
        errors = limits.errors_per_second
        self._errors = Budget(clock, errors, errors * ERROR_BURST_SECONDS)
        figures.sessions += 1
        figures.sessions_opened += 1

    def receive(self, data: bytes) -> float:
        """Execute one message; the seconds to wait before reading the next, 0.0 within the request budget."""
        self.figures.requests += 1
        self._at_fault = False
        try:
            self.execute(self._dialect.decode(data))
        except PycaError as error:
            self._at_fault = True
            self.refuse(error)
        except Exception:
            log.exception("a request failed unexpectedly")
            self.figures.faults += 1
            self.refuse(PycaError("internal"))
        if self._at_fault and self._errors.spend() > 0:
            self._clock.call_soon(self._transport.close, TOO_MANY_ERRORS)
        return self._requests.spend()

    def execute(self, request: Request) -> None:
        """Carry out one request; PycaError if it cannot be."""
        _HANDLERS[type(request)](self, request)

    def refuse(self, error: PycaError) -> None:
        """Tell the peer what went wrong."""
        self.figures.errors[error.code] += 1
        self.send(Error.of(error))

    def send(self, message: Message) -> None:
        """Put a message into the outbox."""
        self.outbox.tell(self.outbox.framing.text(self._dialect.encode(message)))

    def ended(self) -> None:
        """The peer is gone: leave all channels."""
        self.figures.sessions -= 1
        self.outbox.close()
        for one_shot in self._pending:
            one_shot.cancel()
        self._pending.clear()
        for name in list(self._subscriptions):
            self._unsubscribe(name)

    def encoding_of(self, options: SubscriptionOptions) -> tuple[Hashable, ValueEncoder]:
        """The key under which subscriptions share encoded values, and what encodes them."""
        framing = self.outbox.framing
        return (self._dialect.name, framing, options.wire_form), self._dialect.value_encoder(options, framing)

    # -- requests

    def _connect(self, request: Connect) -> None:
        options = self._defaults.replaced_by(request)
        for name in _names(request.pv):
            self._attempt(partial(self._subscribe, name, options, request.id), request, name)

    def _disconnect(self, request: Disconnect) -> None:
        for name in _names(request.pv):
            if name in self._subscriptions:
                self._unsubscribe(name)

    def _set_options(self, request: SetOptions) -> None:
        self._defaults = self._defaults.replaced_by(request)
        if isinstance(request.batch, bool):
            self._set_framing(self._framings[request.batch])
        batch = self.outbox.framing is self._framings[True]
        answer = OptionsAnswer(batch=batch, **self._defaults.as_dict())
        if request.id is not None:
            answer.id = request.id
        self.send(answer)

    def _get(self, request: Get) -> None:
        for name in _names(request.pv):
            done = partial(self._got, request, self._defaults)
            self._attempt(partial(self._one_shot, name, done, read=True, timeout=request.timeout), request, name)

    def _info(self, request: Info) -> None:
        done = partial(self._informed, request)
        self._attempt(partial(self._one_shot, request.pv, done, read=False, timeout=None), request, request.pv)

    def _list(self, request: List) -> None:
        channels = (subscription.channel for subscription in self._subscriptions.values())
        pvs = [ListItem(c.name, c.state is State.CONNECTED, c.reason, c.since) for c in channels]
        self.send(ListAnswer(pvs=pvs, id=request.id))

    def _pause(self, request: Pause) -> None:
        self.outbox.pause()

    def _resume(self, request: Resume) -> None:
        self.outbox.resume()

    def _ping(self, request: Ping) -> None:
        self.send(Pong(id=request.id))

    # -- inside

    def _attempt(self, call: Callable[[], object], request: Request, name: str) -> None:
        """One PV of a list may be refused without harm to the others."""
        try:
            call()
        except PycaError as error:
            self._at_fault = True
            self._refuse_pv(error, request, name)

    def _refuse_pv(self, error: PycaError, request: Request, name: str) -> None:
        error.action, error.id = str(request.__struct_config__.tag), request.id
        error.pvname = error.pvname or name
        self.refuse(error)

    def _subscribe(self, name: str, options: SubscriptionOptions, id: Id | None) -> None:
        subscription = self._subscriptions.get(name)
        if subscription is not None:
            subscription.replace(options)
        else:
            self._check_room()
            subscription = Subscription(self, self._pool.acquire(name), options)
            self._subscriptions[name] = subscription
        subscription.greet(id)

    def _unsubscribe(self, name: str) -> None:
        subscription = self._subscriptions.pop(name)
        subscription.end()
        self._pool.release(subscription.channel)

    def _set_framing(self, framing: Framing) -> None:
        if framing is not self.outbox.framing:
            self.outbox.reframe(framing)
            for subscription in self._subscriptions.values():
                subscription.replace(subscription.options)

    def _check_room(self) -> None:
        most = self._limits.subscriptions_per_session
        if len(self._subscriptions) + len(self._pending) >= most:
            raise PycaError("too_many_subscriptions", f"limits.subscriptions_per_session is {most}, reads included.")

    def _one_shot(self, name: str, done: Callable[..., None], *, read: bool, timeout: float | None) -> None:
        self._check_room()
        one_shot = OneShot(self._pool, name, read=read)

        def finish(channel: Channel, result: PVValue | PycaError | None) -> None:
            self._pending.discard(one_shot)
            done(channel, result)

        self._pending.add(one_shot)
        one_shot.start(self._clock, timeout, finish)

    def _got(
        self, request: Get, options: SubscriptionOptions, channel: Channel, result: PVValue | PycaError | None
    ) -> None:
        if isinstance(result, PVValue):
            self.outbox.tell(self._dialect.answer(channel, result, options, request.id, self.outbox.framing))
        elif result is not None:
            self._refuse_pv(result, request, channel.name)

    def _informed(self, request: Info, channel: Channel, result: PycaError | None) -> None:
        if result is not None or channel.metadata is None:
            self._refuse_pv(result or PycaError("not_found"), request, channel.name)
            return
        answer = InfoAnswer(
            **metadata_keys(channel.name, channel.metadata),
            host=channel.host,
            access=AccessRights(channel.access.read, channel.access.write),
            subscribers=channel.subscribers,
            id=request.id,
        )
        self.send(answer)


_HANDLERS: Final[dict[type[Request], Callable[[Session, Any], None]]] = {
    Connect: Session._connect,
    Disconnect: Session._disconnect,
    SetOptions: Session._set_options,
    Get: Session._get,
    Info: Session._info,
    List: Session._list,
    Pause: Session._pause,
    Resume: Session._resume,
    Ping: Session._ping,
}


def _names(pv: Names) -> list[str]:
    return [pv] if isinstance(pv, str) else list(dict.fromkeys(pv))
