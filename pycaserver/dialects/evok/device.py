"""Device: one [[evok.device]] of the settings; what each kind of device has, and how the two profiles call it."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct
from msgspec.structs import asdict

from pycaserver.core.errors import PycaError
from pycaserver.core.names import check_pv_name

Kind: TypeAlias = Literal["ro", "do", "di", "ai", "ao", "temp", "led", "wd", "register"]
Profile: TypeAlias = Literal["v3", "v2"]


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """A field that is a PV."""

    pv: str
    write: bool = False
    """Whether peers may set it, as far as the access rules let them."""


class Mode(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of the modes of an ai or ao."""

    value: int | None = None
    unit: str | None = None
    range: tuple[float, float] | None = None


Number: TypeAlias = Point | float | None
Whole: TypeAlias = Point | int | None
Text: TypeAlias = Point | str | None


class Device(Struct, frozen=True, forbid_unknown_fields=True):
    """A device made of PVs and constants."""

    dev: Annotated[Kind, Meta(description="what it is, in Evok's words")]
    circuit: Annotated[str, Meta(min_length=1, description="which of its kind, such as `1_01`")]
    value: Annotated[Point | float, Meta(description="0 or 1; a number for ai, ao and temp, an integer for register")]
    alias: Annotated[str, Meta(description="another name that requests may use in the place of the circuit")] = ""
    unit: Annotated[Text, Meta(description="ai, ao; left out: the units of the value's PV")] = None
    range: Annotated[Point | tuple[float, float] | None, Meta(description="ai, ao; left out: its display limits")] = (
        None
    )
    mode: Annotated[Text, Meta(description="do, di, ai, ao; left out: `Simple`")] = None
    modes: Annotated[
        list[str] | dict[str, Mode] | None,
        Meta(description="a list for do and di, a table for ai and ao; left out: the states of the mode's PV"),
    ] = None
    debounce: Annotated[Number, Meta(description="di; left out: 0")] = None
    counter: Annotated[Whole, Meta(description="di; left out: 0")] = None
    counter_mode: Annotated[Text, Meta(description="di; left out: `Disabled`")] = None
    counter_modes: Annotated[list[str] | None, Meta(description="di; left out: `Disabled` alone")] = None
    pwm_freq: Annotated[Number, Meta(description="do")] = None
    pwm_duty: Annotated[Number, Meta(description="do")] = None
    glob_dev_id: Annotated[Whole, Meta(description="any; left out: 1 in the profile v2, absent in v3")] = None
    timeout: Annotated[Number, Meta(description="wd")] = None
    was_wd_reset: Annotated[Whole, Meta(description="wd")] = None
    nv_save: Annotated[Whole, Meta(description="wd")] = None
    address: Annotated[Text, Meta(description="temp; left out: the circuit")] = None
    interval: Annotated[Number, Meta(description="temp")] = None
    type: Annotated[Text, Meta(description="temp")] = None

    @property
    def points(self) -> dict[str, Point]:
        """The fields that are PVs."""
        return {name: field for name, field in asdict(self).items() if isinstance(field, Point)}


FIELDS: Final[dict[Kind, tuple[str, ...]]] = {
    "ro": ("value", "glob_dev_id"),
    "do": ("value", "pending", "mode", "modes", "glob_dev_id", "pwm_freq", "pwm_duty"),
    "di": ("value", "debounce", "counter_modes", "counter_mode", "counter", "mode", "modes", "glob_dev_id"),
    "ai": ("value", "unit", "glob_dev_id", "mode", "modes", "range"),
    "ao": ("mode", "modes", "glob_dev_id", "value", "unit", "range"),
    "temp": ("address", "value", "lost", "time", "interval", "type", "glob_dev_id"),
    "led": ("value", "glob_dev_id"),
    "wd": ("value", "timeout", "was_wd_reset", "nv_save", "glob_dev_id"),
    "register": ("value", "glob_dev_id"),
}
"""What the objects of each kind have, in Evok's order; the kinds are in the order of `all`."""

SPOKEN: Final[dict[Profile, dict[Kind, dict[str, str]]]] = {
    "v3": {},
    "v2": {
        "ro": {"dev": "relay", "relay_type": "physical"},
        "do": {"dev": "relay", "relay_type": "digital"},
        "di": {"dev": "input"},
    },
}
"""How objects begin, where not with their kind as it is."""

_OTHER_NAMES: Final[dict[str, Kind]] = {
    "digitalinput": "di", "input": "di", "digitaloutput": "do", "output": "do", "relay": "ro",
    "analoginput": "ai", "analogoutput": "ao", "watchdog": "wd", "sensor": "temp",
}  # fmt: skip
NAMES: Final[dict[Profile, dict[str, tuple[Kind, ...]]]] = {
    "v3": {kind: (kind,) for kind in FIELDS} | {name: (kind,) for name, kind in _OTHER_NAMES.items()},
    "v2": {kind: (kind,) for kind in FIELDS} | {name: (kind,) for name, kind in _OTHER_NAMES.items()}
    | {"relay": ("ro", "do")},
}  # fmt: skip
"""The kinds that a request means by a name."""

_TABLES_OF_MODES: Final = ("ai", "ao")


def problems_of(devices: Sequence[Device], profile: Profile) -> Iterator[tuple[int, str]]:
    """What makes no sense: the number of the device, from 1, and a sentence."""
    taken: dict[tuple[str, str], int] = {}
    for number, device in enumerate(devices, 1):
        yield from ((number, problem) for problem in _of_fields(device))
        dev = SPOKEN[profile].get(device.dev, {}).get("dev", device.dev)
        for circuit in {device.circuit, device.alias or device.circuit}:
            first = taken.setdefault((dev, circuit), number)
            if first != number:
                yield number, f"{dev} {circuit} is evok.device {first} already"


def _of_fields(device: Device) -> Iterator[str]:
    given = {name for name, field in asdict(device).items() if field is not None}
    for name in sorted(given - {"dev", "circuit", "alias", *FIELDS[device.dev]}):
        yield f"{name}: a {device.dev} has no such field"
    for name, point in device.points.items():
        try:
            check_pv_name(point.pv)
        except PycaError:
            yield f"{name}: {point.pv!r} cannot be the name of a PV"
    if device.modes is not None and isinstance(device.modes, dict) != (device.dev in _TABLES_OF_MODES):
        yield f"modes: those of a {device.dev} are a {'table' if device.dev in _TABLES_OF_MODES else 'list of strings'}"
