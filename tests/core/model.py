"""What one session must hear of one PV: a log of what happened, against which all that it hears is checked.

The log says nothing about when a value is sent or which are merged. A message stands for the updates that it counts,
in order and without a gap; everything else comes exactly as it happened.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Update:
    """A value, by its number; weight: the updates that it stands for already when it comes from the source."""

    number: int
    weight: int
    units: str


@dataclass(frozen=True)
class Told:
    """A message that is never merged: "connection" True or False, "metadata" with its units, "access"."""

    what: str
    detail: Any = None


@dataclass(frozen=True)
class Left:
    """The session left the PV: updates before it that are not sent yet are not owed any more."""


Event: TypeAlias = Update | Told | Left


class Log:
    """What happened, and how much of it the session has heard."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._heard = 0

    def add(self, *events: Event) -> None:
        self._events += events

    def hear(self, message: dict[str, Any]) -> None:
        """Check one message about the PV."""
        if message["msg_type"] == "monitor":
            self._hear_value(message)
        else:
            self._skip_what_was_left()
            told, happened = _as_event(message), self._next()
            assert told == happened, f"{told} was heard in the place of {happened}"

    @property
    def all_heard(self) -> bool:
        self._skip_what_was_left()
        return self._heard == len(self._events)

    def _next(self) -> Event | None:
        """The next event, which is heard now; None at the end."""
        self._heard += 1
        return self._events[self._heard - 1] if self._heard <= len(self._events) else None

    def _hear_value(self, message: dict[str, Any]) -> None:
        self._skip_departures()
        expected = 1 + message.get("coalesced", 0)
        weight = 0
        while weight < expected:
            event = self._next()
            assert isinstance(event, Update), f"{message['value'][:9]} overtook {event}, or stands for too many"
            weight += event.weight
        heard = Update(_number_of(message["value"]), expected, message.get("units", ""))
        assert heard == Update(event.number, weight, event.units), f"{heard} was heard; the last of them was {event}"

    def _skip_departures(self) -> None:
        while self._heard < len(self._events) and isinstance(self._events[self._heard], Left):
            self._heard += 1

    def _skip_what_was_left(self) -> None:
        """Go behind the next departures, if only updates come before each."""
        ahead = self._heard
        while ahead < len(self._events) and not isinstance(self._events[ahead], Told):
            ahead += 1
            if isinstance(self._events[ahead - 1], Left):
                self._heard = ahead


def _number_of(value: str | list[int]) -> int:
    return int(value.split()[0]) if isinstance(value, str) else value[0]


def _as_event(message: dict[str, Any]) -> Told:
    details = {"connection": message.get("conn"), "metadata": message.get("units", "")}
    return Told(message["msg_type"], details.get(message["msg_type"]))
