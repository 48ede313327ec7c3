"""Session: one peer, its subscriptions and defaults; executes its requests."""

import logging
from collections.abc import Callable, Hashable
from functools import lru_cache, partial
from typing import Any, Final

from pycaserver.core.budget import Budget
from pycaserver.core.channel import State, ValueEncoder
from pycaserver.core.dialect import Dialect
from pycaserver.core.errors import TOO_MANY_ERRORS, PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import (
    Authenticate,
    AuthenticateAnswer,
    Connect,
    Disconnect,
    Error,
    Get,
    Id,
    Info,
    List,
    ListAnswer,
    ListItem,
    Message,
    Names,
    OptionsAnswer,
    Pause,
    Ping,
    Pong,
    Put,
    PutAnswer,
    Request,
    Resume,
    SetOptions,
    SubscriptionOptions,
)
from pycaserver.core.outbox import Framing, Outbox, Transport
from pycaserver.core.puts import PEERS_FAULTS, Puts
from pycaserver.core.reads import Reads
from pycaserver.core.rights import Gate, Rights
from pycaserver.core.services import Services
from pycaserver.core.subscription import Subscription

log = logging.getLogger(__name__)

ERROR_BURST_SECONDS: Final = 5
"""An error budget lets through this many seconds' worth at once."""


