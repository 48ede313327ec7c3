"""Contact: whether a PV is there. Who has to know waits until that is settled."""

from collections.abc import Callable
from enum import Enum

from pycaserver.core.clock import Clock, Timer


class State(Enum):
    """What a channel says of itself."""

    SEARCHING = "searching"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


class Contact:
    """That of one channel with its PV."""

    __slots__ = ("_search_timer", "_waiters", "clock", "reason", "since", "state")

    def __init__(self, clock: Clock, search_seconds: float, not_found: Callable[[], None]) -> None:
        """not_found: called once the search has taken so long; it goes on."""
        self.state = State.SEARCHING
        self.reason: str | None = None
        """Why there is none."""
        self.since: float | None = None
        """UNIX seconds at which it ended, if there was one."""
        self.clock = clock
        self._search_timer: Timer | None = clock.call_later(search_seconds, not_found)
        self._waiters: tuple[Callable[[], None], ...] = ()

    def end_search(self) -> None:
        """The PV is found, or not wanted any more."""
        if self._search_timer is not None:
            self._search_timer.cancel()
            self._search_timer = None

    def begin(self) -> None:
        """There is one."""
        self.state, self.reason, self.since = State.CONNECTED, None, None

    def end(self, reason: str) -> None:
        """There is none."""
        self.state, self.reason = State.DISCONNECTED, reason
        self.since = None if reason == "not_found" else self.clock.wall()

    def when_settled(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call once the PV is known, or known to be out of reach; returns what takes the call back."""
        self._waiters += (call,)

        def take_back() -> None:
            self._waiters = tuple(other for other in self._waiters if other is not call)

        return take_back

    def settle(self) -> None:
        """That is so now."""
        waiters, self._waiters = self._waiters, ()
        for call in waiters:
            call()
