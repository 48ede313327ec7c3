"""RequestSession: a session whose peer speaks the core's vocabulary, in some dialect; executes its requests."""

from collections.abc import Callable, Hashable
from functools import lru_cache, partial
from typing import Any, Final

from pycaserver.core.answers import Answers
from pycaserver.core.channel import Channel
from pycaserver.core.contact import State
from pycaserver.core.dialect import Dialect
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import (
    AccessRights,
    AuthenticateAnswer,
    Error,
    InfoAnswer,
    ListAnswer,
    ListItem,
    Message,
    OptionsAnswer,
    Pong,
    PutAnswer,
    metadata_keys,
)
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Framing, Transport
from pycaserver.core.past import Past
from pycaserver.core.piecework import Pieces
from pycaserver.core.requests import (
    Authenticate,
    Connect,
    Disconnect,
    Get,
    GetEvents,
    History,
    Info,
    List,
    Pause,
    Ping,
    Put,
    Request,
    Resume,
    SetOptions,
)
from pycaserver.core.rights import Gate
from pycaserver.core.services import Services
from pycaserver.core.session import Session, pieces_of
from pycaserver.core.terms import Names
from pycaserver.core.values import PVValue


class RequestSession(Session):
    """One peer that asks with requests and is told messages."""

    authenticates = True

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
        super().__init__(services, transport, framings[0], identity, gate)
        self.dialect = dialect
        self._framings = framings
        self._defaults = SubscriptionOptions()
        self._past = Past(self)
        self._answers = Answers(services.pool.fanout.piecework, self.outbox.tell)

    def ended(self) -> None:
        """The peer is gone."""
        self._past.end()
        self._answers.close()
        super().ended()

    @property
    def waiting(self) -> int:
        """How many answers are under way."""
        return super().waiting + len(self._past) + len(self._answers)

    def handle(self, data: bytes) -> None:
        """One request; PycaError if it is none or cannot be carried out."""
        self.execute(self.dialect.decode(data))

    def execute(self, request: Request) -> None:
        """Carry out one request; PycaError if it cannot be."""
        if self.locked and not isinstance(request, Authenticate):
            raise _echoing(PycaError("unauthenticated", "The first request must be authenticate."), request)
        _HANDLERS[type(request)](self, request)

    def refuse(self, error: PycaError) -> None:
        """Tell the peer what went wrong."""
        self.figures.errors[error.code] += 1
        self.send(Error.of(error))

    def send(self, message: Message) -> None:
        """Put a message into the outbox."""
        self.outbox.tell(self.outbox.framing.text(self.dialect.encode(message)))

    def encoding_of(self, options: SubscriptionOptions) -> tuple[Hashable, ValueEncoder]:
        """The key under which subscriptions share encoded values, and what encodes them."""
        framing = self.outbox.framing
        return _kind(self.dialect.name, framing, options), self.dialect.value_encoder(options, framing)

    def refuse_pv(self, error: PycaError, request: Request, name: str) -> None:
        """Tell what went wrong with a request about that PV."""
        self.refuse(self.about(error, request, name))

    def about(self, error: PycaError, request: Request, name: str) -> PycaError:
        """The error with what it is about."""
        error.pvname = error.pvname or name
        return _echoing(error, request)

    # -- requests

    def _connect(self, request: Connect) -> None:
        options = self._defaults.replaced_by(request)

        def connect(name: str) -> None:
            self._attempt(partial(self._subscribe, name, options, request), request, name)

        self.each(_names(request.pv), connect)

    def _subscribe(self, name: str, options: SubscriptionOptions, request: Connect) -> None:
        subscribe = partial(self.subscribe, name, options, request.id)
        if options.history is None:
            self._past.leave(name)
            subscribe()
        else:
            history = History(pv=name, seconds=options.history, id=request.id)
            self._past.preface(history, partial(self._attempt, subscribe, request, name))

    def unsubscribe(self, name: str) -> None:
        """End it, or what would have begun it."""
        self._past.leave(name)
        super().unsubscribe(name)

    def _disconnect(self, request: Disconnect) -> None:
        self.each(_names(request.pv), self.unsubscribe)

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
        done = partial(self._got, request, self._defaults)

        def read(name: str) -> None:
            self._attempt(partial(self.read, name, done, request.timeout), request, name)

        self.each(_names(request.pv), read)

    def _put(self, request: Put) -> None:
        def answer(result: PutAnswer | PycaError) -> None:
            if isinstance(result, PycaError):
                self.refuse_pv(result, request, request.pv)
            else:
                self.send(result)

        self.put(request, answer)

    def _info(self, request: Info) -> None:
        done = partial(self._informed, request)
        self._attempt(partial(self.read, request.pv, done, value=False), request, request.pv)

    def _list(self, request: List) -> None:
        channels = (subscription.channel for subscription in self.subscribed.values())
        contacts = ((channel.name, channel.contact) for channel in channels)
        pvs = [ListItem(name, c.state is State.CONNECTED, c.reason, c.since) for name, c in contacts]
        self.send(ListAnswer(pvs=pvs, id=request.id))

    def _history(self, request: History) -> None:
        self._attempt(partial(self._past.history, request), request, request.pv)

    def _events(self, request: GetEvents) -> None:
        self._past.events(request)

    def _pause(self, request: Pause) -> None:
        self.outbox.pause()

    def _resume(self, request: Resume) -> None:
        self.outbox.resume()

    def _ping(self, request: Ping) -> None:
        self.send(Pong(id=request.id))

    def _authenticate(self, request: Authenticate) -> None:
        if self.gate is None:
            raise _echoing(PycaError("unauthenticated", "There is no identity to be had here."), request)
        try:
            self.become(self.gate.authenticate(request.token))
        except PycaError as error:
            raise _echoing(error, request) from None
        self.send(AuthenticateAnswer(ok=True, user=self.identity.user, expires=self.identity.expires, id=request.id))

    # -- inside

    def _attempt(self, call: Callable[[], object], request: Request, name: str) -> None:
        self.attempt(call, lambda error: self.refuse_pv(error, request, name))

    def _got(
        self, request: Get, options: SubscriptionOptions, channel: Channel, result: PVValue | PycaError | None
    ) -> None:
        if isinstance(result, PVValue):
            encode = self.dialect.answer_encoder(options, request.id, self.outbox.framing)
            self._attempt(partial(self._answers.give, channel, result, encode), request, channel.name)
        elif result is not None:
            self.refuse_pv(result, request, channel.name)

    def _informed(self, request: Info, channel: Channel, result: PVValue | PycaError | None) -> None:
        if isinstance(result, PycaError) or channel.metadata is None:
            error = result if isinstance(result, PycaError) else PycaError("not_found")
            self.refuse_pv(error, request, channel.name)
            return
        decision = self.rights.decide(channel.name)
        answer = InfoAnswer(
            **metadata_keys(channel.name, channel.metadata),
            host=channel.host,
            access=self.rights.on(channel),
            allowed=AccessRights(decision.read, decision.write),
            rule=decision.rule,
            subscribers=channel.subscribers,
            id=request.id,
        )
        self.send(answer)

    def _set_framing(self, framing: Framing) -> None:
        if framing is not self.outbox.framing:
            self.outbox.reframe(framing)
            self.work_off(self._reframe(), len(self.subscribed))

    def _reframe(self) -> Pieces:
        """Have the subscriptions encode for the framing of the outbox."""
        try:
            yield from pieces_of(list(self.subscribed), self._rejoin)
        finally:
            self.outbox.reframed()

    def _rejoin(self, name: str) -> None:
        subscription = self.subscribed.get(name)
        if subscription is not None:  # it may have ended meanwhile
            subscription.replace(subscription.options)


@lru_cache(maxsize=256)
def _kind(dialect: str, framing: Framing, options: SubscriptionOptions) -> Hashable:
    """One object for all that are alike, however many subscriptions there are."""
    return dialect, framing, options.wire_form


_HANDLERS: Final[dict[type[Request], Callable[[RequestSession, Any], None]]] = {
    Connect: RequestSession._connect,
    Disconnect: RequestSession._disconnect,
    SetOptions: RequestSession._set_options,
    Get: RequestSession._get,
    Put: RequestSession._put,
    Info: RequestSession._info,
    List: RequestSession._list,
    History: RequestSession._history,
    GetEvents: RequestSession._events,
    Pause: RequestSession._pause,
    Resume: RequestSession._resume,
    Ping: RequestSession._ping,
    Authenticate: RequestSession._authenticate,
}


def _echoing(error: PycaError, request: Request) -> PycaError:
    """The error with what tells the peer which request it is about."""
    error.action, error.id = str(request.__struct_config__.tag), request.id
    return error


def _names(pv: Names) -> list[str]:
    return [pv] if isinstance(pv, str) else list(dict.fromkeys(pv))
