"""What a PV is worth: types, alarms, metadata and one value, in EPICS' own terms (db_access.h, alarm.h)."""

from enum import IntEnum
from functools import cache
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A numeric waveform: one-dimensional, read-only, in the machine's byte order."""


class Texts:
    """A large string waveform as its bytes, which are decoded when somebody wants them; sliced as an array is."""

    __slots__ = ("_raw",)

    def __init__(self, raw: NDArray[np.bytes_]) -> None:
        """raw: NUL-padded, as EPICS has them."""
        self._raw = raw

    def __len__(self) -> int:
        return len(self._raw)

    def __getitem__(self, part: slice) -> "Texts":
        return Texts(self._raw[part])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Texts) and np.array_equal(self._raw, other._raw)

    __hash__ = None  # type: ignore[assignment]

    @property
    def nbytes(self) -> int:
        """What it takes."""
        return self._raw.nbytes

    def tolist(self) -> list[str]:
        """All of them as text: 0.3 us each."""
        return [decode_text(raw) for raw in self._raw.tolist()]


Elements: TypeAlias = Array | Texts
"""A waveform that may be large."""
Data: TypeAlias = float | int | str | list[str] | Elements | None
"""A scalar, a string, a string waveform, a numeric waveform, or None for a scalar without elements."""

_STRING_BYTES: Final = 96
"""Of a string in a list, as Python keeps it."""
LARGE: Final = 65_536
"""Elements from which on an array is made text piece by piece: fewer take some 5 ms."""


def is_large(data: Data) -> bool:
    """Whether that is an array which may take long to encode."""
    return isinstance(data, np.ndarray | Texts) and len(data) >= LARGE


def size_of(data: Data) -> int:
    """Bytes that an array takes, about; a scalar takes none that count."""
    if isinstance(data, np.ndarray | Texts):
        return data.nbytes
    return _STRING_BYTES * len(data) if isinstance(data, list) else 0


class AlarmSeverity(IntEnum):
    """Alarm severity, alarm.h."""

    NO_ALARM = 0
    MINOR = 1
    MAJOR = 2
    INVALID = 3


class AlarmStatus(IntEnum):
    """Alarm status, alarm.h."""

    NO_ALARM = 0
    READ = 1
    WRITE = 2
    HIHI = 3
    HIGH = 4
    LOLO = 5
    LOW = 6
    STATE = 7
    COS = 8
    COMM = 9
    TIMEOUT = 10
    HWLIMIT = 11
    CALC = 12
    SCAN = 13
    LINK = 14
    SOFT = 15
    BAD_SUB = 16
    UDF = 17
    DISABLE = 18
    SIMM = 19
    READ_ACCESS = 20
    WRITE_ACCESS = 21


class DbrType(IntEnum):
    """The native types of Channel Access, db_access.h; and INT64, which it lacks and other sources have."""

    STRING = 0
    SHORT = 1
    FLOAT = 2
    ENUM = 3
    CHAR = 4
    LONG = 5
    DOUBLE = 6
    INT64 = 7


SeverityName: TypeAlias = Literal["NO_ALARM", "MINOR", "MAJOR", "INVALID"]
_SEVERITY_NAMES: Final[tuple[SeverityName, ...]] = get_args(SeverityName)


def severity_name(number: int) -> SeverityName:
    """The severity as EPICS spells it; a number beyond the table is INVALID, as it can only be a fault."""
    return _SEVERITY_NAMES[number] if 0 <= number < len(_SEVERITY_NAMES) else "INVALID"


def status_name(number: int) -> str:
    """The status as EPICS spells it; a number beyond the table is shown as it is."""
    return AlarmStatus(number).name if 0 <= number < len(AlarmStatus) else str(number)


class Limits(msgspec.Struct, frozen=True, gc=False):
    """A pair of limits in the PV's units; NaN where the record sets none."""

    low: float
    high: float


class Metadata(msgspec.Struct, frozen=True, gc=False):
    """What DBR_CTRL tells about a PV, and its native type and element count."""

    type: DbrType
    count: int
    units: str = ""
    precision: int | None = None
    enum_strs: tuple[str, ...] = ()
    display: Limits | None = None
    control: Limits | None = None
    warning: Limits | None = None
    alarm: Limits | None = None

    def same_as(self, other: "Metadata | None") -> bool:
        """Whether nothing differs; NaN limits are alike, which == would deny."""
        return repr(self) == repr(other)


class Access(msgspec.Struct, frozen=True, gc=False):
    """The access rights that the IOC grants to this server."""

    read: bool
    write: bool


@cache
def access_of(read: bool, write: bool) -> Access:
    """One object for all channels with these rights."""
    return Access(read, write)


class PVValue(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One reading: data, its number of elements, the IOC's time stamp (UNIX seconds, nanos < 1e9) and its alarm."""

    data: Data
    count: int
    seconds: int
    nanos: int
    severity: int
    status: int

    @property
    def timestamp(self) -> float:
        """The IOC's time stamp in UNIX seconds: the double that is nearest, a quarter of a microsecond at most away."""
        return (self.seconds * 1_000_000_000 + self.nanos) / 1_000_000_000


def decode_text(raw: bytes) -> str:
    """EPICS bytes as text up to the first NUL: UTF-8, or else latin-1, in which every byte means something."""
    raw = raw.split(b"\0", 1)[0]
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
