"""What a peer may use: plugins, the logger, actions and automations."""

from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Meta

from pycaserver.core.elements import Scalar
from pycaserver.core.errors import PycaError
from pycaserver.dialects.rtoc import readings
from pycaserver.dialects.rtoc.answer import Answer, taken
from pycaserver.dialects.rtoc.automation import SetAction, SetEvent
from pycaserver.dialects.rtoc.mapping import RtocPlugin
from pycaserver.dialects.rtoc.orders import LOGGER, check_local, put_pv
from pycaserver.dialects.rtoc.signals import SCHEME
from pycaserver.dialects.rtoc.station import perform

if TYPE_CHECKING:
    from pycaserver.dialects.rtoc.session import RtocSession

AUTOMATION: Final = f"{SCHEME}automation"
"""Needs the right to write, as access rules name it."""


def plugin(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Read and write parameters, call functions: {plugin: {parameter: "get" or a value, "function()": []}}."""
    wanted = taken(value, dict[str, dict[str, Any]], "plugin")
    results: dict[str, dict[str, Any]] = {}
    for name, calls in wanted.items():
        found = session.station.plugins.get(name)
        if found is None:
            raise PycaError("bad_request", f"There is no plugin {name[:100]!r}.")
        results[name] = {call: _called(session, found, call, given, answer) for call, given in calls.items()}
    answer.body["plugin"] = results


def _called(session: "RtocSession", plugin: RtocPlugin, call: str, given: Any, answer: Answer) -> Any:
    function = call.removesuffix("()")
    if function in plugin.functions and function != call:
        answer.wait()
        perform(session.station.actions[function], session.put, answer.done)
        return True
    if call not in plugin.parameters:  # start, stop and autostart too: there is nothing that could be
        raise PycaError("bad_request", f"The plugin {plugin.name!r} has no {call[:100]!r}.")
    if given == "get":
        return readings.parameter(session, call)
    value = taken(given, int | float | str | list[Scalar], "plugin")
    put_pv(session, call, value, answer)
    return value


def user_action(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Carry out a configured action; what went wrong is in the result."""
    action = session.station.actions.get(taken(value, str, "userAction"))
    result: dict[str, Any] = {"name": value, "success": False, "type": "text", "data": "There is no such action."}
    answer.body["userAction"] = result
    if action is None:
        return

    def told(error: PycaError | None) -> None:
        result["success"] = error is None
        result["data"] = error.message if error else "Done."
        answer.done()

    answer.wait()
    perform(action, session.put, told)


def logger(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Information, and the buffers of local signals; PycaError for all that would touch the computer."""
    orders = taken(value, dict[str, Any], "logger")
    if unknown := [order for order in orders if order not in _LOGGER]:
        raise PycaError("bad_request", f"logger: {unknown[0][:100]!r} is refused.")
    answer.body["logger"] = {order: _LOGGER[order](session, given) for order, given in orders.items()}


def _info(session: "RtocSession", given: Any) -> dict[str, Any]:
    station = session.station
    return {
        "signals": len(readings.readable(session)),
        "starttime": station.started,
        "signal_memory": station.signals.samples(),
        "signal_memory_limit": station.signals.record_length,
        "config": {"global": {"recordLength": station.signals.record_length}},
        "userActions": list(station.actions),
    }


def _resize(session: "RtocSession", given: Any) -> bool:
    most = session.station.mapping.record_length
    length = taken(given, Annotated[int, Meta(ge=1, le=most)], "logger.resize")
    session.check_write(LOGGER)
    session.station.signals.resize(length)
    return True


def _clear(session: "RtocSession", given: Any) -> Any:
    station = session.station
    if given == "events":
        session.check_write(LOGGER)
        station.events.clear()
        return True
    if given == "all":
        signals = [signal for signal in station.signals if signal.local]
    else:
        signals = [station.signals.named(name) for name in taken(given, list[str], "logger.clear")]
    for signal in signals:
        check_local(session, signal)
        signal.clear()
    return True if given == "all" else [True for _ in signals]


_LOGGER: Final = {"info": _info, "resize": _resize, "clear": _clear}


def automation(session: "RtocSession", value: Any, request: dict[str, Any], answer: Answer) -> None:
    """Comparisons that make events, events that start configured actions; listed in every answer."""
    orders = taken(value, dict[str, Any], "automation")
    known = session.station.automation
    if any(order != "get" for order in orders):
        session.check_write(AUTOMATION)
    results: dict[str, Any] = {}
    if "setAction" in orders:
        action: SetAction = taken(orders["setAction"], SetAction, "setAction")
        if action.script not in session.station.actions:
            raise PycaError("bad_request", "script: must be the name of an rtoc.action; scripts are refused.")
        known.set_action(action, session.identity)
    if "setEvent" in orders:
        new: SetEvent = taken(orders["setEvent"], SetEvent, "setEvent")
        session.rights.check_read(known.comparison(new.cond).signal.pv)
        known.set_event(new)
    if "testAction" in orders:
        _test_action(session, taken(orders["testAction"], str, "testAction"), results, answer)
    if "testEvent" in orders:
        results["testEvent"] = _test_event(session, taken(orders["testEvent"], str, "testEvent"))
    if "removeAction" in orders:
        results["removeAction"] = known.remove_action(taken(orders["removeAction"], str, "removeAction"))
    if "removeEvent" in orders:
        results["removeEvent"] = known.remove_event(taken(orders["removeEvent"], str, "removeEvent"))
    if "active" in orders:
        given = taken(orders["active"], dict[str, bool], "active")
        known.active |= {key: given[key] for key in known.active if key in given}
    if "reset" in orders:
        known.reset()
    answer.body["automation"] = results | known.shown


def _test_action(session: "RtocSession", name: str, results: dict[str, Any], answer: Answer) -> None:
    """Carry it out now, with the rights of the peer that asks."""
    found = session.station.automation.actions.get(name)
    if found is None:
        results["testAction"] = {"ok": False, "value": ""}
        return

    def told(error: PycaError | None) -> None:
        answer.body["automation"]["testAction"] = {"ok": error is None, "value": error.message if error else ""}
        answer.done()

    answer.wait()
    session.clock.call_soon(perform, session.station.actions[found[0].script], session.put, told)


def _test_event(session: "RtocSession", name: str) -> dict[str, Any]:
    known = session.station.automation
    if name not in known.events:
        return {"ok": False, "value": ""}
    known.trigger(name)
    return {"ok": True, "value": known.events[name][1].now()}
