"""One peer of RTOC: whether it may ask, in what order it is answered, and what it is pushed.

Requests are carried out one after the other, as the original does: an answer has nothing that says which request it is
for. So a request that waits for a put lets those behind it wait.
"""

import logging
from collections import deque
from collections.abc import Hashable, Iterator
from functools import partial
from typing import Any, Final

import msgspec

from pycaserver.core.channel import Channel
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import Message
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Frame, Framing, Transport
from pycaserver.core.piecework import Job, Pieces, gathered
from pycaserver.core.requests import check_text
from pycaserver.core.rights import Gate
from pycaserver.core.session import Session
from pycaserver.core.subscription import Subscription
from pycaserver.core.values import PVValue
from pycaserver.dialects.prepared import PreparingEncoder
from pycaserver.dialects.rtoc.answer import Answer
from pycaserver.dialects.rtoc.cipher import Cipher
from pycaserver.dialects.rtoc.payload import Payload
from pycaserver.dialects.rtoc.requests import KEYS
from pycaserver.dialects.rtoc.signals import Signal, Signals, curve_of
from pycaserver.dialects.rtoc.station import Station

log = logging.getLogger(__name__)

MOST_WAITING: Final = 100
"""Requests that wait for the one before; more are refused."""
MOST_WAITING_BYTES: Final = 2 * 1024 * 1024
_OPTIONS: Final = SubscriptionOptions()


