"""Puts: each from its request to its outcome, checked, bounded, answered once and on record.

A put that the peer has asked for is carried out even if the peer goes away meanwhile.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from pycaserver.core.access import Decision
from pycaserver.core.audit import AuditEntry
from pycaserver.core.channel import Channel
from pycaserver.core.clock import Timer
from pycaserver.core.elements import Given, elements_of
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import PutAnswer
from pycaserver.core.oneshot import OneShot
from pycaserver.core.requests import Put
from pycaserver.core.services import Services
from pycaserver.core.values import PVValue

DEFAULT_TIMEOUT: Final = 5.0
"""Seconds for a put whose request names no time-out."""
MOST_PUTS: Final = 1000
"""Puts of one session whose outcome is not known yet."""
MOST_BYTES: Final = 8 * 1024 * 1024
"""The bytes of their values."""

PEERS_FAULTS: Final = frozenset({"invalid_pv_name", "bad_value", "write_disabled", "write_denied"})
"""Refusals that a peer could have foreseen: too many of them close the session."""

Answer: TypeAlias = Callable[[PutAnswer | PycaError], None]


class Puts:
    """The puts of one session."""

    __slots__ = ("_bytes", "_closed", "_pending", "_services")

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pending: dict[int, int] = {}
        self._bytes = 0
        self._closed = False

    def close(self) -> None:
        """The peer is gone: nobody is told any more, but what was asked for is carried out and recorded."""
        self._closed = True

    def begin(self, request: Put, identity: Identity, answer: Answer, *, over_budget: bool = False) -> None:
        """Carry the put out; answer is called exactly once, perhaps before this returns."""

        def tell(result: PutAnswer | PycaError) -> None:
            if not self._closed:
                answer(result)

        put = PendingPut(self._services, request, identity, tell, self._ended)
        self._pending[put.number] = size = _size(put.given)
        self._bytes += size
        put.start(self._refusal(over_budget))

    def _refusal(self, over_budget: bool) -> PycaError | None:
        if over_budget:
            return PycaError("rate_limited", "More requests than limits.requests_per_second; nothing was sent.")
        if len(self._pending) > MOST_PUTS:
            return PycaError("rate_limited", f"{MOST_PUTS} puts of this session have no outcome yet; nothing was sent.")
        if self._bytes > MOST_BYTES and len(self._pending) > 1:
            return PycaError("rate_limited", f"This session's puts without outcome exceed {MOST_BYTES} bytes.")
        return None

    def _ended(self, number: int) -> None:
        self._bytes -= self._pending.pop(number)


def stop_puts(services: Services) -> None:
    """Record all puts that have no outcome yet, for the server ends. The newest first: none takes another's place."""
    for put in reversed(list(services.unrecorded.values())):
        put.stop()


