"""Commands and messages as [[socketio.command]] and [[socketio.message]] describe them; nothing here touches a PV."""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from pycaserver.core.channel import Channel
from pycaserver.core.errors import PycaError
from pycaserver.core.names import check_pv_name
from pycaserver.core.requests import REQUESTS
from pycaserver.core.values import DbrType, PVValue

Operand: TypeAlias = int | float | str
JsonType: TypeAlias = Literal["string", "number", "integer", "boolean", "array", "object"]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=3600)]

_RENAMED: Final = {"connect": "connect_pv", "disconnect": "disconnect_pv"}
"""Socket.IO keeps these names for itself."""
ACTIONS: Final = {_RENAMED.get(tag, tag): tag for tag in (str(r.__struct_config__.tag) for r in REQUESTS)}
"""The event of each native request."""
RESERVED: Final = frozenset({"connect", "disconnect", "connect_error"})
"""No event can have these names."""
DEFAULT_TIMEOUT: Final = 10.0
"""Seconds for a step that names no time-out."""
_NUMBER: Final = (int, float)
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,), "number": _NUMBER, "integer": (int,), "boolean": (bool,), "array": (list,), "object": (dict,),
}  # fmt: skip
_TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "equals": operator.eq, "differs": operator.ne, "at_least": operator.ge, "at_most": operator.le,
}  # fmt: skip
_SIGNS: Final = {"equals": "", "differs": "other than ", "at_least": "at least ", "at_most": "at most "}


class Comparison(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a PV's value has to be: exactly one of these; a string is compared with the state of an enum."""

    equals: Operand | None = None
    differs: Operand | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def given(self) -> dict[str, Operand]:
        """Those that are asked for."""
        return {name: operand for name in _TESTS if (operand := getattr(self, name)) is not None}

    def holds(self, channel: Channel, value: PVValue | None) -> bool:
        """Whether the value is such; never for an array or another type."""
        ((name, operand),) = self.given.items()
        reading = _reading(channel, value, text=isinstance(operand, str))
        comparable = isinstance(reading, str) if isinstance(operand, str) else isinstance(reading, _NUMBER)
        return comparable and _TESTS[name](reading, operand)

    def __str__(self) -> str:
        """In words: "at least 3"."""
        return " and ".join(f"{_SIGNS[name]}{operand}" for name, operand in self.given.items())


class Require(Comparison, frozen=True):
    """What has to be so before a command does anything."""

    pv: str
    otherwise: str = ""
    """The warning if it is not so."""


class Step(Comparison, frozen=True):
    """`put` a PV from a constant or the payload, or `wait` until a PV is as asked for."""

    put: str = ""
    wait: str = ""
    value: bool | int | float | str | list[int | float | str] | None = None
    from_: str = field(default="", name="from")
    """Path into the payload, such as recipe[*][0]."""
    timeout: Seconds = DEFAULT_TIMEOUT

    @property
    def pv(self) -> str:
        """The one that it is about."""
        return self.put or self.wait


class Command(Struct, frozen=True, forbid_unknown_fields=True):
    """An event from the client that is answered by `<name>_ack`."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z]\w{0,63}$", description="the event that asks for it")]
    require: Annotated[
        Require | None, Meta(description="what a PV has to be first: `pv`, a comparison, and the warning `otherwise`")
    ] = None
    schema: Annotated[dict[str, JsonType], Meta(description="keys that the payload must have, with their types")] = (
        field(default_factory=dict)
    )
    steps: Annotated[
        tuple[Step, ...], Meta(description="in order: `put` with `value` or `from`, or `wait` with a comparison")
    ] = ()
    warning: Annotated[str, Meta(description="answered as a warning when all steps are done")] = ""
    error: Annotated[str, Meta(description="answered when a step fails, in place of what went wrong")] = ""

    @property
    def takes_payload(self) -> bool:
        """Whether anything in it matters."""
        return bool(self.schema) or any(step.from_ for step in self.steps)


class MessageRule(Struct, frozen=True, forbid_unknown_fields=True):
    """An event to all clients, by the state of PVs."""

    event: Annotated[str, Meta(pattern=r"^[A-Za-z]\w{0,63}$", description="its name")]
    pvs: Annotated[dict[str, str], Meta(description="keys of the payload, and the PVs whose values they have")]
    on: Annotated[
        Literal["change", "alarm"] | Annotated[float, Meta(ge=0.05, le=86400)],
        Meta(description='"change" of a value, "alarm" for another severity, or a period in seconds'),
    ] = "change"
    payload: Annotated[
        dict[str, Any], Meta(description='the payload\'s shape, with "{key}" where a value goes; else keys and values')
    ] = field(default_factory=dict)


# -- what is sent along


def payload_of(command: Command, given: Any) -> Any:
    """The payload, which may come as a JSON string; PycaError(bad_request) if it is not of the command's schema."""
    if not command.takes_payload:
        return None
    payload = _parsed(given)
    if not isinstance(payload, dict):
        raise PycaError("bad_request", "The payload must be a JSON object.")
    for key, kind in command.schema.items():
        value = payload.get(key)
        if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            raise PycaError("bad_request", f"The payload needs {key!r} of type {kind}.")
    return payload


def look_up(payload: Any, path: str) -> Any:
    """What lies there in the payload, such as recipe[*][0]: PycaError(bad_request) if nothing does."""
    try:
        return _follow(payload, parts_of(path))
    except (LookupError, TypeError):
        raise PycaError("bad_request", f"The payload has no {path}.") from None


@lru_cache(maxsize=256)
def parts_of(path: str) -> tuple[str | int | None, ...]:
    """Keys, indices, and None for [*]; ValueError if it is no path, or has more than one [*]."""
    if not _PATH.fullmatch(path) or path.count("*") > 1:
        raise ValueError(f"{path!r} is no path such as recipe[*][0]")
    found = (match.groups() for match in _PART.finditer(path))
    return tuple(key or (None if index == "*" else int(index)) for key, index in found)


_PATH: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*|\[(\d{1,6}|\*)\])*", re.ASCII)
_PART: Final = re.compile(r"([A-Za-z_]\w*)|\[(\d+|\*)\]", re.ASCII)


