"""The server's own figures: plain counters that the parts count up and the web layer shows."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """Counters since the start, except where a line says otherwise."""

    updates_in: int = 0
    """Values that arrived from the source."""
    updates_merged_in: int = 0
    """Values replaced by a newer one of their PV before the loop came to them."""
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
    history_failures: int = 0
    """Times that the history file could not be read or written; it is tried again."""
    history_bytes: int = 0
    """Memory that samples take now; brought up to date twice a second."""
    faults: int = 0
    """Exceptions that should not have happened; each is in the log."""
    loop_lag: float = 0.0
    """Seconds by which the event loop was last late."""
    loop_lag_max: float = 0.0
    """The largest of those since the start."""
    errors: Counter[str] = field(default_factory=Counter)
    """Errors answered, by code."""
    closes: Counter[int] = field(default_factory=Counter)
    """Sessions closed by the server, by close code."""
