"""Budget: so many per second on average, with room for a burst (a token bucket)."""

from pycaserver.core.clock import Clock


class Budget:
    """Counts spending against a rate; debt is allowed and told as seconds to wait."""

    __slots__ = ("_burst", "_clock", "_left", "_rate", "_then")

    def __init__(self, clock: Clock, rate: float, burst: float) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._then = clock.monotonic()

    def spend(self, amount: float = 1.0) -> float:
        """Spend; the seconds until the budget is even again, 0.0 while it is not overdrawn."""
        now = self._clock.monotonic()
        self._left = min(self._burst, self._left + (now - self._then) * self._rate) - amount
        self._then = now
        return max(0.0, -self._left / self._rate)
