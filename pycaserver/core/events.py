"""Events: alarm and connection transitions of all open channels, the newest of them kept for those who ask later."""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from pycaserver.core.clock import Clock
from pycaserver.core.messages import Event
from pycaserver.core.terms import number_message
from pycaserver.core.values import PVValue, severity_name, status_name

_IDS_PER_SECOND: Final = 1_000_000
"""With these ids go on rising when the server is started anew, and JavaScript still knows them exactly."""


class Events:
    """A bounded list; each event has a greater id than the one before."""

    def __init__(self, clock: Clock, most: int = 1000) -> None:
        """most: how many are kept."""
        self.watchers: dict[Callable[[Event], None], None] = {}
        """Told of each event, at once; they must not raise."""
        self._clock = clock
        self._kept: deque[Event] = deque(maxlen=most)
        self.last_id = int(clock.wall() * _IDS_PER_SECOND)
        """The id of the newest."""

    def __iter__(self) -> Iterator[Event]:
        """All that are kept, oldest first."""
        return iter(self._kept)

    def since(self, id: int, limit: int | None = None) -> list[Event]:
        """Those with a greater id, oldest first; with a limit, so many of the newest."""
        count = min(len(self._kept), max(0, self.last_id - id))
        return list(islice(self._kept, len(self._kept) - min(count, count if limit is None else limit), None))

    def alarm(self, pvname: str, value: PVValue) -> None:
        """The PV came into another alarm severity or status, with this value."""
        data = value.data
        self._add(
            Event(
                id=self.last_id + 1,
                time=value.timestamp,
                pvname=pvname,
                kind="alarm",
                severity=severity_name(value.severity),
                status=status_name(value.status),
                value=number_message(data)
                if isinstance(data, float)
                else data
                if isinstance(data, int | str)
                else None,
            )
        )

    def connection(self, pvname: str, reason: str | None) -> None:
        """The PV was lost, for this reason, or is there again."""
        conn = reason is None
        time = self._clock.wall()
        self._add(Event(id=self.last_id + 1, time=time, pvname=pvname, kind="connection", conn=conn, reason=reason))

    def _add(self, event: Event) -> None:
        self.last_id = event.id
        self._kept.append(event)
        for watcher in tuple(self.watchers):
            watcher(event)
