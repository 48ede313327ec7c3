"""What a peer may ask to be told: signals, their samples, events, plugins, everything at once."""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from pycaserver.core.contact import State
from pycaserver.core.errors import PycaError
from pycaserver.core.values import Texts
from pycaserver.dialects.rtoc.answer import Answer, taken
from pycaserver.dialects.rtoc.events import RtocEvent
from pycaserver.dialects.rtoc.mapping import RtocPlugin
from pycaserver.dialects.rtoc.signals import Curve, Signal, curve_of, last

if TYPE_CHECKING:
    from pycaserver.dialects.rtoc.session import RtocSession

MOST_SAMPLES: Final = 200_000
"""Samples of one answer, shared equally by its signals; the newest."""

Names: TypeAlias = Annotated[list[str], Meta(max_length=10_000)]


class Range(Struct, frozen=True):
    """Some samples of one signal."""

    dname: str
    sname: str
    xmin: float | None = None
    xmax: float | None = None
    maxN: Annotated[int, Meta(ge=2)] | None = None  # as the protocol spells it
    """An envelope of no more samples."""


def readable(session: "RtocSession") -> list[Signal]:
    """The signals that the peer may read."""
    return [signal for signal in session.station.signals if session.may_read(signal.pv)]


def named(session: "RtocSession", names: list[str]) -> dict[str, Signal]:
    """Those signals, each of which must be there and readable; PycaError(bad_request, read_denied)."""
    found = {name: session.station.signals.named(name) for name in names}
    for signal in found.values():
        session.rights.check_read(signal.pv)
    return found


def signal_list(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """The names of all."""
    answer.body["signalList"] = [[signal.dname, signal.sname] for signal in readable(session)]


def latest(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """The newest sample of all, or of those named."""
    wanted = taken(value, bool | Names, "getLatest")
    if isinstance(wanted, list):
        told = {name: signal for name, signal in named(session, wanted).items() if signal.latest}
        answer.body["latest"] = {name: [*(signal.latest or ()), signal.unit] for name, signal in told.items()}
    else:
        told = {signal.name: signal for signal in readable(session) if signal.latest} if wanted else {}
        answer.body["latest"] = {
            name: [*(signal.latest or ()), signal.unit, signal.id, *signal.ends()] for name, signal in told.items()
        }


def samples(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """The samples of those named, of all, or of one in a range of x."""
    if isinstance(value, dict):
        wanted: Range = taken(value, Range, "getSignal")
        name = f"{wanted.dname}.{wanted.sname}"
        signal = named(session, [name])[name]
        reduce = wanted.maxN is not None
        most = min(MOST_SAMPLES, wanted.maxN or MOST_SAMPLES)
        curve = signal.curve(most, wanted.xmin, wanted.xmax, reduce=reduce)
        answer.body["signals"] = {name: _described(signal, curve)}
        return
    names = taken(value, Names | Literal["all", True], "getSignal") if value is not True else "all"
    signals = named(session, names) if isinstance(names, list) else {it.name: it for it in readable(session)}
    most = MOST_SAMPLES // max(1, len(signals))
    answer.body["signals"] = {name: _described(it, it.curve(most, None, None)) for name, it in signals.items()}


def _described(signal: Signal, curve: Curve) -> list[Any]:
    return [*curve, signal.unit, signal.id, *signal.ends()]


def events(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """All events, or so many of the newest."""
    count = taken(value, bool | Annotated[int, Meta(ge=0)], "getEventList")
    kept = visible(session)
    kept = (kept if count else []) if isinstance(count, bool) else kept[max(0, len(kept) - count) :]
    answer.body["events"] = {str(event.number): event.row for event in kept}


def events_of(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """The events of those signals."""
    signals = named(session, taken(value, Names, "getEvent"))
    kept = visible(session)
    answer.body["events"] = {
        name: [event.row for event in kept if (event.dname, event.sname) == (it.dname, it.sname)]
        for name, it in signals.items()
    }


def visible(session: "RtocSession") -> list[RtocEvent]:
    """The events that the peer may see."""
    return [event for event in session.station.events if session.may_read(event.pv)]


def everything(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """All signals with their samples, and all events."""
    signals = readable(session)
    devices = {dname: number for number, dname in enumerate(dict.fromkeys(signal.dname for signal in signals))}
    most = MOST_SAMPLES // max(1, len(signals))
    answer.body["session"] = {
        "maxLength": session.station.signals.record_length,
        "signals": {
            str(signal.id): [devices[signal.dname], signal.sname, *signal.curve(most, None, None), signal.unit]
            for signal in signals
        },
        "events": {str(event.number): event.row for event in visible(session)},
        "devices": {str(number): dname for dname, number in devices.items()},
    }


def plugin_list(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """All plugins."""
    answer.body["pluginList"] = {name: _plugin(session, plugin) for name, plugin in session.station.plugins.items()}


def _plugin(session: "RtocSession", plugin: RtocPlugin) -> dict[str, Any]:
    actions = session.station.actions
    channels = [session.services.pool.get(name) for name in plugin.parameters]
    docs = {name: ", ".join(f"{pv} = {value}" for pv, value in actions[name].put) for name in plugin.functions}
    return {
        "functions": [[name, [], None, None, None, [], docs[name]] for name in plugin.functions],
        "parameters": [[name, _now(session, name), None] for name in plugin.parameters if session.may_read(name)],
        "status": all(channel is not None and channel.contact.state is State.CONNECTED for channel in channels),
        "autorun": True,
        "info": {},
        "log": [],
    }


def _now(session: "RtocSession", name: str) -> Any:
    """The value of a parameter as it is known."""
    channel = session.services.pool.get(name)
    value = channel.latest if channel else None
    if value is None:
        return None
    _, y = curve_of(value)
    return y if isinstance(value.data, list | Texts) or value.count > 1 else last(y) if len(y) else None


def parameter(session: "RtocSession", name: str) -> Any:
    """The value of a plugin's parameter; PycaError(read_denied, not_connected)."""
    session.rights.check_read(name)
    channel = session.services.pool.get(name)
    if channel is None or channel.contact.state is not State.CONNECTED:
        raise PycaError("not_connected")
    return _now(session, name)
