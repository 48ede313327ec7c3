"""LocalSource: loc:// PVs, variables of this server that all sessions share. A PV lives as long as it is open.

The first name that tells a type or an initial value decides about both, unless a put came before it: until then a
bare name is a number, 0.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from pycaserver.core.channel import Channel
from pycaserver.core.clock import Clock, Timer
from pycaserver.core.elements import DTYPES, Scalar, data_of, elements_of
from pycaserver.core.errors import PycaError
from pycaserver.core.source import PutEvents
from pycaserver.core.values import Access, Array, Data, DbrType, Metadata, PVValue
from pycaserver.sources.notation import Argument, Spelling, refused, spelling_of

MOST: Final = 1000
"""PVs that may be open at once."""
ELEMENTS: Final = 4096
"""Of an array of numbers, at most."""
STRINGS: Final = 256
"""Of an array of strings, at most."""
MOST_STATES: Final = 16
"""As records have."""
READ_WRITE: Final = Access(read=True, write=True)


class Kind(NamedTuple):
    """A type that a PV may be given: what it is in EPICS, its most elements, the names of its states if it has them."""

    type: DbrType
    most: int = 1
    states: tuple[str, ...] = ()


KINDS: Final = {
    "VDouble": Kind(DbrType.DOUBLE),
    "VInt": Kind(DbrType.LONG),
    "VLong": Kind(DbrType.INT64),
    "VBoolean": Kind(DbrType.ENUM, states=("false", "true")),
    "VString": Kind(DbrType.STRING),
    "VEnum": Kind(DbrType.ENUM),
    "VDoubleArray": Kind(DbrType.DOUBLE, ELEMENTS),
    "VLongArray": Kind(DbrType.INT64, ELEMENTS),
    "VStringArray": Kind(DbrType.STRING, STRINGS),
}
"""The types by the name that stands in <>."""


class Variable:
    """What all channels of one local PV share."""

    def __init__(self, metadata: Metadata, value: PVValue) -> None:
        self.metadata = metadata
        self.value = value
        self.settled = False
        """Whether a name or a put has decided what it is."""
        self.channels: dict[LocalChannel, None] = {}

    def define(self, metadata: Metadata, value: PVValue) -> None:
        """A name tells what it is. PycaError(invalid_pv_name) if it is something else already."""
        if not self.settled:
            another, self.metadata = metadata != self.metadata, metadata
            for channel in self.channels if another else ():
                channel.connect_anew()
            self.write(value)
        elif metadata != self.metadata:
            raise refused(f"This PV is open as another one, of type {self.metadata.type.name}.")

    def write(self, value: PVValue) -> PVValue:
        """A new value, told to all; the one before."""
        old, self.value, self.settled = self.value, value, True
        for channel in self.channels:
            channel.post()
        return old


class LocalChannel:
    """One channel of a local PV; names that differ in type or initial value have channels of their own."""

    __slots__ = ("_channel", "_connected", "_left", "_monitored", "_source", "_timer", "_variable")

    def __init__(self, source: "LocalSource", variable: Variable, channel: Channel, left: Callable[[], None]) -> None:
        """left: called when the last channel of the PV is closed."""
        self._channel = channel
        self._source = source
        self._variable = variable
        self._left = left
        self._connected = self._monitored = False
        self._timer: Timer | None = source.clock.call_later(0, self._connect)
        variable.channels[self] = None

    def monitor(self) -> None:
        """Begin to post."""
        if not self._monitored:
            self._monitored = True
            if self._connected:
                self._timer = self._source.clock.call_later(0, self.post)

    def get(self, done: Callable[[PVValue | PycaError], None]) -> Callable[[], None]:
        """The value now."""
        done(self._variable.value)
        return lambda: None

    def put(self, elements: Array, events: PutEvents, *, wait: bool) -> Callable[[], bool]:
        """Write it, at once."""
        old = self._variable.write(self._source.stamped(data_of(elements, self._variable.metadata)))
        events.sent()
        events.done(old, None)
        return lambda: False

    def close(self) -> None:
        """Leave the PV, which ends with its last channel."""
        if self._timer is not None:
            self._timer.cancel()
        del self._variable.channels[self]
        if not self._variable.channels:
            self._left()

    def connect_anew(self) -> None:
        """The PV is of another type now."""
        if self._connected:
            self._channel.disconnected()
            self._introduce()

    def post(self) -> None:
        """Tell the value."""
        if self._connected and self._monitored:
            self._channel.publish(self._variable.value)

    # -- inside

    def _connect(self) -> None:
        self._connected = True
        self._introduce()
        self.post()

    def _introduce(self) -> None:
        metadata = self._variable.metadata
        self._channel.connected(metadata.type, metadata.count, "loc", READ_WRITE)
        self._channel.metadata_changed(metadata)


class LocalSource:
    """All local PVs by name."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._variables: dict[str, Variable] = {}

    def open(self, name: str, channel: Channel) -> "LocalChannel":
        """The PV of that name, made if need be; PycaError(invalid_pv_name, too_many_subscriptions)."""
        spelling = spelling_of(name)
        metadata, data = definition_of(spelling)
        value = self.stamped(data)
        variable = self._variables.get(spelling.name)
        if variable is None:
            if len(self._variables) >= MOST:
                raise PycaError("too_many_subscriptions", f"{MOST} local PVs are open, and there may not be more.")
            variable = self._variables[spelling.name] = Variable(metadata, value)
        if spelling.type or spelling.arguments:
            variable.define(metadata, value)
        return LocalChannel(self, variable, channel, lambda: self._left(spelling.name))

    def stamped(self, data: Data) -> PVValue:
        """The data as a value of now."""
        seconds, micros = divmod(round(self.clock.wall() * 1_000_000), 1_000_000)
        count = len(data) if isinstance(data, np.ndarray | list) else 1
        return PVValue(data, count, seconds, micros * 1000, 0, 0)

    def _left(self, name: str) -> None:
        """The last channel of the PV is closed."""
        del self._variables[name]


