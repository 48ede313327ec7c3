"""Command: what a peer of Evok asks for, checked; and what a `set` means for the fields of a device."""

from collections.abc import Callable
from math import isfinite
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from pycaserver.core.errors import PycaError
from pycaserver.core.requests import check_text
from pycaserver.dialects.evok.device import Device, Kind

Scalar: TypeAlias = float | int | str
Arguments: TypeAlias = dict[str, Any]

MOST_SECONDS: Final = 86400.0


class All(Struct, tag_field="cmd", tag="all"):
    """Every device's object."""


class Filter(Struct, tag_field="cmd", tag="filter"):
    """Events of these devices only."""

    devices: Annotated[list[str], Meta(max_length=1000)]


class Full(Struct, tag_field="cmd", tag="full"):
    """One device's object."""

    dev: str
    circuit: str | int


class Get(Full, tag="get"):
    """The same."""


class Simple(Full, tag="simple"):
    """The same."""


class Set(Full, tag="set"):
    """Set a device: `value`, or the further keys, which arguments_of finds."""


Command: TypeAlias = All | Filter | Full | Get | Simple | Set
_COMMANDS: Final = frozenset({"all", "filter", "full", "get", "simple", "set"})
_ADDRESS: Final = frozenset({"cmd", "dev", "circuit", "value"})

TARGETS: Final[dict[Kind, str]] = {
    "ro": "value", "do": "value", "ao": "value", "led": "value", "wd": "value", "register": "value",
    "di": "debounce", "ai": "mode", "temp": "interval",
}  # fmt: skip
"""The field that a plain value is for."""
_NUMBERS: Final = frozenset(
    {"debounce", "counter", "pwm_freq", "pwm_duty", "timeout", "was_wd_reset", "nv_save", "interval"}
)


def decode(data: bytes) -> tuple[Command, dict[str, Any]]:
    """One command, and all of its keys; PycaError(bad_json, bad_request, unknown_action)."""
    check_text(data)
    try:
        message = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PycaError("bad_json", f"{error}.") from None
    try:
        return msgspec.convert(message, Command), message
    except msgspec.ValidationError as error:
        cmd = message.get("cmd") if isinstance(message, dict) else None
        known = not isinstance(cmd, str) or cmd in _COMMANDS
        raise PycaError("bad_request" if known else "unknown_action", f"{error}.") from None


def arguments_of(message: dict[str, Any], device: Device) -> Arguments:
    """The fields that a set is about with their values, none of them null; PycaError(bad_request)."""
    value = message.get("value")
    arguments = {key: each for key, each in message.items() if key not in _ADDRESS}
    if value is not None:
        arguments |= value if isinstance(value, dict) else {TARGETS[device.dev]: value}
    given = {key: each for key, each in arguments.items() if each is not None}
    if not given:
        raise PycaError("bad_request", "A set without anything to set.")
    return given


def timeout_of(arguments: Arguments, device: Device) -> float | None:
    """Taken out of the arguments of a do: the seconds after which its value is undone; PycaError(bad_request)."""
    if device.dev != "do" or "timeout" not in arguments:
        return None
    seconds = _number(arguments.pop("timeout"))
    if "value" not in arguments or not 0 < seconds <= MOST_SECONDS:
        raise PycaError("bad_request", f"A timeout needs a value, and is above 0 and up to {MOST_SECONDS:.0f} seconds.")
    return seconds


def scalar(device: Device, field: str, given: Any) -> Scalar:
    """What to write into the field; PycaError(bad_request)."""
    if field == "value":
        return _VALUES[device.dev](given)
    if field in _NUMBERS or isinstance(given, bool):
        return _number(given)
    if not isinstance(given, int | float | str):
        raise PycaError("bad_request", f"{field} takes a number or a string.")
    return given


def _number(given: Any) -> float:
    """Evok takes numbers as strings too."""
    try:
        number = float(given) if isinstance(given, int | float | str) else float("nan")
    except (ValueError, OverflowError):
        number = float("nan")
    if not isfinite(number):
        raise PycaError("bad_request", "A number is needed.")
    return number


def _integer(given: Any) -> int:
    number = _number(given)
    if number != int(number):
        raise PycaError("bad_request", "An integer is needed.")
    return int(number)


def _bit(given: Any) -> int:
    return int(_number(given) != 0)


_VALUES: Final[dict[Kind, Callable[[Any], Scalar]]] = {
    "ro": _bit, "do": _bit, "di": _bit, "led": _bit, "wd": _bit,
    "ai": _number, "ao": _number, "temp": _number, "register": _integer,
}  # fmt: skip
