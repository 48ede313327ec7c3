"""Past: the history and events requests of one session.

Their answers are large, so they are made when the session has room for them, and not before.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final
from weakref import proxy

import numpy as np

from pycaserver.core.clock import Timer
from pycaserver.core.errors import PycaError
from pycaserver.core.history import Samples, no_samples
from pycaserver.core.messages import Error, Event, EventsAnswer, HistoryAnswer, Message
from pycaserver.core.outbox import Frame, Owing
from pycaserver.core.requests import GetEvents, History
from pycaserver.core.rights import Rights
from pycaserver.core.services import Services
from pycaserver.core.terms import Number, number_message
from pycaserver.core.values import severity_name

if TYPE_CHECKING:
    from pycaserver.core.request_session import RequestSession

SAMPLES_PER_REQUEST: Final = 100
"""So many samples count as one more request."""
EVENTS_AT_ONCE: Final = 1000
"""In one message to those who subscribed."""


def check_history(rights: Rights, request: History) -> None:
    """PycaError(read_denied, invalid_pv_name), and bad_request for both since and seconds."""
    if request.since is not None and request.seconds is not None:
        raise PycaError("bad_request", "Only one of `since` and `seconds` is possible.")
    rights.check_read(request.pv)


def history_answer(services: Services, request: History) -> HistoryAnswer:
    """What is known; nothing of a PV that is not in use, or that the IOC does not let this server read."""
    since = request.since if request.seconds is None else services.clock.wall() - request.seconds
    samples = _samples(services, request.pv, since)
    points = request.points
    reduced = samples.reduced(points) if points else samples
    return HistoryAnswer(
        pvname=request.pv,
        time=reduced.times.tolist(),
        value=_numbers(reduced),
        severity=[severity_name(number) for number in reduced.severities.tolist()],
        reduced=points if points and reduced.size < samples.size else 0,
        id=request.id,
    )


def _samples(services: Services, name: str, since: float | None) -> Samples:
    channel = services.pool.get(name)
    if channel is None or channel.contact.reason == "read_denied":
        return no_samples()
    return channel.history.since(-np.inf if since is None else since)


def _numbers(samples: Samples) -> list[Number]:
    values: list[float] = samples.values.tolist()
    numbers: list[Number] = [*values]
    for index in np.flatnonzero(~np.isfinite(samples.values)).tolist():
        numbers[index] = number_message(values[index])
    return numbers


def _nothing() -> None:
    """What most of what is owed has to follow it."""


class Owed(Owing):
    """A message that is made when the outbox has room for it; to the outbox it is like a subscription."""

    __slots__ = ("_take", "_then", "not_before", "owed", "timer")

    def __init__(self, take: Callable[[], Frame], then: Callable[[], object] = _nothing) -> None:
        """then: called once it is told, in the same turn."""
        self.not_before = 0.0
        self.owed = 0
        self.timer: Timer | None = None
        self._take = take
        self._then = then

    def take(self, now: float) -> Frame:
        """The finished message."""
        self.owed = 0
        return self._take()

    def told(self) -> None:
        """Go on with what follows it."""
        self._then()


class Past:
    """One for each session."""

    __slots__ = ("_feed", "_feeding", "_pending", "_prefaces", "_session", "_told")

    def __init__(self, session: "RequestSession") -> None:
        self._session: RequestSession = proxy(session)  # it has us
        self._pending = 0
        self._prefaces: dict[str, Owed] = {}
        """Histories that a subscription waits for, by the name of the PV."""
        self._feed: Owed | None = None
        """What tells further events, for who wants them."""
        self._feeding = False
        self._told = 0
        """The id of the last event that was told."""

    def __len__(self) -> int:
        """How many answers wait for room."""
        return self._pending

    def history(self, request: History) -> None:
        """Answer; PycaError as of check_history, and too_many_subscriptions."""
        check_history(self._session.rights, request)
        self._session.check_room()
        self._pending += 1
        self._owe(Owed(partial(self._history, request)))

    def preface(self, request: History, then: Callable[[], None]) -> None:
        """Answer, and call in the turn in which that is told: nothing overtakes it, and no value comes in between.

        Nothing happens any more after leave. PycaError as of history.
        """
        check_history(self._session.rights, request)
        self.leave(request.pv)
        self._session.check_room()
        self._pending += 1
        self._prefaces[request.pv] = Owed(partial(self._history, request), partial(self._follow, request.pv, then))
        self._owe(self._prefaces[request.pv])

    def leave(self, name: str) -> None:
        """Take back what waits to be told before a subscription to that PV, and the subscription with it."""
        owed = self._prefaces.pop(name, None)
        if owed is not None:
            self._pending -= 1
            self._session.outbox.forget(owed)

    def events(self, request: GetEvents) -> None:
        """Answer, and tell further events or no more."""
        events = self._session.services.events
        kept = [event for event in events.since(request.since or 0) if self._readable(event)]
        limit = len(kept) if request.limit is None else request.limit
        self._session.send(EventsAnswer(events=kept[max(0, len(kept) - limit) :], id=request.id))
        if request.subscribe is True:
            self._told = events.last_id
            if self._feed is None:
                self._feed = Owed(self._further)
            events.watchers[self._came] = None
        elif request.subscribe is False:
            self.close()

    def end(self) -> None:
        """The peer is gone."""
        for name in list(self._prefaces):
            self.leave(name)
        self.close()

    def close(self) -> None:
        """Tell no further events."""
        self._session.services.events.watchers.pop(self._came, None)
        if self._feed is not None:
            self._session.outbox.forget(self._feed)
            self._feed = None

    # -- inside

    def _owe(self, owed: Owed) -> None:
        owed.owed = 1
        outbox = self._session.outbox
        if outbox.paused:  # values are held back, answers are not
            outbox.settle(owed)
        else:
            outbox.owe(owed)

    def _history(self, request: History) -> Frame:
        self._pending -= 1
        session = self._session
        if denial := session.rights.denial(request.pv):  # the rules have changed since
            session.figures.errors[denial.code] += 1
            return self._frame(Error.of(session.about(denial, request, request.pv)))
        answer = history_answer(session.services, request)
        session.charge(len(answer.time) / SAMPLES_PER_REQUEST)
        return self._frame(answer)

    def _follow(self, name: str, then: Callable[[], None]) -> None:
        del self._prefaces[name]
        then()

    def _came(self, event: Event) -> None:
        if not self._feeding and self._readable(event):
            self._feeding = True
            self._session.clock.call_soon(self._tell)

    def _tell(self) -> None:
        """What came in this turn, all together."""
        self._feeding = False
        if self._feed is not None:
            self._feed.owed = 1
            self._session.outbox.owe(self._feed)

    def _further(self) -> Frame:
        events = self._session.services.events
        new = events.since(self._told)
        missed = new[0].id - self._told - 1 if new else 0
        now, later = new[:EVENTS_AT_ONCE], new[EVENTS_AT_ONCE:]
        self._told = now[-1].id if now else self._told
        if (readable := next(filter(self._readable, reversed(later)), None)) is not None:
            self._came(readable)
        return self._frame(EventsAnswer(events=[event for event in now if self._readable(event)], missed=missed))

    def _readable(self, event: Event) -> bool:
        return self._session.rights.decide(event.pvname).read

    def _frame(self, message: Message) -> Frame:
        session = self._session
        return session.outbox.framing.text(session.dialect.encode(message))
