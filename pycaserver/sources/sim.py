"""SimSource: sim:// PVs, functions of time for pages that are developed without an IOC. Read-only."""

from typing import Final, NamedTuple

from pycaserver.core.channel import Channel
from pycaserver.core.clock import Clock
from pycaserver.core.elements import Scalar, data_of, elements_of
from pycaserver.core.errors import PycaError
from pycaserver.core.values import DbrType, Metadata
from pycaserver.sources.functions import FUNCTIONS, Function
from pycaserver.sources.notation import Argument, Spelling, refused, spelling_of
from pycaserver.sources.signal import Signal, SignalChannel

MOST_COST: Final = 1_500_000
"""Of all open simulated PVs together, per second: an element costs 1, an update 100 more."""
UPDATE_COST: Final = 100
CONST: Final = "const"
CONST_SECONDS: Final = 3600.0
"""A constant is posted again after so long, for it has no other life."""


class Bounds(NamedTuple):
    """What an argument may be."""

    least: float
    most: float
    whole: bool = False


PARAMETERS: Final = {
    "min": Bounds(-1e12, 1e12),
    "max": Bounds(-1e12, 1e12),
    "center": Bounds(-1e12, 1e12),
    "std_dev": Bounds(1e-9, 1e12),
    "update_seconds": Bounds(0.01, 3600),
    "period_seconds": Bounds(0.01, 1e9),
    "steps": Bounds(2, 1_000_000, whole=True),
    "step": Bounds(1e-9, 1e12),
    "wavelength": Bounds(1e-9, 1e9),
    "elements": Bounds(2, 10_000, whole=True),
}
"""The arguments of all functions by name."""


class SimSource:
    """All simulated PVs; bounded in what they cost together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cost = 0.0

    def open(self, name: str, channel: Channel) -> SignalChannel:
        """The PV of that function and arguments; PycaError(invalid_pv_name, too_many_subscriptions)."""
        signal = signal_of(name)
        cost = (UPDATE_COST + signal.metadata.count) / signal.update
        if self._cost + cost > MOST_COST:
            raise PycaError("too_many_subscriptions", "The simulated PVs that are open cost all that they may.")
        self._cost += cost
        return SignalChannel(channel, signal, self._clock, "sim", lambda: self._release(cost))

    def _release(self, cost: float) -> None:
        self._cost -= cost


def signal_of(name: str) -> Signal:
    """What follows sim://, as a signal; PycaError(invalid_pv_name)."""
    spelling = spelling_of(name)
    if spelling.type:
        raise refused("Only loc:// PVs have a type in <>.")
    if spelling.name == CONST:
        return _constant(spelling.arguments or ())
    if spelling.name not in FUNCTIONS:
        raise refused(f"There is no sim://{spelling.name}; there are {', '.join((*FUNCTIONS, CONST))}.")
    return _computed(spelling, FUNCTIONS[spelling.name])


def _computed(spelling: Spelling, function: Function) -> Signal:
    arguments = spelling.arguments or ()
    parameters = dict(function.defaults)
    if arguments:
        form = next((form for form in function.forms if len(form) == len(arguments)), None)
        if form is None:
            forms = " or ".join(f"({', '.join(form)})" for form in function.forms)
            raise refused(f"sim://{spelling.name} takes no arguments, or {forms}.")
        parameters = {key: _checked(key, given) for key, given in zip(form, arguments, strict=True)}
    if "min" in parameters and not parameters["min"] < parameters["max"]:
        raise refused("max must be greater than min.")
    return function.make(**parameters)


def _checked(key: str, given: Argument) -> float:
    bounds = PARAMETERS[key]
    if isinstance(given, str) or not bounds.least <= given <= bounds.most:
        raise refused(f"{key} must be a number from {bounds.least:g} to {bounds.most:g}, not {given}.")
    if bounds.whole and given != int(given):
        raise refused(f"{key} must be a whole number, not {given}.")
    return int(given) if bounds.whole else float(given)


def _constant(arguments: tuple[Argument, ...]) -> Signal:
    """Integers stay exact; several arguments make an array."""
    types = set(map(type, arguments))
    kind = DbrType.STRING if types == {str} else DbrType.INT64 if types == {int} else DbrType.DOUBLE
    metadata = Metadata(kind, len(arguments))
    given: list[Scalar] = list(arguments)
    if not given or (str in types and kind is not DbrType.STRING):
        raise refused("sim://const takes one or more numbers, or one or more texts.")
    try:
        data = data_of(elements_of(given, metadata), metadata)
    except PycaError as error:
        raise refused(error.message) from None
    return Signal(metadata, CONST_SECONDS, lambda _: data)