def definition_of(spelling: Spelling) -> tuple[Metadata, Data]:
    """What the PV is and what it begins with; PycaError(invalid_pv_name)."""
    arguments = spelling.arguments or ()
    kind = KINDS.get(spelling.type or _type_of(arguments))
    if kind is None:
        raise refused(f"There is no type {spelling.type}; there are {', '.join(KINDS)}.")
    if spelling.type == "VEnum":
        kind, arguments = _enumeration(arguments)
    metadata = Metadata(kind.type, kind.most, enum_strs=kind.states)
    return metadata, _initial(metadata, arguments)


def _type_of(arguments: tuple[Argument, ...]) -> str:
    """That of a name without a type: as many numbers, or texts, as there are."""
    texts = {isinstance(argument, str) for argument in arguments}
    if len(texts) > 1:
        raise refused("The initial value must be numbers or texts, not both.")
    return ("VString" if True in texts else "VDouble") + ("Array" if len(arguments) > 1 else "")


def _enumeration(arguments: tuple[Argument, ...]) -> tuple[Kind, tuple[Argument, ...]]:
    """The states, and the index of the first one, which may stand before them."""
    states = tuple(argument for argument in arguments if isinstance(argument, str))
    initial = arguments[: len(arguments) - len(states)]
    if not 0 < len(states) <= MOST_STATES or arguments[len(initial) :] != states or len(initial) > 1:
        raise refused(f"A VEnum has 1 to {MOST_STATES} states, texts, and perhaps an index before them.")
    return KINDS["VEnum"]._replace(states=states), initial


def _initial(metadata: Metadata, arguments: tuple[Argument, ...]) -> Data:
    if not arguments and metadata.count > 1:
        return [] if metadata.type is DbrType.STRING else np.empty(0, DTYPES[metadata.type])
    given: list[Scalar] = list(arguments) or ["" if metadata.type is DbrType.STRING else 0]
    try:
        return data_of(elements_of(given, metadata), metadata)
    except PycaError as error:
        raise refused(error.message) from None
