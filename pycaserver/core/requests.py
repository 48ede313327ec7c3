"""The vocabulary of a peer: what it may ask. As JSON, these types are the requests of the native protocol.

They are told apart by `action`. Unknown keys are refused, so that a misspelt option is an error and not a silence. The
AsyncAPI and OpenAPI documents are made from these types.
"""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, field

from pycaserver.core.errors import PycaError
from pycaserver.core.terms import Count, Dtype, Encoding, Id, Index, Names, Positive, Reduce, Seconds


class Request(Struct, tag_field="action", forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What every request may carry: an id, echoed in the direct answer and in errors."""

    id: Id | None = None


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
    """UNIX seconds: those that came since, and before them the one that held then."""
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


MEBIBYTE: Final = 1 << 20
MOST_TEXT: Final = 8 * MEBIBYTE
"""Bytes of JSON that is little more than one long string: 750,000 doubles in base64."""
MOST_COMMAS: Final = 10_000
"""In more than a mebibyte of JSON."""


def check_text(text: bytes) -> None:
    """PycaError(bad_request) for JSON that others would have to wait for while it is decoded.

    limits.message_bytes may allow more: elements in base64 and above all in binary frames are quick.
    """
    if len(text) > MOST_TEXT:
        raise PycaError("bad_request", f"JSON of more than {MOST_TEXT} bytes: binary frames may be larger.")
    if len(text) > MEBIBYTE and text.count(b",") > MOST_COMMAS:
        raise PycaError(
            "bad_request", f"JSON of more than {MEBIBYTE} bytes with so many elements: send them in base64 or binary."
        )
