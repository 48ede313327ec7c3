"""Renewal: PVs that were lost are searched for anew at once, since another IOC may serve them.

libca itself would look for them only at the next turn of a timer of 10 s. Waiting a moment bounds what an IOC that
closes its circuits again and again may cost, and makes of all PVs of an IOC one piece of work and one line in the log.
"""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 0.25


class Renewal:
    """Calls for each lost channel what renews it, soon, and says how many came and went. All on the loop."""

    def __init__(self, later: Callable[..., object]) -> None:
        """later: call after seconds."""
        self._later = later
        self._waits = False
        self._lost: list[tuple[str, Callable[[], None]]] = []
        self._regained = Counter[str]()

    def lost(self, host: str, renew: Callable[[], None]) -> None:
        """A PV of that IOC is lost: call renew in a moment, once."""
        self._lost.append((host, renew))
        self._wait()

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
        for _, renew in lost:
            renew()
