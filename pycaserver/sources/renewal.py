"""Renewal: PVs that are lost, or not found at first, are searched for anew.

libca looks for a lost PV only at the next turn of a timer of 10 s, though another IOC may serve it; and for one whose
first searches were lost on the network it waits longer and longer, up to five minutes, unless a beacon tells of a new
IOC. Beacons do not reach everybody: not a container with a network of its own, nor a host whose CA repeater has ended.
So a PV that was there is searched for as long as it is wanted, often at first, then each minute. Waiting a moment
bounds what an IOC that closes its circuits again and again may cost, and makes of all PVs of an IOC one piece of work
and one line in the log.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 0.25
SWEEP_SECONDS: Final = 5.0
MOST_SWEEPS: Final = 2
"""At which a PV that is not there is searched for anew; from then on libca's own pauses count, for it may not exist."""
LOST_SWEEPS: Final = 2
"""Each so many sweeps a PV that was lost is searched for anew."""
PATIENT_AFTER: Final = 120
"""Sweeps, ten minutes, from which on the IOC is not only restarted."""
PATIENT_SWEEPS: Final = 12
"""Each so many from then on."""


LOG_SECONDS: Final = 10.0
MOST_LINES: Final = 10
"""Of the log about one IOC in LOG_SECONDS; of one that comes and goes all the time the rest is told together."""


class Searching(Protocol):
    """A channel."""

    def renew(self) -> None:
        """Search anew, unless the PV is there."""


_LOST: Final = "%s: PVs lost: %d"
_BACK: Final = "%s: PVs back: %d"
_LEVELS: Final = {_LOST: logging.WARNING, _BACK: logging.INFO}


@dataclass(slots=True)
class Search:
    """How long a PV has been searched for."""

    was_there: bool
    sweeps: int = 0

    @property
    def is_due(self) -> bool:
        """Whether it is time to search anew; not at the first sweep, which may come at once."""
        if self.sweeps <= MOST_SWEEPS:
            return self.sweeps > 0
        return self.sweeps % (LOST_SWEEPS if self.sweeps < PATIENT_AFTER else PATIENT_SWEEPS) == 0

    @property
    def is_over(self) -> bool:
        """Whether libca is left alone with it."""
        return not self.was_there and self.sweeps == MOST_SWEEPS


class Renewal:
    """Renews channels, and says how many came and went. All on the loop."""

    def __init__(self, later: Callable[..., object]) -> None:
        """later: call after seconds."""
        self._later = later
        self._searching: dict[Searching, Search] = {}
        self._lost: list[Searching] = []
        self._news = {line: Counter[str]() for line in _LEVELS}
        """How many PVs came and went since the log said so, by IOC."""
        self._lines = Counter[str]()
        self._waits = self._sweeps = self._counts = False

    def searching(self, channel: Searching, *, was_there: bool = False) -> None:
        """The channel is new, or without the PV that was there."""
        self._searching[channel] = Search(was_there)
        if not self._sweeps:
            self._sweeps = True
            self._later(SWEEP_SECONDS, self._sweep)

    def settled(self, channel: Searching) -> None:
        """The PV is there, or nobody wants it any more."""
        self._searching.pop(channel, None)

    def lost(self, host: str, channel: Searching) -> None:
        """A PV of that IOC is lost: renew it in a moment, once."""
        self._lost.append(channel)
        self._news[_LOST][host] += 1
        self._wait()
        self.searching(channel, was_there=True)

    def regained(self, host: str) -> None:
        """A PV that was lost is there again, at that IOC."""
        self._news[_BACK][host] += 1
        self._wait()

    def _wait(self) -> None:
        if not self._waits:
            self._waits = True
            self._later(WAIT_SECONDS, self._turn)

    def _turn(self) -> None:
        self._waits = False
        self._tell()
        lost, self._lost = self._lost, []
        for channel in lost:
            channel.renew()

    def _tell(self) -> None:
        for line, numbers in self._news.items():
            for host in [host for host in numbers if self._lines[host] < MOST_LINES]:
                self._lines[host] += 1
                log.log(_LEVELS[line], line, host, numbers.pop(host))
        if self._lines and not self._counts:
            self._counts = True
            self._later(LOG_SECONDS, self._tell_the_rest)

    def _tell_the_rest(self) -> None:
        self._counts = False
        self._lines.clear()
        self._tell()

    def _sweep(self) -> None:
        for channel, search in list(self._searching.items()):
            if search.is_due:
                channel.renew()
            if search.is_over:
                del self._searching[channel]
            search.sweeps += 1
        self._sweeps = bool(self._searching)
        if self._sweeps:
            self._later(SWEEP_SECONDS, self._sweep)
