"""The record of puts: one entry for each, refused ones too, and one more for an outcome that came after a time-out."""

from typing import Any, Final, Literal, Protocol

import msgspec
import numpy as np
from msgspec import Struct

from pycaserver.core.identity import Identity
from pycaserver.core.values import Texts

MAX_ELEMENTS: Final = 10
MAX_TEXT: Final = 200
"""Characters of a value, a message or a name that are kept; of arrays MAX_ELEMENTS."""
MAX_BYTES: Final = 4096
"""Of a value or a name, escaped as JSON: what is escaped takes six bytes for a character."""


class AuditEntry(Struct, frozen=True):
    """One put, as it ended or timed out; late is what became of it after its time-out."""

    put: int
    """Number of the put since the server's start; the late outcome has the number of its put."""
    time: float
    """When it was asked for, UNIX seconds."""
    identity: Identity
    pv: str
    """As it was asked for."""
    new: Any
    """As it was asked for: a number, text, list or array."""
    decision: Literal["allowed", "refused"]
    """By the rules; what else refused the put is in the outcome."""
    rule: str
    """What decided, a sentence."""
    outcome: str
    """"ok", "sent" (nobody waited), or an error code."""
    old: Any = None
    """The latest value before, None if unknown."""
    message: str = ""
    """The sentence of the error."""
    duration: float = 0.0
    """Seconds since the request."""
    late: bool = False


class Audit(Protocol):
    """Where the record is kept."""

    def ready(self) -> None:
        """PycaError(write_disabled) with the reason if no entry could be written: then no put may be let through."""

    def record(self, entry: AuditEntry) -> None:
        """Write it; never raises, but counts and logs what is lost."""


def line(entry: AuditEntry) -> bytes:
    """The entry as JSON without a line end; bounded, whatever the value is."""
    who = entry.identity
    groups = [shortened(group) for group in who.groups[:MAX_ELEMENTS]]
    keys = {
        "time": f"{np.datetime64(round(entry.time * 1e6), 'us')}Z",
        "put": entry.put, "user": shortened(who.user), "groups": groups,
        "means": who.means, "address": who.address, "pv": shortened(entry.pv, 1000),
        "old": shortened(entry.old), "new": shortened(entry.new), "decision": entry.decision, "rule": entry.rule,
        "outcome": entry.outcome, "message": shortened(entry.message), "duration": round(entry.duration, 6),
    }  # fmt: skip
    return msgspec.json.encode(keys | ({"late": True} if entry.late else {}))


def shortened(value: Any, most: int = MAX_TEXT) -> Any:
    """A value for the record: text up to `most` characters, of an array the first elements and the count.

    As JSON it takes about MAX_BYTES at most.
    """
    if not isinstance(value, bytes | np.ndarray | Texts | list | tuple):
        return _scalar(value, most)
    first = [_scalar(item) for item in _plain(value[:MAX_ELEMENTS])]
    while len(msgspec.json.encode(first)) > MAX_BYTES:
        first.pop()
    return first if len(first) == len(value) else {"first": first, "count": len(value)}


def _scalar(value: Any, most: int = MAX_TEXT) -> Any:
    """A number, text, or null as itself; of anything else only what it is, for it may be of any depth."""
    value = _plain(value)
    if isinstance(value, str):
        if len(msgspec.json.encode(value[:most])) > MAX_BYTES:
            most = MAX_BYTES // 6
        return value if len(value) <= most else f"{value[:most]}... ({len(value)} characters)"
    if isinstance(value, float) and not np.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 1 << 63):
        return value
    return f"({type(value).__name__})"


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic | Texts) else value
