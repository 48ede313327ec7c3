"""The keys of a request, in the order in which they are carried out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from pycaserver.dialects.rtoc import controls, orders, readings
from pycaserver.dialects.rtoc.answer import Answer, taken
from pycaserver.dialects.rtoc.signals import Signal

if TYPE_CHECKING:
    from pycaserver.dialects.rtoc.session import RtocSession

Kind: TypeAlias = Literal["signal", "device"]
Act: TypeAlias = Callable[["RtocSession", Any, dict[str, Any], Answer], None]
"""Carries one key out: its value, the whole request, and where the answer goes. PycaError if it cannot be."""


def subscribe(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Push the samples of a signal, or of all signals of a device."""
    for signal in _meant(session, value, "subscribe"):
        session.follow(signal)


def unsubscribe(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Push them no more."""
    for signal in _meant(session, value, "unsubscribe"):
        session.unfollow(signal)


def subscribe_all(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Push the samples of all signals, of those to come too."""
    if taken(value, bool | Kind, "subscribeAll"):
        session.everything = True
        for signal in readings.readable(session):
            session.follow(signal)


def unsubscribe_all(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Push no samples."""
    if taken(value, bool | Kind, "unsubscribeAll"):
        session.everything = False
        for signal in session.station.signals:
            session.unfollow(signal)


def _meant(session: "RtocSession", value: Any, key: str) -> list[Signal]:
    kind, name = taken(value, tuple[Kind, str | int], key)
    signals = session.station.signals
    return [signals.named(name)] if kind == "signal" else signals.of_device(name)


KEYS: Final[dict[str, Act]] = {
    "y": orders.write,
    "getSignalList": readings.signal_list,
    "getPluginList": readings.plugin_list,
    "event": orders.event,
    "subscribe": subscribe,
    "unsubscribe": unsubscribe,
    "subscribeAll": subscribe_all,
    "unsubscribeAll": unsubscribe_all,
    "getEventList": readings.events,
    "getEvent": readings.events_of,
    "getSignal": readings.samples,
    "getLatest": readings.latest,
    "getSession": readings.everything,
    "remove": orders.remove,
    "plugin": controls.plugin,
    "logger": controls.logger,
    "userAction": controls.user_action,
    "automation": controls.automation,
}
"""authorize comes before all of them, and is the session's."""
