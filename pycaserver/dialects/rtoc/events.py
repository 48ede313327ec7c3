"""Events as RTOC lists them: alarm severities and connections of its PVs, and what peers and automations tell."""

from collections import deque
from collections.abc import Iterator
from hashlib import sha1
from typing import Any, Final

from msgspec import Struct

from pycaserver.core.messages import Event as Transition

MOST: Final = 1000
"""Events that are kept."""
PRIORITIES: Final = {"NO_ALARM": 0, "MINOR": 1, "MAJOR": 2, "INVALID": 2}
"""RTOC has three: information, warning, error."""


class RtocEvent(Struct, frozen=True):
    """One event."""

    number: int
    x: float
    """UNIX seconds, unless a peer says otherwise."""
    text: str
    dname: str
    sname: str
    priority: int
    value: Any
    id: str
    """What automations listen for."""
    pv: str
    """By which access rules decide who may see it."""

    @property
    def row(self) -> list[Any]:
        """As in a list of events."""
        return [self.dname, self.sname, self.number, self.text, self.x, self.value, self.priority, self.id]

    @property
    def push(self) -> dict[str, Any]:
        """As it is told at once."""
        return {
            "x": self.x, "text": self.text, "dname": self.dname, "sname": self.sname, "priority": self.priority,
            "value": self.value, "id": self.id, "eventId": self.number,
        }  # fmt: skip


class EventLog:
    """The newest events."""

    def __init__(self) -> None:
        self._kept: deque[RtocEvent] = deque(maxlen=MOST)
        self._count = 0

    def __iter__(self) -> Iterator[RtocEvent]:
        """Oldest first."""
        return iter(tuple(self._kept))

    def add(
        self, text: str, dname: str, sname: str, pv: str, x: float, priority: int = 0, value: Any = None, id: str = ""
    ) -> RtocEvent:
        """One more. Without an id it gets one that is the same for the same text and signal, as in the original."""
        hashed = sha1(f"{sname}{dname}{text}".encode(), usedforsecurity=False).hexdigest()
        event = RtocEvent(self._count, x, text, dname, sname, priority, value, id or hashed, pv)
        self._count += 1
        self._kept.append(event)
        return event

    def remove(self, numbers: list[int]) -> int:
        """Forget these; how many there were."""
        before = len(self._kept)
        self._kept = deque((event for event in self._kept if event.number not in set(numbers)), MOST)
        return before - len(self._kept)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()


def told(transition: Transition) -> tuple[str, int]:
    """Text and priority of an alarm or connection transition."""
    if transition.kind == "alarm":
        severity = transition.severity or "NO_ALARM"
        return (f"{severity}: {transition.status}" if severity != "NO_ALARM" else severity), PRIORITIES[severity]
    if transition.conn:
        return "connected", 0
    return f"disconnected: {transition.reason}", 2
