"""XO-VAC+ over Socket.IO: events that are commands with acks, or native requests."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from pycaserver.core.channel import Channel
from pycaserver.core.dialect import Dialect
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import PutAnswer
from pycaserver.core.oneshot import OneShot
from pycaserver.core.outbox import Framing, Transport
from pycaserver.core.puts import Puts
from pycaserver.core.request_session import RequestSession
from pycaserver.core.requests import OptionKeys, Put, Request, check_text
from pycaserver.core.rights import Gate, Rights
from pycaserver.core.services import Services
from pycaserver.core.values import PVValue
from pycaserver.core.watch import Wait
from pycaserver.dialects.commands import ACTIONS, Command, MessageRule, Step, look_up, payload_of
from pycaserver.dialects.notice import Notice

MAX_EVENT: Final = 64
"""Characters of an event's name."""
Done = Callable[[str, str], None]
"""Called with a result (success, warning, error) and a message."""


class Commands:
    """What is configured, for all sessions, and which commands are under way."""

    def __init__(self, commands: Iterable[Command], messages: Iterable[MessageRule]) -> None:
        self.known = {command.name: command for command in commands}
        self.messages = tuple(messages)
        self.running: set[str] = set()


class XovacSession(RequestSession):
    """One Socket.IO connection."""

    def __init__(
        self,
        services: Services,
        native: Dialect,
        transport: Transport,
        framing: Framing,
        identity: Identity,
        gate: Gate,
        commands: Commands,
    ) -> None:
        """framing: makes an event of each message."""
        super().__init__(services, native, transport, (framing, framing), identity, gate)
        self._commands = commands
        self._notices: list[Notice] = []
        self._begin()

    def handle(self, data: bytes) -> None:
        """One event, a JSON array of its name and payload."""
        event, payload = _event_of(data)
        if self.locked and event != "authenticate":
            raise PycaError("unauthenticated", "The first event must be authenticate.")
        if event in ACTIONS:
            self.execute(self.dialect.decode(_request(ACTIONS[event], payload)))
        else:
            self._command(event, payload)

    def execute(self, request: Request) -> None:
        """Carry out a native request; events are text."""
        if isinstance(request, OptionKeys) and request.encoding == "binary":
            raise PycaError("bad_request", "There are no binary frames here: `encoding` may be json or base64.")
        super().execute(request)

    def tell(self, event: str, payload: Any) -> None:
        """Send an event that is no native message."""
        self.outbox.tell(self.outbox.framing.text(msgspec.json.encode([event, payload])))

    def become(self, identity: Identity) -> None:
        """The peer has shown who it is."""
        super().become(identity)
        self._begin()

    def ended(self) -> None:
        """The peer is gone; a command that has begun goes on to its end."""
        for notice in self._notices:
            notice.end()
        self._notices = []
        super().ended()

    def _begin(self) -> None:
        if not self._notices and not self.locked:
            self._notices = [Notice(self, rule) for rule in self._commands.messages]

    def _command(self, event: str, given: Any) -> None:
        def done(result: str, message: str) -> None:
            self.tell(f"{event}_ack", json.dumps({"result": result, "message": message}))

        command, running = self._commands.known.get(event), self._commands.running
        if command is None:
            self.at_fault = True
            done("error", f"There is no command {event!r}.")
        elif event in running:
            done("warning", f"{event} is under way already.")
        elif self._over_budget:
            done("error", "More requests than limits.requests_per_second; nothing was done.")
        else:
            try:
                Run(self.services, command, payload_of(command, given), self.rights, running, done).start()
            except PycaError as error:
                self.at_fault = True
                done("error", error.message)


class Run:
    """One execution of a command: its precondition, then its steps, one after the other; ends by itself."""

    def __init__(
        self, services: Services, command: Command, payload: Any, rights: Rights, running: set[str], done: Done
    ) -> None:
        self._services = services
        self._command = command
        self._payload = payload
        self._rights = Rights(rights.control, rights.identity)  # those of who asked, whoever the session becomes
        self._puts = Puts(services)
        self._running = running
        self._done = done
        self._steps = iter(command.steps)

    def start(self) -> None:
        """PycaError if it cannot begin; nothing has been done then."""
        require = self._command.require
        puts = [self._put_of(step) for step in self._command.steps if step.put]
        if require is not None:
            self._rights.check_read(require.pv)
        self._given = iter(puts)
        first = OneShot(self._services.pool, require.pv, read=True) if require is not None else None
        self._running.add(self._command.name)
        if first is None:
            self._next()
        else:
            first.start(self._services.clock, None, self._checked)

    def _checked(self, channel: Channel, result: PVValue | PycaError | None) -> None:
        require = self._command.require
        assert require is not None
        if isinstance(result, PycaError):
            self._failed(f"{require.pv}: {result.message}")
        elif require.holds(channel, result):
            self._next()
        else:
            self._end("warning", require.otherwise or f"{require.pv} is not {require}.")

    def _next(self) -> None:
        step = next(self._steps, None)
        if step is None:
            self._end("warning" if self._command.warning else "success", self._command.warning)
        elif step.put:
            self._puts.begin(next(self._given), self._rights.identity, self._written)
        else:
            self._wait(step)

    def _written(self, result: PutAnswer | PycaError) -> None:
        if isinstance(result, PycaError):
            self._failed(result.message if result.pvname is None else f"{result.pvname}: {result.message}")
        else:
            self._services.clock.call_soon(self._next)

    def _wait(self, step: Step) -> None:
        if denial := self._rights.denial(step.wait):
            self._failed(denial.message)
        else:
            Wait(self._services, step.wait, step.holds, step.timeout, lambda so: self._waited(step, so=so))

    def _waited(self, step: Step, *, so: bool) -> None:
        if so:
            self._next()
        else:
            self._failed(f"{step.wait} did not become {step} within {step.timeout:g} s.")

    def _put_of(self, step: Step) -> Put:
        value = look_up(self._payload, step.from_) if step.from_ else step.value
        value = int(value) if isinstance(value, bool) else value
        try:
            return msgspec.convert({"pv": step.put, "value": value, "timeout": step.timeout}, Put)
        except msgspec.ValidationError:
            raise PycaError("bad_value", f"{step.from_} is no value that a PV can have.") from None

    def _failed(self, message: str) -> None:
        self._end("error", self._command.error or message)

    def _end(self, result: str, message: str) -> None:
        self._running.discard(self._command.name)
        self._done(result, message)


def _event_of(data: bytes) -> tuple[str, Any]:
    check_text(data)
    try:
        event, *payload = msgspec.json.decode(data, type=list[Any])
    except msgspec.ValidationError:
        raise PycaError("bad_request", "An event is an array of its name and its payload.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PycaError("bad_json", f"{error}.") from None
    except ValueError:
        raise PycaError("bad_request", "The event has no name.") from None
    if not isinstance(event, str) or not 0 < len(event) <= MAX_EVENT:
        raise PycaError("bad_request", f"An event's name is a string of 1 to {MAX_EVENT} characters.")
    return event, payload[0] if payload else None


def _request(action: str, payload: Any) -> bytes:
    """The native request; a payload that is no object is the PV, or the list of them."""
    keys = payload if isinstance(payload, dict) else {} if payload is None else {"pv": payload}
    return msgspec.json.encode({**keys, "action": action})