class RtocSession(Session):
    """One peer."""

    def __init__(
        self,
        station: Station,
        transport: Transport,
        framing: Framing,
        identity: Identity,
        gate: Gate | None = None,
        *,
        direct: bool = True,
    ) -> None:
        """direct: no proxy is between; only then the peer may be whitelisted."""
        super().__init__(station.services, transport, framing, identity, gate)
        self.station = station
        self.trusted = direct and station.is_whitelisted(identity.address)
        self.cipher = None if self.trusted else station.cipher
        self.authorised = station.cipher is None
        self.everything = False
        """Whether it subscribes to signals that are yet to come, too."""
        self._local: dict[Signal, Subscription] = {}
        self._answer: Answer | None = None
        self._saying: Job | None = None
        """The answer, where it is large."""
        self._waiting: deque[bytes] = deque()
        station.join(self)

    # -- what is heard

    def handle(self, data: bytes) -> None:
        """One request, now or when the one before is answered; PycaError(bad_json, unauthenticated, rate_limited)."""
        if not self._busy:
            self._begin(data)
        elif len(self._waiting) >= MOST_WAITING or sum(map(len, self._waiting)) + len(data) > MOST_WAITING_BYTES:
            raise PycaError("rate_limited", "Too many requests wait for the one before.")
        else:
            self._waiting.append(data)

    def authorise(self, given: object) -> None:
        """The peer shows the hash of the password; told in a frame of its own."""
        cipher = self.station.cipher
        self.authorised = cipher is None or self.trusted or cipher.opens(given)
        self.say({"authorized": self.authorised})

    def ended(self) -> None:
        """The peer is gone."""
        self.station.leave(self)
        self._waiting.clear()
        if self._saying is not None:
            self._saying.cancel()
        for signal in list(self._local):
            self.unfollow(signal)
        super().ended()

    # -- what is told

    def say(self, body: dict[str, Any]) -> None:
        """One message."""
        self._tell(Payload(body))

    def push(self, payload: Payload, pv: str | None = None) -> None:
        """Something that the peer has not asked for, if it may know."""
        if self.authorised and not self.locked and (pv is None or self.may_read(pv)):
            self._tell(payload)

    def refuse(self, error: PycaError) -> None:
        """Tell that it went wrong; the protocol has no words for what."""
        self.figures.errors[error.code] += 1
        log.debug("refused: %s", error)
        known = self.authorised and error.code != "unauthenticated"
        self.say({"error": True} if known else {"authorized": False})

    def send(self, message: Message) -> None:
        """Connections are told as events of the station, to all."""

    def encoding_of(self, options: SubscriptionOptions) -> tuple[Hashable, ValueEncoder]:
        """Samples; encrypted ones are shared too, for all have the same key."""
        framing = self.outbox.framing
        return ("rtoc", framing, self.cipher is None), SampleEncoder(self.station.signals, self.cipher, framing)

    # -- signals

    def may_read(self, pv: str) -> bool:
        """By the access rules."""
        return self.rights.decide(pv).read

    def check_write(self, name: str) -> None:
        """PycaError(write_denied, write_disabled) unless the access rules let it write what that name stands for."""
        decision = self.rights.decide(name)
        if not decision.write:
            self.at_fault = True
            raise PycaError(decision.code, f"{decision.rule}.")

    def follow(self, signal: Signal) -> None:
        """Push its samples; PycaError(read_denied, too_many_subscriptions)."""
        if not signal.local:
            if signal.pv not in self.subscribed:
                self.subscribe(signal.pv, _OPTIONS)
        elif signal not in self._local:
            self.rights.check_read(signal.pv)
            self.check_room()
            subscription = self._local[signal] = Subscription(self, signal.channel, _OPTIONS)
            subscription.greet(None)

    def unfollow(self, signal: Signal) -> None:
        """No more; harmless if it does not."""
        if not signal.local:
            self.unsubscribe(signal.pv)
        elif subscription := self._local.pop(signal, None):
            subscription.end()

    def follows(self, signal: Signal) -> bool:
        """Whether its samples are pushed."""
        return signal in self._local or signal.pv in self.subscribed

    def appeared(self, signal: Signal) -> None:
        """There is a new local signal."""
        if self.everything and self.may_read(signal.pv):
            self.attempt(partial(self.follow, signal), self.refuse)

    def disappearing(self, signal: Signal) -> None:
        """A local signal is about to be no more."""
        self.unfollow(signal)

    # -- inside

    def _begin(self, data: bytes) -> None:
        request = self._decode(data)
        if "authorize" in request:
            self.authorise(request["authorize"])
        if not self.authorised:
            raise PycaError("unauthenticated", "The password's hash has to come first.")
        answer = self._answer = Answer(self._finish)
        try:
            for key, act in KEYS.items():
                if key in request:
                    act(self, request[key], request, answer)
        except PycaError as error:
            self.at_fault = True
            answer.fail(error)
        except Exception:
            self._answer = None
            raise
        answer.done()

    def _decode(self, data: bytes) -> dict[str, Any]:
        check_text(data)
        text = self.cipher.decrypt(data) if self.cipher else data
        check_text(text)
        try:
            request = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PycaError("bad_json", f"{error}.") from None
        if not isinstance(request, dict) or not request:
            raise PycaError("bad_request", "A request is an object with at least one key.")
        return request

    def _finish(self, answer: Answer) -> None:
        """All that the request asked for is done."""
        self._answer = None
        if answer.error:
            self.refuse(answer.error)
        else:
            self._tell_answer(Payload(answer.body))
        if self._waiting:
            self.clock.call_soon(self._next)

    def _tell(self, payload: Payload) -> None:
        self.outbox.tell(self.outbox.framing.text(payload.text(self.cipher)))

    def _tell_answer(self, payload: Payload) -> None:
        if payload.large:
            pieces = gathered(payload.pieces(self.cipher), self._tell_pieces)
            self._saying = self.services.pool.fanout.piecework.begin(pieces, self._said)
        else:
            self._tell(payload)

    def _tell_pieces(self, pieces: list[bytes]) -> None:
        self.outbox.tell(self.outbox.framing.long(pieces))

    def _said(self) -> None:
        self._saying = None
        self._next()

    @property
    def _busy(self) -> bool:
        """Whether a request is under way."""
        return self._answer is not None or self._saying is not None

    def _next(self) -> None:
        if self._waiting and not self._busy:
            try:
                self._begin(self._waiting.popleft())
            except PycaError as error:
                self.refuse(error)
            except Exception:
                log.exception("a request failed unexpectedly")
                self.figures.faults += 1
                self.refuse(PycaError("internal"))
            if self._waiting and not self._busy:
                self.clock.call_soon(self._next)

    def _recheck(self) -> Pieces:
        yield from super()._recheck()
        for signal in list(self._local):
            if not self.may_read(signal.pv):
                self.unfollow(signal)


class SampleEncoder(PreparingEncoder):
    """Makes the pushes of samples: one-element lists, or an array over its indices."""

    __slots__ = ("_cipher", "_framing", "_signals")

    def __init__(self, signals: Signals, cipher: Cipher | None, framing: Framing) -> None:
        super().__init__()
        self._signals = signals
        self._cipher = cipher
        self._framing = framing

    def __call__(self, channel: Channel, value: PVValue, coalesced: int) -> Frame:
        """One push; that older ones were merged cannot be said."""
        pieces = self.prepared(value)
        if pieces is not None:
            return self._framing.long(pieces)
        return self._framing.text(self._payload(channel, value).text(self._cipher))

    def pieces(self, channel: Channel, value: PVValue) -> Iterator[bytes] | None:
        """All of the push with a large array."""
        payload = self._payload(channel, value)
        return payload.pieces(self._cipher) if payload.large else None

    def _payload(self, channel: Channel, value: PVValue) -> Payload:
        signal = self._signals.of_pv(channel.name)
        assert signal is not None
        x, y = curve_of(value)
        names = {"unit": signal.unit, "dname": signal.dname, "sname": signal.sname, "id": signal.id}
        return Payload({"signal": {"x": x, "y": y, **names}})
