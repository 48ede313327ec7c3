"""The vocabulary of the server: what a peer may be told. As JSON, these types are the messages of the native protocol.

They are told apart by `msg_type`. The AsyncAPI and OpenAPI documents are made from these types.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from pycaserver.core.errors import PycaError
from pycaserver.core.terms import Encoding, Id, Number, Reduce, number_message
from pycaserver.core.values import Limits, Metadata, SeverityName


class Message(Struct, tag_field="msg_type", kw_only=True, omit_defaults=True):
    """What every message to a peer has: its type, `msg_type`."""


class Connection(Message, tag="connection", kw_only=True):
    """A PV's connection state: before its first value, and whenever it changes."""

    pvname: str
    conn: bool
    reason: str | None = None
    """With conn false: "lost", "not_found" or "read_denied"."""
    since: float | None = None
    """With conn false: UNIX seconds of the last contact, when there was one."""
    id: Id | None = None


class Reading(Message, kw_only=True):
    """One value. Exactly one of value and value_b64, but for binary frames, whose elements follow the JSON."""

    pvname: str
    value: float | str | list[float | str] | None | UnsetType = UNSET
    """Non-finite numbers are the strings "NaN", "Infinity", "-Infinity"; null is a scalar without elements."""
    value_b64: str | UnsetType = UNSET
    """The elements as raw bytes, little-endian, in base64."""
    dtype: str | UnsetType = UNSET
    """The elements' type as numpy writes it, such as "<f8"; with base64 and binary."""
    count: int
    """The number of elements, 1 for a scalar."""
    timestamp: float
    """The IOC's time stamp, UNIX seconds."""
    units: str = ""
    severity: SeverityName
    status: str
    text: str | None = None
    """The state string of an enum."""
    coalesced: int = 0
    """How many older updates of this PV were merged into this one for this session."""
    first: int = 0
    """The index of the first element, where the option left some out; count tells how many follow from there."""
    reduced: int = 0
    """The number of points of an envelope: value is least0, greatest0, least1, greatest1, ..."""
    seconds: int | UnsetType = UNSET
    """With nanos: the time stamp in whole seconds, and the rest in nanoseconds."""
    nanos: int | UnsetType = UNSET


class Monitor(Reading, tag="monitor", kw_only=True):
    """A value of a subscribed PV."""


class GetAnswer(Reading, tag="get", kw_only=True):
    """The answer to get."""

    id: Id | None = None


class PutAnswer(Message, tag="put", kw_only=True):
    """The answer to put: the IOC has written the value and completed all processing that follows from it."""

    pvname: str
    ok: bool
    """Always true; a put that fails is answered by an error."""
    sent: bool = False
    """True with wait false: the put is on its way, and nothing more is known."""
    elapsed: float
    """Seconds from the request to this answer."""
    id: Id | None = None


class LimitPair(Struct):
    """Two limits in the PV's units; "NaN" where the record sets none."""

    low: Number
    high: Number


class MetadataKeys(Message, kw_only=True):
    """What DBR_CTRL tells about a PV."""

    pvname: str
    type: Literal["string", "short", "float", "enum", "char", "long", "double", "int64"]
    count: int
    """The native element count; above 1 the PV is an array."""
    units: str = ""
    precision: int | None = None
    enum_strs: tuple[str, ...] = ()
    display: LimitPair | None = None
    control: LimitPair | None = None
    warning: LimitPair | None = None
    alarm: LimitPair | None = None


class MetadataMessage(MetadataKeys, tag="metadata", kw_only=True):
    """Sent after connection to those who asked for metadata, and again when any of it changes."""


class AccessRights(Struct):
    """What may be done with a PV."""

    read: bool
    write: bool


class AccessMessage(Message, tag="access", kw_only=True):
    """Sent with metadata first, and whenever the access rights change: those that IOC and access rules both give."""

    pvname: str
    read: bool
    write: bool


class InfoAnswer(MetadataKeys, tag="info", kw_only=True):
    """The answer to info."""

    host: str
    """Address and port of the IOC."""
    access: AccessRights
    """What this session may do: what both the IOC and the access rules allow."""
    allowed: AccessRights
    """What the access rules alone allow."""
    rule: str
    """Which access rule decided, as a sentence."""
    subscribers: int
    """How many sessions subscribe to the PV."""
    id: Id | None = None


