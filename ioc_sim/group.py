"""The PVs of the simulated IOC."""

from inspect import cleandoc
from typing import Any

from caproto import ChannelString, ChannelType
from caproto.server import PVGroup, SubGroup

from ioc_sim import signals
from ioc_sim.beamline import Beamline
from ioc_sim.motor import Motor
from ioc_sim.properties import VOLTS, alarms, control, display, moving, pv, readback
from ioc_sim.recipe import Furnace


class SimulatedIOC(PVGroup):  # type: ignore[misc]
    """A little of everything that Channel Access can carry.

    Each PV has a field .DESC with the sentence of this table.

    ==================== ==========================================
    PV                   What it is
    ==================== ==========================================
    DOUBLE               A double with units and all limits.
    FLOAT                A single precision number.
    LONG                 A 32-bit integer.
    SHORT                A 16-bit integer.
    CHAR                 An 8-bit number.
    STRING               A string.
    ENUM                 An enum of three states.
    LONG_STRING          A text in an array of characters.
    LATIN1               A string with latin-1 characters.
    ARRAY                An array that clients may write.
    EMPTY                An array without elements.
    NAN                  Not a number.
    INF                  Infinity.
    MINUS_INF            Minus infinity.
    READ_ONLY            A number that no client may write.
    COUNTER:SLOW         Counts once in ten seconds.
    COUNTER              Counts once a second.
    COUNTER:FAST         Counts ten times a second.
    COUNTER:FASTEST      Counts fifty times a second.
    CLOCK                The time of day in UTC, a string.
    ALARM                Walks through all alarm severities.
    STATE                An enum that changes, Fault is MAJOR.
    SINE                 A moving sine of 500 points.
    NOISE                A peak in noise, 1000 points.
    IMAGE                Moving rings, 8-bit grey, row by row.
    IMAGE:WIDTH          Pixels in a row of IMAGE.
    IMAGE:HEIGHT         Rows of IMAGE.
    AO                   An analogue output of 0 to 10 V.
    VALVE                A valve, Closed or Open.
    MOTOR                Where the axis shall go.
    MOTOR:RBV            Where the axis is.
    MOTOR:MOVING         Moving, or Done.
    MOTOR:SPEED          How fast the axis moves.
    T1                   Temperature, follows SETPOINT.
    SETPOINT             Temperature that T1 shall reach.
    RECIPE:RUNNING       1 starts the recipe, 0 stops it.
    RECIPE:ABORT         1 stops the recipe.
    RECIPE:TEMPERATURES  Temperatures of the recipe's steps.
    RECIPE:DURATIONS     Durations of the recipe's steps.
    RECIPE:STEP          The current step, 0 when idle.
    CURRENT              Current of the ring, topped up.
    SHUTTER              The beam's shutter, Closed or Open.
    ENERGY               Photon energy that is wanted.
    ENERGY:RBV           Photon energy as it is.
    FLUX                 Photons per second behind the shutter.
    GAUGE1               Pressure in front of VALVE.
    GAUGE2               Pressure behind VALVE.
    CAMERA               The beam on a screen, 12-bit, by rows.
    CAMERA:WIDTH         Pixels in a row of CAMERA.
    CAMERA:HEIGHT        Rows of CAMERA.
    SPECTRUM             Counts of a detector, 2048 channels.
    SCOPE                Transients, a million points.
    ==================== ==========================================
    """

    double = pv("DOUBLE", 1.5, **VOLTS, **control(-10.0, 10.0), **alarms(-9.0, -8.0, 8.0, 9.0))
    float_ = pv("FLOAT", 0.25, dtype=ChannelType.FLOAT, **VOLTS, **display(-1.0, 1.0))
    long = pv("LONG", 70000, dtype=ChannelType.LONG, units="counts", **display(0, 100000))
    short = pv("SHORT", -300, dtype=ChannelType.INT, units="counts", **display(-1000, 1000))
    char = pv("CHAR", b"A", dtype=bytes, strip_null_terminator=False)
    string = pv("STRING", "Hello", dtype=ChannelType.STRING)
    enum = pv("ENUM", "Medium", dtype=ChannelType.ENUM, enum_strings=["Low", "Medium", "High"])
    long_string = pv("LONG_STRING", signals.LONG_STRING, dtype=str, max_length=1000)
    latin1 = pv("LATIN1", "Grüße, 20 °C", dtype=ChannelType.STRING)
    array = pv("ARRAY", [1.0, 2.0, 3.0, 4.0], dtype=float, max_length=100, **VOLTS, **display(0.0, 10.0))
    empty = pv("EMPTY", [], dtype=float, max_length=10)
    nan = pv("NAN", float("nan"), **VOLTS)
    inf = pv("INF", float("inf"), **VOLTS)
    minus_inf = pv("MINUS_INF", float("-inf"), **VOLTS)
    read_only = readback("READ_ONLY", 42.0, **VOLTS)

    counter_slow = moving("COUNTER:SLOW", 0, 10.0, signals.count)
    counter = moving("COUNTER", 0, 1.0, signals.count)
    counter_fast = moving("COUNTER:FAST", 0, 0.1, signals.count)
    counter_fastest = moving("COUNTER:FASTEST", 0, 0.02, signals.count)
    clock = moving("CLOCK", "", 1.0, signals.clock, dtype=ChannelType.STRING)
    alarm = moving(
        "ALARM", 0.0, 1.0, signals.alarms,
        units="%", precision=1, **display(-100.0, 100.0), **alarms(-80.0, -50.0, 50.0, 80.0),
    )  # fmt: skip
    state = moving("STATE", "Off", 1.0, signals.states, dtype=ChannelType.ENUM, enum_strings=signals.STATE_NAMES)

    sine = moving("SINE", [0.0] * signals.SINE_POINTS, 0.2, signals.sine, dtype=float, **VOLTS, **display(-1.0, 1.0))
    noise = moving("NOISE", [0.0] * signals.NOISE_POINTS, 0.5, signals.noise, dtype=float, **display(-0.5, 1.5))
    image = moving(
        "IMAGE", bytes(signals.IMAGE_WIDTH * signals.IMAGE_HEIGHT), 0.2, signals.image,
        dtype=bytes, strip_null_terminator=False, max_subscription_backlog=10,
    )  # fmt: skip
    image_width = readback("IMAGE:WIDTH", signals.IMAGE_WIDTH, units="px")
    image_height = readback("IMAGE:HEIGHT", signals.IMAGE_HEIGHT, units="px")

    ao = pv("AO", 0.0, **VOLTS, **control(0.0, 10.0))
    valve = pv("VALVE", "Closed", dtype=ChannelType.ENUM, enum_strings=["Closed", "Open"])
    motor = SubGroup(Motor, prefix="MOTOR")
    furnace = SubGroup(Furnace, prefix="")
    beamline = SubGroup(Beamline, prefix="")

    @property
    def channels(self) -> dict[str, Any]:
        """All that the IOC serves by name: the PVs, and the field .DESC of each."""
        fields = {f"{self.prefix}{name}.DESC": ChannelString(value=text) for name, text in DESCRIPTIONS.items()}
        return {**self.pvdb, **fields}


def _descriptions(table: str) -> dict[str, str]:
    """The rows of a docstring's table, from PV name to sentence."""
    rows = cleandoc(table).split("\n====")[2].splitlines()[1:]
    return {name: sentence.strip() for name, _, sentence in (row.strip().partition(" ") for row in rows)}


DESCRIPTIONS = _descriptions(SimulatedIOC.__doc__ or "")
