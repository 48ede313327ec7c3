"""Time as the core sees it: handed in, so that tests own it and nothing in the core reads a clock."""

from collections.abc import Callable
from typing import Any, Protocol


class Timer(Protocol):
    """A call that is yet to come."""

    def cancel(self) -> None:
        """Make sure that the call does not happen; harmless if it already has."""


class Clock(Protocol):
    """The event loop's time and its calls to come."""

    def monotonic(self) -> float:
        """Seconds that only go forward; for time-outs and rates."""

    def wall(self) -> float:
        """UNIX seconds; for what people read."""

    def call_soon(self, function: Callable[..., object], *args: Any) -> object:
        """Call once the current piece of work is done."""

    def call_later(self, delay: float, function: Callable[..., object], *args: Any) -> Timer:
        """Call after delay seconds."""