class Session:
    """One peer. The web layer calls receive and ended; everything it sends goes through its outbox."""

    def __init__(
        self,
        services: Services,
        dialect: Dialect,
        transport: Transport,
        framings: tuple[Framing, Framing],
        identity: Identity,
        gate: Gate | None = None,
    ) -> None:
        """framings: one message a frame, and batches. gate: if the identity may come later, or change."""
        pool, clock, figures, limits = services.pool, services.clock, services.figures, services.limits
        self.figures = figures
        self.rights = Rights(services.access, identity)
        self.outbox = Outbox(transport, framings[0], pool.fanout, clock, figures, limits.backlog_bytes)
        self._access = services.access
        self._puts = Puts(services)
        self._reads = Reads(self, pool, clock)
        self._pool = pool
        self.dialect = dialect
        self._transport = transport
        self._gate = gate
        self._framings = framings
        self._limits = limits
        self._clock = clock
        self._subscriptions: dict[str, Subscription] = {}
        self._defaults = SubscriptionOptions()
        self._at_fault = False
        self._requests = Budget(clock, limits.requests_per_second, limits.requests_per_second)
        errors = limits.errors_per_second
        self._errors = Budget(clock, errors, errors * ERROR_BURST_SECONDS)
        self._over_budget = False
        self._access.watchers[self._recheck] = None
        figures.sessions += 1
        figures.sessions_opened += 1

    def receive(self, data: bytes) -> float:
        """Execute one message; the seconds to wait before reading the next, 0.0 within the request budget."""
        self.figures.requests += 1
        self._at_fault = False
        wait = self._requests.spend()
        self._over_budget = wait > 0
        try:
            self.execute(self.dialect.decode(data))
        except PycaError as error:
            self._at_fault = True
            self.refuse(error)
        except Exception:
            log.exception("a request failed unexpectedly")
            self.figures.faults += 1
            self.refuse(PycaError("internal"))
        if self._at_fault and self._errors.spend() > 0:
            self._clock.call_soon(self._transport.close, TOO_MANY_ERRORS)
        return wait

    def execute(self, request: Request) -> None:
        """Carry out one request; PycaError if it cannot be."""
        if self._gate is not None and self._gate.locked and not isinstance(request, Authenticate):
            raise _echoing(PycaError("unauthenticated", "The first request must be authenticate."), request)
        _HANDLERS[type(request)](self, request)

    def refuse(self, error: PycaError) -> None:
        """Tell the peer what went wrong."""
        self.figures.errors[error.code] += 1
        self.send(Error.of(error))

    def send(self, message: Message) -> None:
        """Put a message into the outbox."""
        self.outbox.tell(self.outbox.framing.text(self.dialect.encode(message)))

    def ended(self) -> None:
        """The peer is gone: leave all channels."""
        self.figures.sessions -= 1
        self._access.watchers.pop(self._recheck, None)
        self._puts.close()
        self.outbox.close()
        self._reads.close()
        for name in list(self._subscriptions):
            self._unsubscribe(name)

    @property
    def subscriptions(self) -> int:
        """How many it has."""
        return len(self._subscriptions)

    @property
    def identity(self) -> Identity:
        """Who the peer is."""
        return self.rights.identity

    def become(self, identity: Identity) -> None:
        """The peer has shown who it is: from now on it has that identity's rights."""
        self.rights.identity = identity
        self._recheck()

    def encoding_of(self, options: SubscriptionOptions) -> tuple[Hashable, ValueEncoder]:
        """The key under which subscriptions share encoded values, and what encodes them."""
        framing = self.outbox.framing
        return _kind(self.dialect.name, framing, options), self.dialect.value_encoder(options, framing)

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
            self._attempt(partial(self._reads.get, request, name, self._defaults), request, name)

    def _put(self, request: Put) -> None:
        def answer(result: PutAnswer | PycaError) -> None:
            if isinstance(result, PycaError):
                self._at_fault = result.code in PEERS_FAULTS
                self.refuse_pv(result, request, request.pv)
            else:
                self.send(result)

        self._puts.begin(request, self.identity, answer, over_budget=self._over_budget)

    def _info(self, request: Info) -> None:
        self._attempt(partial(self._reads.info, request), request, request.pv)

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

    def _authenticate(self, request: Authenticate) -> None:
        if self._gate is None:
            raise _echoing(PycaError("unauthenticated", "There is no identity to be had here."), request)
        try:
            self.become(self._gate.authenticate(request.token))
        except PycaError as error:
            raise _echoing(error, request) from None
        self.send(AuthenticateAnswer(ok=True, user=self.identity.user, expires=self.identity.expires, id=request.id))

    # -- inside

    def _recheck(self) -> None:
        """The rules or the identity have changed."""
        for name, subscription in list(self._subscriptions.items()):
            if self.rights.decide(name).read:
                subscription.rights_changed()
            else:
                subscription.deny(self._clock.wall())
                self._unsubscribe(name)

    def _attempt(self, call: Callable[[], object], request: Request, name: str) -> None:
        """One PV of a list may be refused without harm to the others."""
        try:
            call()
        except PycaError as error:
            self._at_fault = True
            self.refuse_pv(error, request, name)

    def refuse_pv(self, error: PycaError, request: Request, name: str) -> None:
        """Tell what went wrong with a request about that PV."""
        error.action, error.id = str(request.__struct_config__.tag), request.id
        error.pvname = error.pvname or name
        self.refuse(error)

    def _subscribe(self, name: str, options: SubscriptionOptions, id: Id | None) -> None:
        self.rights.check_read(name)
        subscription = self._subscriptions.get(name)
        if subscription is not None:
            subscription.replace(options)
        else:
            self.check_room()
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

    def check_room(self) -> None:
        """PycaError(too_many_subscriptions) if there is no room for one more, or for one more read."""
        most = self._limits.subscriptions_per_session
        if len(self._subscriptions) + len(self._reads) >= most:
            raise PycaError("too_many_subscriptions", f"limits.subscriptions_per_session is {most}, reads included.")


@lru_cache(maxsize=256)
def _kind(dialect: str, framing: Framing, options: SubscriptionOptions) -> Hashable:
    """One object for all that are alike, however many subscriptions there are."""
    return dialect, framing, options.wire_form


_HANDLERS: Final[dict[type[Request], Callable[[Session, Any], None]]] = {
    Connect: Session._connect,
    Disconnect: Session._disconnect,
    SetOptions: Session._set_options,
    Get: Session._get,
    Put: Session._put,
    Info: Session._info,
    List: Session._list,
    Pause: Session._pause,
    Resume: Session._resume,
    Ping: Session._ping,
    Authenticate: Session._authenticate,
}


def _echoing(error: PycaError, request: Request) -> PycaError:
    """The error with what tells the peer which request it is about."""
    error.action, error.id = str(request.__struct_config__.tag), request.id
    return error


def _names(pv: Names) -> list[str]:
    return [pv] if isinstance(pv, str) else list(dict.fromkeys(pv))