class ListItem(Struct, omit_defaults=True):
    """One subscription of a session."""

    pvname: str
    conn: bool
    reason: str | None = None
    since: float | None = None


class ListAnswer(Message, tag="list", kw_only=True):
    """The answer to list."""

    pvs: list[ListItem]
    id: Id | None = None


class HistoryAnswer(Message, tag="history", kw_only=True):
    """The answer to history, and what comes first with the option history: samples, oldest first."""

    pvname: str
    time: list[float]
    """The IOC's time stamps, UNIX seconds."""
    value: list[Number]
    """An enum's index; "NaN" for a scalar without elements."""
    severity: list[SeverityName]
    reduced: int = 0
    """The number of stretches of which only the least and the greatest sample are told."""
    id: Id | None = None


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transition of one PV: into another alarm severity or status, or of its connection."""

    id: int
    """Greater than that of the event before, even from an earlier start of the server."""
    time: float
    """UNIX seconds: the IOC's time stamp of an alarm, the server's time of a connection."""
    pvname: str
    kind: Literal["alarm", "connection"]
    severity: SeverityName | None = None
    """Of an alarm: the new severity."""
    status: str | None = None
    """Of an alarm: the new status."""
    value: float | str | None = None
    """Of an alarm: the value with which it came; not that of an array."""
    conn: bool | None = None
    """Of a connection: whether the PV is connected now."""
    reason: str | None = None
    """With conn false: "lost" or "read_denied"."""


class EventsAnswer(Message, tag="events", kw_only=True):
    """The answer to events, and to those who subscribed further ones: oldest first."""

    events: list[Event]
    missed: int = 0
    """How many the server no longer had when this session, which was behind, could be told."""
    id: Id | None = None


class Pong(Message, tag="pong", kw_only=True):
    """The answer to ping."""

    id: Id | None = None


class AuthenticateAnswer(Message, tag="authenticate", kw_only=True):
    """The answer to authenticate; a token that is not valid is answered with an error."""

    ok: bool
    user: str
    expires: float | None = None
    """UNIX seconds at which the session is closed unless it authenticates anew."""
    id: Id | None = None


class OptionsAnswer(Message, tag="options", kw_only=True, omit_defaults=False):
    """The answer to options: all defaults in effect."""

    batch: bool
    metadata: bool
    encoding: Encoding
    max_rate: float | None
    deadband: float | None
    first: int | None
    max_count: int | None
    reduce: Reduce | None
    as_: Literal["string"] | None = field(name="as")
    nanos: bool
    history: float | None
    id: Id | None | UnsetType = UNSET


class Error(Message, tag="error", kw_only=True):
    """What went wrong, by a code of the table; the connection stays open."""

    code: str
    message: str
    action: str | None = None
    pvname: str | None = None
    id: Id | None = None

    @classmethod
    def of(cls, error: PycaError) -> "Error":
        """The message that tells the error."""
        return cls(code=error.code, message=error.message, action=error.action, pvname=error.pvname, id=error.id)


AnyMessage: TypeAlias = (
    Connection
    | Monitor
    | GetAnswer
    | PutAnswer
    | MetadataMessage
    | AccessMessage
    | InfoAnswer
    | ListAnswer
    | HistoryAnswer
    | EventsAnswer
    | OptionsAnswer
    | Pong
    | AuthenticateAnswer
    | Error
)
MESSAGES: tuple[type[Message], ...] = (
    Connection,
    Monitor,
    GetAnswer,
    PutAnswer,
    MetadataMessage,
    AccessMessage,
    InfoAnswer,
    ListAnswer,
    HistoryAnswer,
    EventsAnswer,
    OptionsAnswer,
    Pong,
    AuthenticateAnswer,
    Error,
)


def metadata_keys(pvname: str, metadata: Metadata) -> Mapping[str, Any]:
    """The keys of MetadataKeys for a PV."""
    pairs = ("display", "control", "warning", "alarm")
    return {
        "pvname": pvname,
        "type": metadata.type.name.lower(),
        "count": metadata.count,
        "units": metadata.units,
        "precision": metadata.precision,
        "enum_strs": metadata.enum_strs,
        **{pair: _limit_pair(getattr(metadata, pair)) for pair in pairs},
    }


def _limit_pair(limits: Limits | None) -> LimitPair | None:
    return None if limits is None else LimitPair(number_message(limits.low), number_message(limits.high))
