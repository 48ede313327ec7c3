"""The vocabulary: what a peer may ask and what it may be told. As JSON, these types are the native protocol.

Requests are told apart by `action`, messages by `msg_type`. Unknown keys are refused, so that a misspelt option is
an error and not a silence. The AsyncAPI and OpenAPI documents are made from these types.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, field

from pycaserver.core.errors import PycaError
from pycaserver.core.values import Limits, Metadata, SeverityName

Id: TypeAlias = str | int
Names: TypeAlias = str | Annotated[list[str], Meta(max_length=10_000)]
Encoding: TypeAlias = Literal["json", "base64", "binary"]
NonFinite: TypeAlias = Literal["NaN", "Infinity", "-Infinity"]
Number: TypeAlias = float | NonFinite
Positive: TypeAlias = Annotated[float, Meta(gt=0, le=1e6)]
Count: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Index: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Dtype: TypeAlias = Literal["<f8", "<f4", "<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1"]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=3600)]


class Request(Struct, tag_field="action", forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What every request may carry: an id, echoed in the direct answer and in errors."""

    id: Id | None = None


class Reduce(Struct, forbid_unknown_fields=True, frozen=True):
    """Ask for an envelope of a long waveform: the least and the greatest value of each of `points` stretches."""

    points: Annotated[int, Meta(ge=1, le=10_000_000)]


class OptionKeys(Request, kw_only=True):
    """Options of a subscription; null stands for none, an absent key for the session's default."""

    metadata: bool | UnsetType = UNSET
    """Whether metadata and access messages are wanted: after connection, and whenever either changes."""
    encoding: Encoding | UnsetType = UNSET
    """How numeric arrays come; binary frames need a WebSocket."""
    max_rate: Positive | None | UnsetType = UNSET
    """Hz; the newest value wins, and the last one always comes."""
    deadband: Annotated[float, Meta(ge=0)] | None | UnsetType = UNSET
    """In the PV's units: a scalar that changed by less is not sent; alarm changes always are."""
    first: Index | None | UnsetType = UNSET
    """The index of the element of an array that comes first; those before it are left out."""
    max_count: Count | None | UnsetType = UNSET
    """How many elements of an array come at most, counted from `first`."""
    reduce: Reduce | None | UnsetType = UNSET
    """An envelope of so many points in place of a longer waveform."""
    as_: Literal["string"] | None | UnsetType = field(default=UNSET, name="as")
    """A char waveform as one string, an enum as its state string."""
    nanos: bool | UnsetType = UNSET
    """Whether values have the IOC's time stamp as the integers seconds and nanos too."""
    history: Positive | None | UnsetType = UNSET
    """Seconds of history that come first, in a history message."""


class Connect(OptionKeys, tag="connect", kw_only=True):
    """Subscribe to a PV, or to each of a list; a second connect replaces the options."""

    pv: Names


class Disconnect(Request, tag="disconnect", kw_only=True):
    """End subscriptions; not answered, and silent about PVs that are not subscribed to."""

    pv: Names


class SetOptions(OptionKeys, tag="options", kw_only=True):
    """Set the session's defaults for later connects, and whether its frames may hold many messages."""

    batch: bool | UnsetType = UNSET
    """Whether frames may be arrays of messages."""


class Get(Request, tag="get", kw_only=True):
    """Read PVs once from the IOC."""

    pv: Names
    timeout: Seconds | None = None
    """Seconds."""


class Put(Request, tag="put", kw_only=True):
    """Write a PV. Exactly one of value and value_b64, but for binary frames, whose elements follow the JSON."""

    pv: str
    value: int | float | str | list[int | float | str] | UnsetType = UNSET
    """A number or string, or a list of them; "NaN", "Infinity", "-Infinity" for a float, the index or state of an enum,
    a string for a char waveform."""
    value_b64: str | UnsetType = UNSET
    """Numeric elements as raw bytes, little-endian, in base64; with dtype."""
    dtype: Dtype | UnsetType = UNSET
    """The type of the raw elements as numpy writes it."""
    wait: bool = True
    """Whether the answer comes once the IOC has completed all processing; if not, once the put is sent."""
    timeout: Seconds | None = None
    """Seconds until the outcome is said to be unknown, 5 if left out."""


