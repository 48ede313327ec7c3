"""The search for the highest rate that something sustains."""

from dataclasses import dataclass

from bench.rigs import Rig
from bench.runs import Run


@dataclass(frozen=True)
class Search:
    """How long it may take. Seconds."""

    glance: float = 0.5
    """Of a step while the rate is doubled."""
    step: float = 1.0
    """Of a step between the last two of these."""
    bisections: int = 3
    tries: int = 2
    """Of each of these: the machine may have been busy otherwise."""
    confirm: float = 1.5
    """Of the last run, whose figures are the result."""


def highest_rate(rig: Rig, first: float, search: Search, allowed_loss: float = 0.0) -> Run | None:
    """The run at the highest sustained rate, looked for from `first` on; None when there is none."""

    def attempt(rate: float, seconds: float, tries: int = 1) -> Run | None:
        for _ in range(tries):
            run = rig.run(rate, seconds)
            if run.sustained(allowed_loss):
                return run
            rig.restart()  # nothing of the overload remains
        return None

    low = first
    while low > 1 and not attempt(low, search.glance):
        low /= 2
    while True:
        while attempt(2 * low, search.glance):
            low *= 2
        top = high = 2 * low
        for _ in range(search.bisections):
            middle = (low * high) ** 0.5
            low, high = (middle, high) if attempt(middle, search.step, search.tries) else (low, middle)
        if high < top or not attempt(top, search.step):
            break
        low = top  # it was only a hiccup
    last = (attempt(low * 0.9**n, search.confirm) for n in range(12))
    return next(filter(None, last), None)
