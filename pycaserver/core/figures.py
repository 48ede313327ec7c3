"""The server's own figures: plain counters that the parts count up and the web layer shows."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

STALL_SECONDS: Final = 0.05
"""Beyond this the event loop stood still: nobody was served meanwhile."""
LAG_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, STALL_SECONDS, 0.1, 0.25, 0.5, 1.0, 2.5)
"""The buckets in which lateness is counted, seconds."""


class Histogram:
    """How many were measured, by bucket."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """bounds: upper ends of the buckets; one more is for all beyond."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def __len__(self) -> int:
        """How many in all."""
        return sum(self.counts)

    def add(self, value: float) -> None:
        """One more."""
        self.sum += value
        self.counts[next((index for index, end in enumerate(self.bounds) if value <= end), -1)] += 1


@dataclass(slots=True)
class Figures:
    """Counters since the start, except where a line says otherwise."""

    updates_in: int = 0
    """Values that arrived from the source."""
    updates_merged_in: int = 0
    """Values replaced by a newer one of their PV before the loop came to them."""
    losses: int = 0
    """Times that a PV was lost that had been there."""
    monitors_renewed: int = 0
    """Monitors made anew because the IOC had lost a value as they began."""
    updates_out: int = 0
    """Value messages put into sessions' outboxes."""
    updates_merged: int = 0
    """Values replaced by a newer one of their PV because a session was behind, paused or rate-limited."""
    bytes_out: int = 0
    """Bytes handed to the sessions' transports."""
    puts: int = 0
    """Puts asked for, refused ones too."""
    puts_turned_away: int = 0
    """Puts over HTTP that were not begun and are not in the audit, since their writer had made too many mistakes."""
    requests: int = 0
    """Messages received."""
    sessions: int = 0
    """Sessions open now."""
    sessions_opened: int = 0
    """Sessions ever opened."""
    connections: int = 0
    """Connections open now that are no WebSocket session."""
    connections_dropped: int = 0
    """Connections refused, or closed before they asked for anything, because there were too many."""
    audit_failures: int = 0
    """Lines of the audit that could not be written at once; they are in the log."""
    log_lines_lost: int = 0
    """Lines of the log that could not be written, as too many waited already."""
    history_failures: int = 0
    """Times that the history file could not be read or written; it is tried again."""
    history_bytes: int = 0
    """Memory that samples take now; brought up to date twice a second."""
    faults: int = 0
    """Exceptions that should not have happened; each is in the log."""
    loop_lag: float = 0.0
    """Seconds by which the event loop was late at most, in the last half second."""
    loop_lag_max: float = 0.0
    """The largest of those since the start."""
    loop_stalls: int = 0
    """How often it was late by more than STALL_SECONDS."""
    loop_work_max: float = 0.0
    """The longest for which it was late since it worked, seconds; the rest it waited for a processor."""
    loop_lag_seconds: Histogram = field(default_factory=lambda: Histogram(LAG_BOUNDS))
    """All that was measured of it."""
    errors: Counter[str] = field(default_factory=Counter)
    """Errors answered, by code."""
    closes: Counter[int] = field(default_factory=Counter)
    """Sessions closed by the server, by close code."""

    def count_lag(self, seconds: float, worked: float) -> None:
        """The event loop was so late, and had a processor for so many of those seconds."""
        self.loop_work_max = max(self.loop_work_max, worked)
        self.loop_lag_seconds.add(seconds)
        self.loop_lag_max = max(self.loop_lag_max, seconds)
        self.loop_stalls += seconds > STALL_SECONDS
