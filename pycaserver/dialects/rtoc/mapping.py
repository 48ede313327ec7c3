"""The tables of the settings that say which signal, action and plugin stands for which PVs."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address
from typing import Annotated, Protocol, TypeAlias

from msgspec import Meta, Struct

from pycaserver.core.elements import Scalar
from pycaserver.core.errors import PycaError
from pycaserver.core.names import check_pv_name

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]
PutStep: TypeAlias = tuple[str, Scalar | list[Scalar]]
"""A PV, and what is written."""


class RtocSignal(Struct, frozen=True, forbid_unknown_fields=True):
    """A signal that is a PV."""

    dname: Annotated[Name, Meta(description="name of the device, without a dot")]
    sname: Annotated[Name, Meta(description="name of the signal, without a dot")]
    pv: Annotated[str, Meta(description="the PV that it is; each PV is one signal")]
    unit: Annotated[str, Meta(description="left out: the PV's units")] = ""
    write: Annotated[bool, Meta(description="whether `y` writes the PV, as far as the access rules allow")] = False


class RtocAction(Struct, frozen=True, forbid_unknown_fields=True):
    """What a user action, a plugin's function or an automation does."""

    name: Annotated[Name, Meta(description="what peers call it")]
    put: Annotated[tuple[PutStep, ...], Meta(min_length=1, description="pairs of a PV and a value, written in order")]


class RtocPlugin(Struct, frozen=True, forbid_unknown_fields=True):
    """A group of PVs and actions, shown as a plugin."""

    name: Annotated[Name, Meta(description="name of the plugin")]
    parameters: Annotated[tuple[str, ...], Meta(description="PVs to read, and to write by the access rules")] = ()
    functions: Annotated[tuple[str, ...], Meta(description="names of actions")] = ()


class Mapping(Protocol):
    """The settings of this dialect."""

    password: str
    host_whitelist: list[str]
    record_length: int
    local_signals: int
    signal: list[RtocSignal]
    action: list[RtocAction]
    plugin: list[RtocPlugin]


def problems_of(mapping: Mapping) -> Iterator[str]:
    """What is wrong with the tables, a sentence each."""
    yield from (f"rtoc.host_whitelist: {host!r} is no address" for host in mapping.host_whitelist if not _is_host(host))
    for number, signal in enumerate(mapping.signal, 1):
        if "." in signal.dname + signal.sname:
            yield f"rtoc.signal {number}: a dot separates device and signal and cannot be part of their names"
    yield from _repeated("signal", "name", [(signal.dname, signal.sname) for signal in mapping.signal])
    yield from _repeated("signal", "PV", [signal.pv for signal in mapping.signal])
    yield from _repeated("action", "name", [action.name for action in mapping.action])
    yield from _repeated("plugin", "name", [plugin.name for plugin in mapping.plugin])
    known = {action.name for action in mapping.action}
    for number, plugin in enumerate(mapping.plugin, 1):
        unknown = [name for name in plugin.functions if name not in known]
        yield from (f"rtoc.plugin {number}: there is no rtoc.action {name!r}" for name in unknown)
    yield from (f"rtoc: {name!r} cannot be the name of a PV" for name in _pvs(mapping) if not _is_pv_name(name))


def _repeated(table: str, what: str, keys: Sequence[object]) -> Iterator[str]:
    for number, key in enumerate(keys, 1):
        if (first := keys.index(key) + 1) < number:
            yield f"rtoc.{table} {number}: has the same {what} as rtoc.{table} {first}"


def _pvs(mapping: Mapping) -> Iterable[str]:
    yield from (signal.pv for signal in mapping.signal)
    yield from (pv for action in mapping.action for pv, _ in action.put)
    yield from (pv for plugin in mapping.plugin for pv in plugin.parameters)


def _is_host(text: str) -> bool:
    try:
        return text == "localhost" or str(ip_address(text)) == text
    except ValueError:
        return False


def _is_pv_name(name: str) -> bool:
    try:
        check_pv_name(name)
    except PycaError:
        return False
    return True
