"""Time-outs of the tests: one scale for slow machines, and waiting for events instead of for time."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TIMEOUT_SCALE = float(os.environ.get("PYCASERVER_TEST_TIMEOUT_SCALE", "1"))
POLL_SECONDS = 0.01
WORK_SECONDS = 0.05


def scaled(seconds: float) -> float:
    """The time-out `seconds` on this machine."""
    return seconds * TIMEOUT_SCALE


def wait_for(predicate: Callable[[], T], seconds: float = 5.0, what: str = "") -> T:
    """The first true result of `predicate`, polled; raises AssertionError after `seconds` (scaled)."""
    deadline = time.monotonic() + scaled(seconds)
    while not (result := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {scaled(seconds):g} s: {what or predicate}")
        time.sleep(POLL_SECONDS)
    return result


async def async_wait_for(predicate: Callable[[], T], seconds: float = 5.0, what: str = "") -> T:
    """`wait_for` for coroutines: leaves the event loop running between polls."""
    deadline = time.monotonic() + scaled(seconds)
    while not (result := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {scaled(seconds):g} s: {what or predicate}")
        await asyncio.sleep(POLL_SECONDS)
    return result


class Patience:
    """Time for a figure of a machine that does nothing else: more by as much as others have of the processors.

    A figure of speed fails for what the server does, and not for what else the machine has to do.
    """

    def __init__(self) -> None:
        self._factors = [_contention()]

    def allows(self, seconds: float) -> float:
        """The figure, scaled, with what others took, now or when this was made."""
        self._factors.append(_contention())
        return scaled(seconds) * max(self._factors)


def _contention() -> float:
    """How much longer than its processor time a piece of work takes now; 1 on a machine with nothing else to do."""
    began, worked = time.monotonic(), time.thread_time()
    while (used := time.thread_time() - worked) < WORK_SECONDS:
        pass
    return (time.monotonic() - began) / used
