"""What a peer may give and take away: samples and events."""

from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import numpy as np
from msgspec import Meta, Struct

from pycaserver.core.errors import PycaError
from pycaserver.core.messages import PutAnswer
from pycaserver.core.requests import Put
from pycaserver.dialects.rtoc.answer import Answer, taken
from pycaserver.dialects.rtoc.signals import SCHEME, Signal, local_name

if TYPE_CHECKING:
    from pycaserver.dialects.rtoc.session import RtocSession

MOST_PAIRS: Final = 2_000
"""Samples that one request gives one by one."""
MOST_PLOTTED: Final = 100_000
"""Samples of one plot for a local signal."""
LOGGER: Final = f"{SCHEME}logger"
"""Needs the right to write, as access rules name it."""
UNNAMED: Final = "Unnamed"
NO_DEVICE: Final = "noDevice"

Text: TypeAlias = Annotated[str, Meta(max_length=1000)]
Y: TypeAlias = int | float | str | list[int | float | str]


class Data(Struct, frozen=True):
    """Samples: pairs of y and signal, or with plot all of one signal."""

    y: int | float | str | list[Y]
    x: float | list[float] | None = None
    sname: str | list[str] | None = None
    dname: str | None = None
    unit: str | None | list[str | None] = None
    plot: bool = False


class Told(Struct, frozen=True):
    """An event that a peer tells."""

    text: Text = ""
    dname: str | None = None
    sname: str | None = None
    x: float | None = None
    priority: int = 0
    id: Text | None = None
    value: int | float | Text | None = None


LISTED: Final = ("text", "sname", "dname", "x", "priority", "id", "value")
"""The keys of an event that comes as a list."""


def write(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Write PVs, and give samples to local signals; all must be possible before any is done."""
    data: Data = taken({key: request[key] for key in Data.__struct_fields__ if key in request}, Data, "y")
    dname = data.dname or NO_DEVICE
    if data.plot:
        _plot(session, data, dname, answer)
    else:
        _pairs(session, data, dname, answer)
    answer.body["sent"] = True


def _pairs(session: "RtocSession", data: Data, dname: str, answer: Answer) -> None:
    ys = _listed(data.y)
    if len(ys) > MOST_PAIRS:
        raise PycaError("bad_request", f"y: has more than {MOST_PAIRS} elements; plot = true takes them.")
    names = _filled(data.sname, len(ys), UNNAMED)
    units = _filled(data.unit, len(ys), "")
    xs: list[float | None] = _filled(data.x, len(ys), None) if data.x is None else _listed(data.x)
    if len(xs) < len(ys):
        raise PycaError("bad_request", "x: has fewer elements than y.")
    signals = [_target(session, dname, name, unit or "") for name, unit in zip(names, units, strict=True)]
    for signal, x, y in zip(signals, xs, ys, strict=False):
        if signal.local:
            signal.append(session.clock.wall() if x is None else x, _number(y))
        else:
            put_pv(session, signal.pv, y, answer)


def _plot(session: "RtocSession", data: Data, dname: str, answer: Answer) -> None:
    ys = _listed(data.y)
    signal = _target(session, dname, _filled(data.sname, 1, UNNAMED)[0], _filled(data.unit, 1, "")[0] or "")
    if not signal.local:
        put_pv(session, signal.pv, taken(ys, list[int | float | str], "y"), answer)
        return
    if len(ys) > MOST_PLOTTED:
        raise PycaError("bad_request", f"y: has more than {MOST_PLOTTED} elements.")
    y = np.array(taken(ys, list[float], "y"))
    x = np.arange(len(y), dtype=float) if data.x is None else np.array(_listed(data.x), float)
    if len(x) != len(y):
        raise PycaError("bad_request", "x: has another number of elements than y.")
    signal.replace(x, y)
    names = {"unit": signal.unit, "dname": signal.dname, "sname": signal.sname, "id": signal.id}
    session.station.tell_followers(signal, {"signal": {"x": x, "y": y, **names}})


def _target(session: "RtocSession", dname: str, sname: str, unit: str) -> Signal:
    """The signal that is to be written, made if there is none; PycaError unless it may be."""
    signal = session.station.signals.find(dname, sname)
    if signal is not None and not signal.writable:
        raise PycaError("bad_request", f"{signal.name} is read-only: rtoc.signal says so.")
    if signal is None or signal.local:
        session.check_write(local_name(dname, sname))
    return signal or session.station.create(dname, sname, unit)


def put_pv(session: "RtocSession", pv: str, value: Any, answer: Answer) -> None:
    """As part of the answer; it is "sent" as soon as it is on its way."""

    def told(result: PutAnswer | PycaError) -> None:
        answer.done(result if isinstance(result, PycaError) else None)

    answer.wait()
    session.put(Put(pv=pv, value=value, wait=False), told)


def event(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Tell an event to all."""
    if isinstance(value, list):
        value = {key: item for key, item in zip(LISTED, value, strict=False) if item is not None}
    told: Told = taken(value, Told, "event")
    dname, sname = told.dname or NO_DEVICE, told.sname or "noSignal"
    name = local_name(dname, sname)
    session.check_write(name)
    signal = session.station.signals.find(dname, sname)
    priority = told.priority if told.priority in (0, 1, 2) else 0
    keys = {"x": told.x, "priority": priority, "value": told.value, "id": told.id or ""}
    session.station.happened(told.text, dname, sname, signal.pv if signal else name, **keys)


def remove(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Forget local signals, or events: ["signal", name], ["event", number], or lists of the ids of both."""
    wanted = taken(value, list[Any], "remove")
    if wanted and isinstance(wanted[0], str):
        signals, events = ([], wanted[1:]) if wanted[0] == "event" else (wanted[1:], [])
    else:
        signals, events = (*wanted, [], [])[:2]
    numbers = taken(events, list[int], "remove")
    if numbers:
        session.check_write(LOGGER)
    names = taken(signals, list[str | int], "remove")
    for signal in [session.station.signals.named(name) for name in names]:
        check_local(session, signal)
        session.station.remove(signal)
    answer.body["remove"] = [len(names), session.station.events.remove(numbers)]


def check_local(session: "RtocSession", signal: Signal) -> None:
    """PycaError unless the signal is local and the peer may write it."""
    if not signal.local:
        raise PycaError("bad_request", f"{signal.name} is a PV, whose samples are the IOC's.")
    session.check_write(signal.pv)


def _number(y: Any) -> float:
    """Of a local signal's sample; PycaError(bad_request)."""
    number: float = taken(y, float, "y")
    return number


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _filled(given: Any, count: int, otherwise: Any) -> list[Any]:
    """A list of that length: one for all stands alone, missing ones are made up."""
    listed = [] if given is None else _listed(given)
    return [*listed[:count], *[otherwise] * (count - len(listed))]
