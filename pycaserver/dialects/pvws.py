"""The protocol of PV Web Socket: JSON objects in text frames, without a hello or answers to what went well."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Annotated, Any, Final, Protocol, TypeAlias

import msgspec
from msgspec import Meta, Struct

from pycaserver.core.channel import Channel
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import AccessMessage, Connection, Message, MetadataMessage, PutAnswer
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Framing, Transport
from pycaserver.core.requests import Put, check_text
from pycaserver.core.rights import Gate
from pycaserver.core.services import Services
from pycaserver.core.session import Session
from pycaserver.dialects.updates import UpdateEncoder, lost, unknown

Names: TypeAlias = Annotated[list[str], Meta(max_length=10_000)]


class Request(Struct, tag_field="type"):
    """What a client may say; keys that are not known are ignored, as in the original."""


class Subscribe(Request, tag="subscribe"):
    """Begin with these PVs; those that have begun just go on."""

    pvs: Names


class Monitor(Subscribe, tag="monitor"):
    """The same."""


class Clear(Request, tag="clear"):
    """End with these."""

    pvs: Names


class List(Request, tag="list"):
    """Ask which PVs there are."""


class Write(Request, tag="write"):
    """Write a PV that is subscribed to under exactly this name."""

    pv: str
    value: bool | int | float | str | list[int | float | str]


class Ping(Request, tag="ping"):
    """Ask for a ping of the WebSocket protocol."""


class Echo(Request, tag="echo"):
    """Ask for the same text."""


_DECODER: Final = msgspec.json.Decoder(Subscribe | Monitor | Clear | List | Write | Ping | Echo)
_ENCODER: Final = msgspec.json.Encoder()

_SENTENCES: Final = {
    "write_disabled": "PV_WRITE_SUPPORT is disabled",
    "not_connected": "Channel not connected.",
    "not_found": "Channel not connected.",
}
"""What clients know from the original; the rest of the message is ours."""


def decode(data: bytes) -> Request:
    """One request; PycaError(bad_json, bad_request)."""
    try:
        check_text(data)
        data.decode()  # what is not looked at may be echoed
        request: Request = _DECODER.decode(data)
    except msgspec.ValidationError as error:
        raise PycaError("bad_request", f"{error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PycaError("bad_json", f"{error}.") from None
    return request


class Throttles(Protocol):
    """The settings: the least time between two updates of a PV; 0: every update is sent."""

    throttle_ms: float
    array_throttle_ms: float


class _Options(SubscriptionOptions, frozen=True):
    """What subscriptions that share their updates have in common."""

    readonly: bool = True


class PvwsSession(Session):
    """One client."""

    def __init__(
        self,
        services: Services,
        transport: Transport,
        framing: Framing,
        identity: Identity,
        gate: Gate | None,
        throttles: Throttles,
    ) -> None:
        super().__init__(services, transport, framing, identity, gate)
        self._throttles = throttles
        self._greeting = False
        """Whether a subscription is just being made: then the newest value follows by itself."""

    def handle(self, data: bytes) -> None:
        """One request; PycaError(bad_json, bad_request)."""
        request = decode(data)
        if isinstance(request, Echo):
            self._tell(data)
        else:
            _HANDLERS[type(request)](self, request)

    def refuse(self, error: PycaError) -> None:
        """An error message, beginning as in the original where that has words for it."""
        self.figures.errors[error.code] += 1
        about = f"{error.pvname}: {error.message}" if error.pvname else error.message
        known = _SENTENCES.get(error.code)
        self._tell(_ENCODER.encode({"type": "error", "message": f"{known} {about}" if known else about}))

    def send(self, message: Message) -> None:
        """Connection, metadata and access rights become updates; the protocol has no words for anything else."""
        _TELLERS[type(message)](self, message)

    def encoding_of(self, options: SubscriptionOptions) -> tuple[Hashable, ValueEncoder]:
        """Shared by all that are told every update; whoever is told fewer has changes of its own."""
        assert isinstance(options, _Options)
        framing, throttled = self.outbox.framing, options.max_rate is not None
        key: Hashable = object() if throttled else ("pvws", framing, options.readonly)
        return key, UpdateEncoder(framing, readonly=options.readonly, shared=not throttled)

    # -- requests

    def _subscribe(self, request: Subscribe) -> None:
        self.each(list(dict.fromkeys(request.pvs)), self._begin_unless_begun)

    def _begin_unless_begun(self, name: str) -> None:
        if name not in self.subscribed:
            self.attempt(partial(self._begin, name), partial(self._refuse_pv, name))

    def _begin(self, name: str) -> None:
        self.rights.check_read(name)
        self.check_room()
        self._tell(unknown(name, self.clock.wall()).json())
        self._greeting = True
        try:
            self.subscribe(name, _Options(metadata=True))
        finally:
            self._greeting = False

    def _clear(self, request: Clear) -> None:
        self.each(request.pvs, self.unsubscribe)

    def _list(self, request: List) -> None:
        self._tell(_ENCODER.encode({"type": "list", "pvs": list(self.subscribed)}))

    def _write(self, request: Write) -> None:
        if request.pv not in self.subscribed:
            raise PycaError("bad_request", f"Cannot write unknown PV {request.pv}")
        value = int(request.value) if isinstance(request.value, bool) else request.value

        def answer(result: PutAnswer | PycaError) -> None:
            if isinstance(result, PycaError):
                self._refuse_pv(request.pv, result)

        self.put(Put(pv=request.pv, value=value, wait=False), answer)

    def _ping(self, request: Ping) -> None:
        if self.outbox.open:  # whoever does not read need not be asked
            self.transport.ping()

    # -- what the core says

    def _connection(self, message: Connection) -> None:
        if self._greeting:
            return
        subscription = self.subscribed[message.pvname]
        metadata = subscription.channel.metadata
        if message.conn:
            assert isinstance(subscription.encode, UpdateEncoder)
            subscription.encode.forget()
        elif metadata is not None:
            self._tell(lost(message.pvname, metadata, self.clock.wall()).json())

    def _changed(self, message: MetadataMessage | AccessMessage) -> None:
        """All there is to say follows, but in a greeting, and before the first value, it does so by itself."""
        subscription = self.subscribed[message.pvname]
        channel, options = subscription.channel, self._options_for(subscription.channel)
        if options != subscription.options:
            subscription.replace(options)
        if channel.latest is not None and not self._greeting:
            self.outbox.tell(subscription.encode(channel, channel.latest, 0))

    # -- inside

    def _options_for(self, channel: Channel) -> _Options:
        is_array = channel.metadata is not None and channel.metadata.count > 1
        throttle = self._throttles.array_throttle_ms if is_array else self._throttles.throttle_ms
        max_rate = 1000 / throttle if throttle else None
        return _Options(metadata=True, max_rate=max_rate, readonly=not self.rights.on(channel).write)

    def _refuse_pv(self, name: str, error: PycaError) -> None:
        error.pvname = error.pvname or name
        self.refuse(error)

    def _tell(self, message: bytes) -> None:
        self.outbox.tell(self.outbox.framing.text(message))


_HANDLERS: Final[dict[type[Request], Callable[[PvwsSession, Any], None]]] = {
    Subscribe: PvwsSession._subscribe,
    Monitor: PvwsSession._subscribe,
    Clear: PvwsSession._clear,
    List: PvwsSession._list,
    Write: PvwsSession._write,
    Ping: PvwsSession._ping,
}
_TELLERS: Final[dict[type[Message], Callable[[PvwsSession, Any], None]]] = {
    Connection: PvwsSession._connection,
    MetadataMessage: PvwsSession._changed,
    AccessMessage: PvwsSession._changed,
}