class Info(Request, tag="info", kw_only=True):
    """Describe a PV: type, count, host, access rights and the rule that gives them, metadata, number of subscribers."""

    pv: str


class List(Request, tag="list", kw_only=True):
    """Tell this session's subscriptions with their state."""


class History(Request, tag="history", kw_only=True):
    """Tell the samples that the server has of a PV: numeric scalars, since the PV is in use, and not without bound."""

    pv: str
    since: float | None = None
    """UNIX seconds: those with an earlier time stamp are left out."""
    seconds: Positive | None = None
    """The same, as seconds before now; only one of the two."""
    points: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    """Only the least and the greatest of each of so many stretches, where these are fewer samples."""


class GetEvents(Request, tag="events", kw_only=True):
    """Tell the newest alarm and connection transitions of all PVs in use that this session may read."""

    since: int | None = None
    """The id of an event: only later ones."""
    limit: Annotated[int, Meta(ge=0)] | None = None
    """Only so many, the newest."""
    subscribe: bool | UnsetType = UNSET
    """Whether further events are told as they come, from now on."""


class Pause(Request, tag="pause", kw_only=True):
    """Hold values back until resume; connection messages still come."""


class Resume(Request, tag="resume", kw_only=True):
    """Send the newest value of every PV that changed since pause, and go on."""


class Ping(Request, tag="ping", kw_only=True):
    """Ask for a pong."""


class Authenticate(Request, tag="authenticate", kw_only=True):
    """Show who this session is, first or anew; it has the rights of that identity from then on."""

    token: Annotated[str, Meta(max_length=16384)]
    """A bearer token, or a JSON Web Token of the identity provider."""


AnyRequest: TypeAlias = (
    Connect
    | Disconnect
    | SetOptions
    | Get
    | Put
    | Info
    | List
    | History
    | GetEvents
    | Pause
    | Resume
    | Ping
    | Authenticate
)
REQUESTS: tuple[type[Request], ...] = (
    Connect,
    Disconnect,
    SetOptions,
    Get,
    Put,
    Info,
    List,
    History,
    GetEvents,
    Pause,
    Resume,
    Ping,
    Authenticate,
)


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
    type: Literal["string", "short", "float", "enum", "char", "long", "double"]
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


class SubscriptionOptions(Struct, frozen=True):
    """The options in effect for one subscription; the field names are those of OptionKeys."""

    metadata: bool = False
    encoding: Encoding = "json"
    max_rate: float | None = None
    """Hz."""
    deadband: float | None = None
    """In the PV's units."""
    first: int | None = None
    max_count: int | None = None
    reduce: Reduce | None = None
    as_: Literal["string"] | None = None
    nanos: bool = False
    history: float | None = None
    """Seconds."""

    def replaced_by(self, keys: OptionKeys) -> "SubscriptionOptions":
        """These options with those that the request gives in their place."""
        given = {name: getattr(keys, name) for name in self.__struct_fields__}
        return SubscriptionOptions(**{k: getattr(self, k) if v is UNSET else v for k, v in given.items()})

    def as_dict(self) -> dict[str, Any]:
        """Field name to value."""
        return {name: getattr(self, name) for name in self.__struct_fields__}

    @property
    def wire_form(self) -> tuple[Any, ...]:
        """What decides how a value looks: subscriptions alike in this share the encoded bytes."""
        return (self.encoding, self.first, self.max_count, self.reduce, self.as_, self.nanos)


def number_message(value: float) -> Number:
    """A float as JSON can say it: non-finite numbers as strings that JavaScript's Number() reads back."""
    if value - value == 0:  # false for NaN and both infinities
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


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
