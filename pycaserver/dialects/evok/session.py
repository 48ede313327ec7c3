"""EvokSession: one peer at /ws; its filter, and what it has not been told yet."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn

from pycaserver.core.clock import Timer
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import Message, PutAnswer
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Framing, Transport
from pycaserver.core.piecework import Pieces
from pycaserver.core.puts import PEERS_FAULTS, Puts
from pycaserver.core.requests import Put
from pycaserver.core.rights import Gate
from pycaserver.core.services import Services
from pycaserver.core.session import Session
from pycaserver.dialects.evok.board import Board
from pycaserver.dialects.evok.circuit import Circuit
from pycaserver.dialects.evok.command import (
    All,
    Filter,
    Full,
    Get,
    Scalar,
    Set,
    Simple,
    arguments_of,
    decode,
    scalar,
    timeout_of,
)
from pycaserver.dialects.evok.device import FIELDS, Kind, Point

log = logging.getLogger(__name__)

EVERYTHING: Final = frozenset(FIELDS)


class EvokSession(Session):
    """Tells lists of full objects: those that changed, at most once a tick, the newest of each when behind.

    Nothing says what went wrong, as Evok has no words for it: errors are counted, and logged once of each code.
    """

    def __init__(
        self,
        services: Services,
        board: Board,
        transport: Transport,
        framing: Framing,
        identity: Identity,
        gate: Gate | None = None,
    ) -> None:
        super().__init__(services, transport, framing, identity, gate)
        self._board = board
        self._filter: frozenset[Kind] = EVERYTHING
        self._told = {circuit: self._encoded(circuit) for circuit in board}
        """The objects as the peer knows them, or could have asked for them when it came."""
        self._due: dict[Circuit, None] = {}
        self._retry: Timer | None = None
        self._logged: set[str] = set()
        self._sets = Puts(services)  # never closed: the outcome of a set with a time-out counts after its peer has gone
        board.listeners[self._on_tick] = None

    def handle(self, data: bytes) -> None:
        """One command; PycaError if it is none or cannot be done."""
        command, message = decode(data)
        _HANDLERS[type(command)](self, command, message)

    def refuse(self, error: PycaError) -> None:
        """Count and log it."""
        self.figures.errors[error.code] += 1
        level = logging.DEBUG if error.code in self._logged else logging.INFO
        self._logged.add(error.code)
        log.log(level, "evok: a command of %s was refused: %s", self.identity.address, error)

    def send(self, message: Message) -> None:
        """The core has nothing to say here: there are no subscriptions."""

    def encoding_of(self, options: SubscriptionOptions) -> NoReturn:
        """Likewise."""
        raise AssertionError("an Evok session has no subscriptions")

    def ended(self) -> None:
        """The peer is gone; what it has set with a time-out is still undone."""
        super().ended()
        del self._board.listeners[self._on_tick]
        if self._retry is not None:
            self._retry.cancel()

    # -- commands

    def _all(self, command: All, message: dict[str, Any]) -> None:
        objects = {circuit: self._encoded(circuit) for circuit in self._board}
        self._tell(objects)

    def _set_filter(self, command: Filter, message: dict[str, Any]) -> None:
        known = [name for name in command.devices if self._board.kinds(name)]
        if known and command.devices[0] == "default":
            self._filter = EVERYTHING
        elif known or not command.devices:
            self._filter = frozenset(kind for name in known for kind in self._board.kinds(name))

    def _full(self, command: Full, message: dict[str, Any]) -> None:
        self.outbox.tell(self.outbox.framing.text(self._encoded(self._found(command))))

    def _set(self, command: Set, message: dict[str, Any]) -> None:
        circuit = self._found(command)
        device = circuit.device
        arguments = arguments_of(message, device)
        timeout = timeout_of(arguments, device)
        writes = [(field, _writable(circuit, field), scalar(device, field, each)) for field, each in arguments.items()]
        for field, pv, value in writes:
            done = partial(self._value_set, circuit, pv, value, timeout) if field == "value" else self._set_done
            self._put(pv, value, done)

    # -- inside

    def _found(self, command: Full) -> Circuit:
        circuit = self._board.find(command.dev, str(command.circuit))
        if circuit is None:
            raise PycaError("bad_request", "There is no such device.")
        return circuit

    def _put(self, pv: str, value: Scalar, done: Callable[[PutAnswer | PycaError], None]) -> None:
        self._sets.begin(Put(pv=pv, value=value), self.identity, done, over_budget=self._over_budget)

    def _set_done(self, result: PutAnswer | PycaError) -> None:
        if isinstance(result, PycaError):
            self.at_fault = result.code in PEERS_FAULTS
            self.refuse(result)

    def _value_set(
        self, circuit: Circuit, pv: str, value: Scalar, timeout: float | None, result: PutAnswer | PycaError
    ) -> None:
        """A value that was set, or may have been, stands in the place of an earlier one and of its time-out."""
        self._set_done(result)
        if isinstance(result, PycaError) and result.code != "put_timeout":
            return
        if timeout is None:
            circuit.await_undoing(None)
        else:
            circuit.await_undoing(self.clock.call_later(timeout, self._undo, circuit, pv, int(not value)))

    def _undo(self, circuit: Circuit, pv: str, value: int) -> None:
        circuit.undone()
        self._put(pv, value, self._undoing_done)

    def _undoing_done(self, result: PutAnswer | PycaError) -> None:
        if isinstance(result, PycaError):
            log.warning("evok: a time-out could not undo what was set: %s", result)
            self.figures.errors[result.code] += 1

    def _encoded(self, circuit: Circuit) -> bytes:
        return circuit.encoded(lambda name: self.rights.decide(name).read)

    def _recheck(self) -> Pieces:
        yield from super()._recheck()
        self._on_tick(list(self._board))

    def _on_tick(self, circuits: list[Circuit]) -> None:
        wanted = {circuit: None for circuit in circuits if circuit.kind in self._filter}
        self.figures.updates_merged += len(wanted.keys() & self._due.keys())
        self._due |= wanted
        self._tell_due()

    def _tell_due(self) -> None:
        """What changed, if the peer keeps up; later otherwise, as it is then."""
        if self.outbox.open and not self.locked:
            due, self._due = self._due, {}
            objects = {circuit: self._encoded(circuit) for circuit in due}
            if changed := {circuit: each for circuit, each in objects.items() if each != self._told[circuit]}:
                self._tell(changed)
        elif self._due and self._retry is None:
            self._retry = self.clock.call_later(self._board.tick_seconds, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self._tell_due()

    def _tell(self, objects: dict[Circuit, bytes]) -> None:
        self._told |= objects
        self.figures.updates_out += len(objects)
        self.outbox.tell(self.outbox.framing.text(b"[" + b",".join(objects.values()) + b"]"))


def _writable(circuit: Circuit, field: str) -> str:
    """The PV of a field that peers may set; PycaError(bad_request)."""
    point = circuit.device.points.get(field)
    if not isinstance(point, Point) or not point.write:
        raise PycaError("bad_request", f"{field} of {circuit.kind} {circuit.device.circuit} is not to be set.")
    return point.pv


_HANDLERS: Final[dict[type, Callable[[EvokSession, Any, dict[str, Any]], None]]] = {
    All: EvokSession._all,
    Filter: EvokSession._set_filter,
    Full: EvokSession._full,
    Get: EvokSession._full,
    Simple: EvokSession._full,
    Set: EvokSession._set,
}