class PendingPut:
    """One put that has no outcome yet. The source tells it how it fares: sent, done."""

    def __init__(
        self, services: Services, request: Put, identity: Identity, answer: Answer, ended: Callable[[int], None]
    ) -> None:
        services.figures.puts += 1
        self.number = services.figures.puts
        self.given: Given = request.value  # type: ignore[assignment]  # the dialect has seen to it that there is one
        self._services = services
        self._request = request
        self._identity = identity
        self._answer: Answer | None = answer
        self._ended = ended
        self._began = services.clock.monotonic()
        self._time = services.clock.wall()
        self._decision = Decision(read=False, write=False, rule="")
        self._channel: Channel | None = None
        self._timer: Timer | None = None
        self._old: PVValue | None = None
        self._sent = self._recorded = self._settled = False
        """Settled: what is on record is what became of it, and not that this is unknown."""
        self._take_back: Callable[[], bool] = _taken_back
        services.unrecorded[self.number] = self

    def start(self, refusal: PycaError | None) -> None:
        """Begin: refuse it, or wait until the PV is known."""
        try:
            self._check(refusal)
            one_shot = OneShot(self._services.pool, self._request.pv, read=False)
        except PycaError as error:
            self._end(error)
        else:
            one_shot.start(self._services.clock, self._seconds, self._known)

    def stop(self) -> None:
        """The server ends, and the record must be complete."""
        self._give_up(PycaError("put_timeout", _STOPPED_UNSENT), PycaError("put_timeout", _STOPPED))

    def refusal(self) -> PycaError | None:
        """Called by the source right before the put is sent: rules and identities may have changed while it waited."""
        try:
            self._check()
        except PycaError as error:
            return error
        return None

    def sent(self) -> None:
        """Called by the source: the put is on its way."""
        self._sent = True
        if not self._request.wait:
            self._tell(self._success(sent=True))

    def done(self, old: PVValue | None, error: PycaError | None) -> None:
        """Called by the source, once: the outcome; without wait, that the IOC has read the put."""
        self._old = old or self._old
        self._end(error)

    # -- inside

    @property
    def _seconds(self) -> float:
        return self._request.timeout or DEFAULT_TIMEOUT

    @property
    def _elapsed(self) -> float:
        return self._services.clock.monotonic() - self._began

    def _check(self, refusal: PycaError | None = None) -> None:
        """What must hold before anybody searches for the PV, and still when the put is sent."""
        self._decision = self._services.access.rules.decide(self._request.pv, self._identity)
        if refusal is not None:
            raise refusal
        if not self._decision.write:
            raise PycaError(self._decision.code, f"{self._decision.rule}.")
        if not self._services.stands(self._identity):
            raise PycaError("unauthenticated", _WITHDRAWN)
        self._services.audit.ready()

    def _known(self, channel: Channel, error: PVValue | PycaError | None) -> None:
        if self._recorded:  # the server stops
            return
        if isinstance(error, PycaError):
            self._end(error if error.code != "get_timeout" else PycaError("put_failed", _NOT_DESCRIBED))
            return
        try:
            self._check()
            self._write(channel)
        except PycaError as refusal:
            self._end(refusal)

    def _write(self, channel: Channel) -> None:
        if not channel.access.write:
            raise PycaError("no_write_access")
        assert channel.metadata is not None
        elements = elements_of(self.given, channel.metadata)
        self._old = channel.latest
        self._channel = self._services.pool.acquire(channel.name)
        self._timer = self._services.clock.call_later(self._seconds - self._elapsed, self._timed_out)
        take_back = channel.put(elements, self, wait=self._request.wait)
        if self._channel is not None:  # not over already
            self._take_back = take_back

    def _timed_out(self) -> None:
        self._give_up(PycaError("put_timeout", _TAKEN_BACK), PycaError("put_timeout"))

    def _give_up(self, unsent: PycaError, unknown: PycaError) -> None:
        """Take it back if it is not sent; an outcome that is not known now may still come."""
        if self._take_back():
            self._end(unsent)
        elif self._sent and not self._request.wait:
            self._record(None)
        else:
            self._tell(unknown)
            self._record(unknown)
            self._settled = False

    def _end(self, error: PycaError | None) -> None:
        self._tell(error or self._success(sent=not self._request.wait))
        if not self._settled or error is not None:
            self._record(error)
        if self._timer is not None:
            self._timer.cancel()
        if self._channel is not None:
            self._services.pool.release(self._channel)
        self._channel, self._take_back = None, _taken_back  # the source's end holds this: the memory is to be free now
        self._ended(self.number)

    def _success(self, *, sent: bool) -> PutAnswer:
        request = self._request
        return PutAnswer(pvname=request.pv, ok=True, sent=sent, elapsed=round(self._elapsed, 6), id=request.id)

    def _tell(self, answer: PutAnswer | PycaError) -> None:
        tell, self._answer = self._answer, None
        if tell is not None:
            tell(answer)

    def _record(self, error: PycaError | None) -> None:
        late = self._recorded
        self._recorded = self._settled = True
        self._services.unrecorded.pop(self.number, None)
        entry = AuditEntry(
            put=self.number,
            time=self._time,
            identity=self._identity,
            pv=self._request.pv,
            new=self.given,
            decision="allowed" if self._decision.write else "refused",
            rule=self._decision.rule,
            outcome=error.code if error else "ok" if self._request.wait else "sent",
            old=self._old.data if self._old else None,
            message=error.message if error else "",
            duration=self._elapsed,
            late=late,
        )
        self._services.audit.record(entry)


def _taken_back() -> bool:
    """There was nothing to take back."""
    return True


_NOT_DESCRIBED: Final = "The IOC did not describe the PV in time; nothing was sent."
_WITHDRAWN: Final = "The identity that asked has expired or was withdrawn; nothing was sent."
_STOPPED: Final = "The server stopped; the outcome is unknown."
_STOPPED_UNSENT: Final = "The server stopped; the put was not sent: nothing was written."
_TAKEN_BACK: Final = "The put still waited for earlier ones, was taken back and not sent: nothing was written."


def _size(given: Given) -> int:
    """Bytes, about."""
    return given.nbytes if isinstance(given, np.ndarray) else 8 * len(given) if isinstance(given, list | str) else 8
