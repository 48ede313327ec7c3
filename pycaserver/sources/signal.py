"""Signals: read-only PVs that the server computes itself; the channel that posts one at its own pace.

A signal's value depends on nothing but the number of its update since 1970, so that whoever opens it, and however
often, sees the same.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from pycaserver.core.channel import Channel
from pycaserver.core.clock import Clock, Timer
from pycaserver.core.errors import PycaError
from pycaserver.core.source import PutEvents
from pycaserver.core.values import Access, AlarmSeverity, AlarmStatus, Array, Data, Metadata, PVValue

READ_ONLY: Final = Access(read=True, write=False)
LEAST_DELAY: Final = 0.001
"""Seconds: a timer that comes a little early must not spin."""
MICROS: Final = 1_000_000
"""A UNIX time in a double is not finer."""


class Signal(NamedTuple):
    """What a computed PV is."""

    metadata: Metadata
    update: float
    """Seconds between two values."""
    at: Callable[[int], Data]
    """The data of that update."""


class SignalChannel:
    """Posts the values of one signal, from the first monitor until it is closed."""

    __slots__ = ("_channel", "_clock", "_closed", "_connected", "_last", "_monitored", "_signal", "_timer")

    def __init__(self, channel: Channel, signal: Signal, clock: Clock, host: str, closed: Callable[[], object]) -> None:
        """host: what `info` calls the place where it comes from; closed: called once, at the end."""
        self._channel = channel
        self._signal = signal
        self._clock = clock
        self._closed = closed
        self._connected = self._monitored = False
        self._last: int | None = None
        self._timer: Timer | None = clock.call_later(0, self._connect, host)

    def monitor(self) -> None:
        """Begin to post."""
        if self._connected and not self._monitored:
            self._timer = self._clock.call_later(0, self._tick)
        self._monitored = True

    def get(self, done: Callable[[PVValue | PycaError], None]) -> Callable[[], None]:
        """The value now."""
        done(self._value(self._number()))
        return lambda: None

    def put(self, elements: Array, events: PutEvents, *, wait: bool) -> Callable[[], bool]:
        """Refused: what is computed cannot be written."""
        events.done(None, PycaError("no_write_access"))
        return lambda: False

    def close(self) -> None:
        """Post no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._closed()

    # -- inside

    def _connect(self, host: str) -> None:
        self._connected, self._timer = True, None
        metadata = self._signal.metadata
        self._channel.connected(metadata.type, metadata.count, host, READ_ONLY)
        self._channel.metadata_changed(metadata)
        if self._monitored:
            self._tick()

    def _tick(self) -> None:
        """Post, unless the timer was early; and come again when the next update is due on the wall."""
        number = self._number()
        if number != self._last:
            self._last = number
            self._channel.publish(self._value(number))
        due = (number + 1) * self._signal.update
        self._timer = self._clock.call_later(max(LEAST_DELAY, due - self._clock.wall()), self._tick)

    def _number(self) -> int:
        return int(self._clock.wall() / self._signal.update)

    def _value(self, number: int) -> PVValue:
        metadata = self._signal.metadata
        data = self._signal.at(number)
        seconds, micros = divmod(round(number * self._signal.update * MICROS), MICROS)
        return PVValue(data, metadata.count, seconds, micros * 1000, *alarm_of(data, metadata))


def alarm_of(data: Data, metadata: Metadata) -> tuple[AlarmSeverity, AlarmStatus]:
    """Severity and status of a number, as a record with these limits has them."""
    if isinstance(data, float | int):
        for limits, severity, below, above in (
            (metadata.alarm, AlarmSeverity.MAJOR, AlarmStatus.LOLO, AlarmStatus.HIHI),
            (metadata.warning, AlarmSeverity.MINOR, AlarmStatus.LOW, AlarmStatus.HIGH),
        ):
            if limits is not None and data >= limits.high:
                return severity, above
            if limits is not None and data <= limits.low:
                return severity, below
    return AlarmSeverity.NO_ALARM, AlarmStatus.NO_ALARM
