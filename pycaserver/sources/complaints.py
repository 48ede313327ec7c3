"""Complaints: what libca has to say becomes events of the log; by itself it writes to standard error, as it likes."""

import logging
import time
from ctypes import CFUNCTYPE, c_char_p, c_void_p
from functools import cache
from typing import Final

from epics import ca

log = logging.getLogger(__name__)

LOG_SECONDS: Final = 10.0
MOST_LINES: Final = 20
"""In LOG_SECONDS; the rest is only counted."""


class Complaints:
    """What may be told now. All on the one thread on which libca tells it."""

    def __init__(self) -> None:
        self._until = 0.0
        self._told = self._untold = 0

    def hear(self, text: str, now: float) -> None:
        """Log it, if there is not too much; now: monotonic."""
        if now >= self._until:
            if self._untold:
                log.warning("Channel Access: %d lines more have not been logged", self._untold)
            self._until, self._told, self._untold = now + LOG_SECONDS, 0, 0
        for line in filter(None, map(str.strip, text.splitlines())):
            if self._told < MOST_LINES:
                self._told += 1
                log.warning("Channel Access: %s", line)
            else:
                self._untold += 1


_complaints = Complaints()


def _log(_: int | None, text: bytes | None) -> None:
    """On a thread of libca."""
    _complaints.hear((text or b"").decode("utf-8", "replace"), time.monotonic())


_listener = CFUNCTYPE(None, c_void_p, c_char_p)(_log)


@cache
def hear() -> None:
    """From now on, once libca is loaded; nothing changes with a libca that has no such listeners."""
    try:
        add, console = ca.libca.errlogAddListener, ca.libca.eltc
    except AttributeError:
        return
    add(_listener, None)
    console(0)
