"""StatSource: stat:// PVs, the server's own figures, read anew once a second."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from math import nan
from typing import Final, NamedTuple

from pycaserver.core.channel import Channel
from pycaserver.core.clock import Clock
from pycaserver.core.contact import State
from pycaserver.core.figures import Figures
from pycaserver.core.values import DbrType, Limits, Metadata
from pycaserver.sources.notation import refused
from pycaserver.sources.signal import Signal, SignalChannel

UPDATE_SECONDS: Final = 1.0

States = Callable[[], Counter[str]]
"""How many channels are in each state."""


class Reading(NamedTuple):
    """What is known of the server when a figure is read."""

    figures: Figures
    states: Counter[str]
    uptime: float


class Figure(NamedTuple):
    """One figure: its units, how it is read, and the value from which on it is in alarm, MINOR and MAJOR."""

    units: str
    read: Callable[[Reading], float | int]
    warning: float | None = None
    alarm: float | None = None


def _counted(name: str, units: str = "", **alarm: float) -> Figure:
    """A field of Figures."""
    return Figure(units, lambda reading: getattr(reading.figures, name), **alarm)


def _in_state(state: str, reading: Reading) -> int:
    return reading.states[state]


FIGURES: Final[dict[str, Figure]] = {
    "uptime": Figure("s", lambda reading: reading.uptime),
    "sessions": _counted("sessions"),
    "sessions_opened": _counted("sessions_opened"),
    "connections": _counted("connections"),
    "connections_dropped": _counted("connections_dropped"),
    "channels": Figure("", lambda reading: reading.states.total()),
    **{f"channels_{state.value}": Figure("", partial(_in_state, state.value)) for state in State},
    "requests": _counted("requests"),
    "puts": _counted("puts"),
    "puts_turned_away": _counted("puts_turned_away"),
    "losses": _counted("losses"),
    "monitors_renewed": _counted("monitors_renewed"),
    "updates_in": _counted("updates_in"),
    "updates_out": _counted("updates_out"),
    "updates_merged": _counted("updates_merged"),
    "updates_merged_in": _counted("updates_merged_in"),
    "bytes_out": _counted("bytes_out", "B"),
    "loop_lag": _counted("loop_lag", "s", warning=0.1, alarm=1.0),
    "loop_lag_max": _counted("loop_lag_max", "s"),
    "loop_stalls": _counted("loop_stalls"),
    "loop_work_max": _counted("loop_work_max", "s"),
    "errors": Figure("", lambda reading: reading.figures.errors.total()),
    "closes": Figure("", lambda reading: reading.figures.closes.total()),
    "history_bytes": _counted("history_bytes", "B"),
    "history_failures": _counted("history_failures", alarm=1),
    "audit_failures": _counted("audit_failures", alarm=1),
    "log_lines_lost": _counted("log_lines_lost", alarm=1),
    "faults": _counted("faults", alarm=1),
}
"""All stat:// PVs."""


class StatSource:
    """All of them."""

    def __init__(self, clock: Clock, figures: Figures, states: States) -> None:
        self._clock = clock
        self._figures = figures
        self._states = states
        self._began = clock.monotonic()

    def open(self, name: str, channel: Channel) -> SignalChannel:
        """The figure of that name; PycaError(invalid_pv_name)."""
        if name not in FIGURES:
            raise refused(f"There is no stat://{name}; there are {', '.join(FIGURES)}.")
        figure = FIGURES[name]
        signal = Signal(_described(figure), UPDATE_SECONDS, lambda _: figure.read(self._reading()))
        return SignalChannel(channel, signal, self._clock, "stat", lambda: None)

    def _reading(self) -> Reading:
        return Reading(self._figures, self._states(), self._clock.monotonic() - self._began)


def _described(figure: Figure) -> Metadata:
    """Times are floating-point numbers; what is counted is exact."""
    seconds = figure.units == "s"
    return Metadata(
        DbrType.DOUBLE if seconds else DbrType.INT64,
        1,
        figure.units,
        3 if seconds else None,
        warning=_from(figure.warning),
        alarm=_from(figure.alarm),
    )


def _from(high: float | None) -> Limits | None:
    return None if high is None else Limits(nan, high)
