"""Notice: one configured message of Socket.IO for one session, made of the newest values."""

from typing import Any, cast

import numpy as np

from pycaserver.core.clock import Timer
from pycaserver.core.outbox import Frame, Framing, Owing
from pycaserver.core.piecework import Job, gathered
from pycaserver.core.request_session import RequestSession
from pycaserver.core.subscription import Subscription
from pycaserver.core.terms import number_message
from pycaserver.core.values import PVValue
from pycaserver.core.watch import Watch
from pycaserver.dialects.commands import MessageRule, filled
from pycaserver.dialects.encoding import Document, json_list


class Notice(Owing):
    """One configured message for one session; owed and sent as a subscription's values are, the newest only."""

    def __init__(self, session: RequestSession, rule: MessageRule) -> None:
        self.timer: Timer | None = None
        self.not_before = 0.0
        self.owed = 0
        self._session = session
        self._rule = rule
        self._due = False
        self._last: list[Any] = []
        self._making: Job | None = None
        """An event with a large array, which is made piece by piece."""
        self._again = False
        """Whether it is owed once more, as there were changes meanwhile."""
        self._made: Frame | None = None
        self._period: Timer | None = None
        self._watches = {key: Watch(session.services.pool, pv, self._changed) for key, pv in rule.pvs.items()}
        if isinstance(rule.on, str):
            self._changed()
        else:
            self._tick(rule.on)

    def end(self) -> None:
        """Follow nothing any more."""
        if self._period is not None:
            self._period.cancel()
        for watch in self._watches.values():
            watch.end()
        self._watches = {}
        if self._making is not None:
            self._making.cancel()
        self._session.outbox.forget(cast(Subscription, self))

    def ready(self) -> bool:
        """Whether the event is made; it is at once, unless it is large."""
        if self._making is None and self._made is None:
            document = self._document()
            if document.large:
                pieces = gathered(document.pieces(), self._keep)
                self._making = self._session.services.pool.fanout.piecework.begin(pieces, self._finish)
            else:
                self._made = self._framing.text(bytes(document))
        return self._making is None

    def take(self, now: float) -> Frame:
        """The event with the newest values."""
        made, self._made = self._made, None
        return made or self._framing.text(bytes(self._document()))

    def told(self) -> None:
        """Nothing waits for it."""

    def _changed(self) -> None:
        """All that changes in one go is told at once."""
        if isinstance(self._rule.on, str) and not self._due:
            self._due = True
            self._session.clock.call_soon(self._tell)

    def _tell(self) -> None:
        self._due = False
        watches = self._watches.values()
        if not watches or not all(watch.ready for watch in watches):
            return
        state = [self._severity(watch) if self._rule.on == "alarm" else self._value(watch) for watch in watches]
        if len(self._last) != len(state) or not all(map(_same, state, self._last)):
            self._last = state
            self._owe()

    def _tick(self, seconds: float) -> None:
        self._period = self._session.clock.call_later(seconds, self._tick, seconds)
        if all(watch.ready for watch in self._watches.values()):
            self._owe()

    def _owe(self) -> None:
        self._made, self._again = None, self._making is not None
        self.owed += 1
        self._session.outbox.owe(cast(Subscription, self))  # all that an outbox asks of one is here

    @property
    def _framing(self) -> Framing:
        return self._session.outbox.framing

    def _document(self) -> Document:
        """Of the newest values."""
        values = {key: self._value(watch) for key, watch in self._watches.items()}
        return Document([self._rule.event, filled(self._rule.payload, values) or values], json_list)

    def _keep(self, pieces: list[bytes]) -> None:
        self._made = self._framing.long(pieces)

    def _finish(self) -> None:
        again, self._making, self._again = self._again, None, False
        if self._made is not None:  # it may have failed, which is in the log
            self._session.outbox.owe_ready(cast(Subscription, self))
        if again:
            self._owe()

    def _severity(self, watch: Watch) -> int | None:
        latest = self._readable(watch)
        return None if latest is None else latest.severity

    def _value(self, watch: Watch) -> Any:
        """An array, or as JSON; None for a PV that is out of reach, or that the session may not read."""
        latest = self._readable(watch)
        data = None if latest is None else latest.data
        return number_message(data) if isinstance(data, float) else data

    def _readable(self, watch: Watch) -> PVValue | None:
        session = self._session
        allowed = not session.locked and session.rights.denial(watch.channel.name) is None
        return watch.channel.latest if allowed else None


def _same(one: Any, other: Any) -> bool:
    """Whether two values are."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        bits = f"u{one.itemsize}"  # NaN is like NaN, and in a tenth of the time
        return one.dtype == other.dtype and np.array_equal(one.view(bits), other.view(bits))
    return not isinstance(one, np.ndarray) and not isinstance(other, np.ndarray) and bool(one == other)