def _follow(value: Any, parts: tuple[str | int | None, ...]) -> Any:
    for place, part in enumerate(parts):
        if part is None:
            return [_follow(each, parts[place + 1 :]) for each in _list(value)]
        value = _list(value)[part] if isinstance(part, int) else value[part]
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _parsed(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return msgspec.json.decode(given)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise PycaError("bad_request", f"The payload is not JSON: {error}.") from None


def filled(template: Any, values: dict[str, Any]) -> Any:
    """The template with values in the place of "{key}"."""
    if isinstance(template, dict):
        return {key: filled(each, values) for key, each in template.items()}
    if isinstance(template, list):
        return [filled(each, values) for each in template]
    return values[template[1:-1]] if _is_place(template) else template


def _is_place(template: Any) -> bool:
    return isinstance(template, str) and template[:1] == "{" and template[-1:] == "}"


def _reading(channel: Channel, value: PVValue | None, *, text: bool) -> Any:
    """The value as it is compared."""
    data, metadata = value.data if value is not None else None, channel.metadata
    if text and isinstance(data, int) and metadata is not None and metadata.type is DbrType.ENUM:
        return metadata.enum_strs[data] if data < len(metadata.enum_strs) else None
    return data


# -- what is wrong with the settings


def problems_of(commands: Sequence[Command], messages: Sequence[MessageRule]) -> Iterator[str]:
    """A sentence for each."""
    names = [command.name for command in commands]
    for number, command in enumerate(commands, 1):
        yield from (f"command {number}: {problem}" for problem in _problems_of_command(command))
        if (first := names.index(command.name) + 1) < number:
            yield f"command {number}: has the name of command {first}"
    for number, message in enumerate(messages, 1):
        yield from (f"message {number}: {problem}" for problem in _problems_of_message(message))


def _problems_of_command(command: Command) -> Iterator[str]:
    if command.name in ACTIONS or command.name in RESERVED:
        yield f"{command.name!r} is an event already"
    for condition in (command.require, *(step for step in command.steps if step.wait)):
        if condition is not None and len(condition.given) != 1:
            yield f"exactly one of {', '.join(_TESTS)} is needed with {condition.pv}"
    yield from _problems_of_names(condition.pv for condition in (command.require, *command.steps) if condition)
    for step in command.steps:
        yield from _problems_of_step(step)


def _problems_of_message(message: MessageRule) -> Iterator[str]:
    if message.event in RESERVED:
        yield f"{message.event!r} is an event already"
    yield from _problems_of_names(message.pvs.values())
    yield from (f"payload: there is no key {place} in pvs" for place in _places(message.payload, message.pvs))


def _problems_of_step(step: Step) -> Iterator[str]:
    if bool(step.put) == bool(step.wait):
        yield "a step has either put or wait"
    elif step.put and (bool(step.from_) == (step.value is not None) or step.given):
        yield f"put {step.put} needs exactly one of value and from, and no comparison"
    elif step.wait and (step.from_ or step.value is not None):
        yield f"wait {step.wait} takes no value"
    if step.from_:
        try:
            parts_of(step.from_)
        except ValueError as error:
            yield f"from: {error}"


def _problems_of_names(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            check_pv_name(name)
        except PycaError:
            yield f"{name!r} cannot be the name of a PV"


def _places(template: Any, known: dict[str, str]) -> Iterator[str]:
    """Those that no key stands for."""
    if isinstance(template, dict | list):
        for each in template.values() if isinstance(template, dict) else template:
            yield from _places(each, known)
    elif _is_place(template) and template[1:-1] not in known:
        yield template
