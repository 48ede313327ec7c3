"""Strain: how late the server's event loop and this program were. Who is late finds much at once, and has to merge."""

import asyncio
import time
from collections import deque
from typing import Final

from tests.servers import Server
from tests.stress.resources import metrics

LATE_SECONDS: Final = 0.15
"""So late a loop finds more of a large page's values at once than a session may have queued."""
BEFORE_SECONDS: Final = 10.0
"""So long it may take to work that off."""
AFTER_SECONDS: Final = 1.5
"""After which it is known how late the server was."""
LOOK_SECONDS: Final = 0.25
"""Between two looks; the server tells its worst of the last half second."""


class Strain:
    """Of the last seconds; all times of time.monotonic()."""

    def __init__(self) -> None:
        self._late: deque[float] = deque(maxlen=int(2 * BEFORE_SECONDS / LOOK_SECONDS))
        """When one of the two was."""

    def note(self, at: float, late: float) -> None:
        """One of them was late by so many seconds."""
        if late >= LATE_SECONDS:
            self._late.append(at)

    def explains(self, at: float) -> bool:
        """Whether what was merged then has it for a reason. To be asked AFTER_SECONDS later."""
        return any(at - BEFORE_SECONDS <= late <= at + AFTER_SECONDS for late in self._late)

    async def look(self, server: Server) -> None:
        """Once, at both."""
        began = time.monotonic()
        await asyncio.sleep(LOOK_SECONDS)
        self.note(time.monotonic(), time.monotonic() - began - LOOK_SECONDS)
        figures = await asyncio.to_thread(metrics, server)
        self.note(time.monotonic(), figures["pycaserver_loop_lag"])
