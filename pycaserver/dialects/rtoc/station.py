"""The station: what all sessions of RTOC share. Signals, events, actions, automations, and who is there."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias

from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import Event, PutAnswer
from pycaserver.core.puts import Answer, Puts
from pycaserver.core.requests import Put
from pycaserver.core.services import Services
from pycaserver.dialects.rtoc.automation import Automation
from pycaserver.dialects.rtoc.cipher import Cipher
from pycaserver.dialects.rtoc.events import EventLog, RtocEvent, told
from pycaserver.dialects.rtoc.mapping import Mapping, PutStep, RtocAction
from pycaserver.dialects.rtoc.payload import Payload
from pycaserver.dialects.rtoc.signals import Signal, Signals

LOOPBACK: Final = ("127.0.0.1", "::1")
"""What a whitelisted "localhost" stands for."""

Done: TypeAlias = Callable[[PycaError | None], None]


class Listener(Protocol):
    """A session that is told what happens."""

    def push(self, payload: Payload, pv: str | None = None) -> None:
        """Tell it, if it may read that PV."""

    def follows(self, signal: Signal) -> bool:
        """Whether it wants the signal's samples."""

    def appeared(self, signal: Signal) -> None:
        """There is a new signal."""

    def disappearing(self, signal: Signal) -> None:
        """A signal is about to be no more."""


class Station:
    """One for the server."""

    def __init__(self, services: Services, mapping: Mapping) -> None:
        """Opens all mapped PVs, and keeps them."""
        self.services = services
        self.mapping = mapping
        self.cipher = Cipher(mapping.password) if mapping.password else None
        self.signals = Signals(services, mapping)
        self.events = EventLog()
        self.actions = {action.name: action for action in mapping.action}
        self.plugins = {plugin.name: plugin for plugin in mapping.plugin}
        self.automation = Automation(services.clock, self.signals.named, self.happened, self._start_action)
        self.sessions: dict[Listener, None] = {}
        self.started = services.clock.wall()
        self._severities: dict[str, str | None] = {}
        self._puts = Puts(services)
        self._allowed = {*mapping.host_whitelist, *(LOOPBACK if "localhost" in mapping.host_whitelist else ())}
        for name in {name for plugin in mapping.plugin for name in plugin.parameters}:
            services.pool.acquire(name).monitor()
        services.events.watchers[self._transition] = None

    def is_whitelisted(self, address: str) -> bool:
        """Whether a peer of that address, which no proxy tells, speaks plainly and needs no password."""
        return address in self._allowed

    def join(self, session: Listener) -> None:
        """One more; the others are told."""
        self.tell_all({"client": "newconnected"})
        self.sessions[session] = None

    def leave(self, session: Listener) -> None:
        """One less."""
        self.sessions.pop(session, None)

    def tell_all(self, body: dict[str, Any], pv: str | None = None) -> None:
        """Tell every session that may read that PV."""
        payload = Payload(body)
        for session in tuple(self.sessions):
            session.push(payload, pv)

    def tell_followers(self, signal: Signal, body: dict[str, Any]) -> None:
        """Tell those that subscribe to the signal."""
        payload = Payload(body)
        for session in tuple(self.sessions):
            if session.follows(signal):
                session.push(payload, signal.pv)

    def create(self, dname: str, sname: str, unit: str) -> Signal:
        """A local signal; all are told."""
        signal = self.signals.create(dname, sname, unit)
        names = {"dname": dname, "sname": sname, "id": signal.id}
        self.tell_all({"signal": {"x": [], "y": [], "unit": None, **names}}, signal.pv)
        for session in tuple(self.sessions):
            session.appeared(signal)
        return signal

    def remove(self, signal: Signal) -> None:
        """Forget a local signal."""
        for session in tuple(self.sessions):
            session.disappearing(signal)
        self.signals.remove(signal)

    def happened(self, text: str, dname: str, sname: str, pv: str, **keys: Any) -> RtocEvent:
        """An event: kept, told to all, and perhaps an automation listens for it."""
        keys["x"] = keys.get("x") or self.services.clock.wall()
        event = self.events.add(text, dname, sname, pv, **keys)
        self.tell_all({"event": event.push}, pv)
        self.automation.heard(event.id)
        return event

    def _transition(self, transition: Event) -> None:
        """An alarm or connection transition of some channel; of alarms only changes of the severity count."""
        signal = self.signals.of_pv(transition.pvname)
        if signal is None or signal.local:
            return
        if transition.kind == "alarm":
            if self._severities.get(signal.pv, "NO_ALARM") == transition.severity:
                return
            self._severities[signal.pv] = transition.severity
        text, priority = told(transition)
        keys = {"x": transition.time, "priority": priority, "value": transition.value}
        self.happened(text, signal.dname, signal.sname, signal.pv, **keys)

    def _start_action(self, name: str, identity: Identity) -> None:
        """By an automation, with the rights of whoever made it."""
        if action := self.actions.get(name):
            perform(action, lambda put, answer: self._puts.begin(put, identity, answer), lambda error: None)


def perform(action: RtocAction, put: Callable[[Put, Answer], None], done: Done) -> None:
    """The action's puts one after the other, each when the one before is completed; the first failure ends it."""
    _steps(action.put, put, done)


def _steps(steps: Sequence[PutStep], put: Callable[[Put, Answer], None], done: Done) -> None:
    def answered(result: PutAnswer | PycaError) -> None:
        if isinstance(result, PycaError):
            done(result)
        else:
            _steps(steps[1:], put, done)

    if not steps:
        done(None)
        return
    pv, value = steps[0]
    put(Put(pv=pv, value=value), answered)
