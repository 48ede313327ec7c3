"""Renewal: PVs that were lost are searched for anew at once, since another IOC may serve them.

libca itself would look for them only at the next turn of a timer of 10 s. Waiting a moment bounds what an IOC that
closes its circuits again and again may cost, and makes of all PVs of an IOC one piece of work.
"""

from collections.abc import Callable
from typing import Final

WAIT_SECONDS: Final = 0.25


class Renewal:
    """Calls for each lost channel what renews it, soon. All on the loop."""

    def __init__(self, later: Callable[..., object]) -> None:
        """later: call after seconds."""
        self._later = later
        self._lost: list[Callable[[], None]] = []

    def lost(self, renew: Callable[[], None]) -> None:
        """Call renew in a moment, once."""
        if not self._lost:
            self._later(WAIT_SECONDS, self._renew)
        self._lost.append(renew)

    def _renew(self) -> None:
        lost, self._lost = self._lost, []
        for renew in lost:
            renew()
