"""Renewal: PVs that are lost, or not found at first, are searched for anew.

libca looks for a lost PV only at the next turn of a timer of 10 s, though another IOC may serve it; and for one whose
first searches were lost on the network it waits longer and longer. Waiting a moment bounds what an IOC that closes its
circuits again and again may cost, and makes of all PVs of an IOC one piece of work and one line in the log.
"""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 0.25
SWEEP_SECONDS: Final = 5.0
MOST_SWEEPS: Final = 2
"""At which a PV that is not there is searched for anew; from then on libca's own pauses count, for it may not exist."""


class Searching(Protocol):
    """A channel."""

    def renew(self) -> None:
        """Search anew, unless the PV is there."""


class Renewal:
    """Renews channels, and says how many came and went. All on the loop."""

    def __init__(self, later: Callable[..., object]) -> None:
        """later: call after seconds."""
        self._later = later
        self._searching: dict[Searching, int] = {}
        """How many sweeps each has seen."""
        self._lost: list[tuple[str, Searching]] = []
        self._regained = Counter[str]()
        self._waits = self._sweeps = False

    def searching(self, channel: Searching) -> None:
        """The channel is new, or anew without its PV."""
        self._searching[channel] = 0
        if not self._sweeps:
            self._sweeps = True
            self._later(SWEEP_SECONDS, self._sweep)

    def settled(self, channel: Searching) -> None:
        """The PV is there, or nobody wants it any more."""
        self._searching.pop(channel, None)

    def lost(self, host: str, channel: Searching) -> None:
        """A PV of that IOC is lost: renew it in a moment, once."""
        self._lost.append((host, channel))
        self._wait()
        self.searching(channel)

    def regained(self, host: str) -> None:
        """A PV that was lost is there again, at that IOC."""
        self._regained[host] += 1
        self._wait()

    def _wait(self) -> None:
        if not self._waits:
            self._waits = True
            self._later(WAIT_SECONDS, self._turn)

    def _turn(self) -> None:
        self._waits = False
        lost, self._lost = self._lost, []
        regained, self._regained = self._regained, Counter()
        for host, number in Counter(host for host, _ in lost).items():
            log.warning("%s: PVs lost: %d", host, number)
        for host, number in regained.items():
            log.info("%s: PVs back: %d", host, number)
        for _, channel in lost:
            channel.renew()

    def _sweep(self) -> None:
        for channel, seen in list(self._searching.items()):
            if seen:
                channel.renew()
            if seen == MOST_SWEEPS:
                del self._searching[channel]
            else:
                self._searching[channel] += 1
        self._sweeps = bool(self._searching)
        if self._sweeps:
            self._later(SWEEP_SECONDS, self._sweep)
