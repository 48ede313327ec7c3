"""PutLine: the puts to one CA channel, in order.

An IOC (rsrv) stops reading a whole circuit while a second put-callback of one channel waits for the first to complete.
So of each channel one is on its way at most; those behind it wait here, whichever session they come from.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from pycaserver.core.errors import PycaError
from pycaserver.core.source import PutEvents
from pycaserver.core.values import Array, PVValue
from pycaserver.sources.circuit import Circuit

REQUEST_BYTES: Final = 96
"""What a put weighs beside its elements: headers, and the reads before and after it."""
MOST_WAITING: Final = 1000
"""Puts that wait for their turn at one PV, of all sessions that are or have been."""
MOST_WAITING_BYTES: Final = 16 * 1024 * 1024
"""Their bytes; one alone may be larger."""

ECA_NORMAL: Final = 1
ECA_DISCONN: Final = 192
ECA_NOWTACCESS: Final = 376


@dataclass(eq=False)
class LinedPut:
    """One put: its elements, who is told, and how far it is."""

    elements: Array
    events: PutEvents
    wait: bool
    old: PVValue | None = None
    gone: bool = False
    """Handed to libca: it cannot be taken back."""
    over: bool = False
    """Taken back, or done."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.elements.nbytes + REQUEST_BYTES

    def finish(self, error: PycaError | None) -> None:
        """Tell the outcome, once."""
        if not self.over:
            self.over = True
            self.events.done(self.old, error)


class PutLine:
    """The puts to one CA channel. All on the loop."""

    def __init__(
        self,
        write: Callable[["PutLine", LinedPut], None],
        text_of: Callable[[int], str],
        circuit: Circuit | None = None,
    ) -> None:
        """write: have libca send a put, then tell handed, read, completed; text_of: a CA status in libca's words."""
        self._write = write
        self._text_of = text_of
        self._circuit = circuit
        self._connection = 0
        """Which one: a put is made for the type that the PV has in it."""
        self._waiting: deque[LinedPut] = deque()
        self._waiting_bytes = 0
        self._running: LinedPut | None = None
        self._advancing = False
        self._unread: dict[LinedPut, Circuit] = {}
        """Handed over, and not known to have been read by the IOC."""

    def add(self, put: LinedPut) -> Callable[[], bool]:
        """Send it in its turn; returns what takes it back, and says whether it could."""
        if self._is_full(put):
            put.finish(
                PycaError("put_failed", f"{len(self._waiting)} puts wait for this PV already; nothing was sent.")
            )
        else:
            self._waiting.append(put)
            self._waiting_bytes += put.size
            self._advance()
        return lambda: self._take_back(put)

    def connected(self, circuit: Circuit) -> None:
        """The PV is on that circuit from now on."""
        self._circuit = circuit

    def disconnected(self) -> None:
        """What has not been sent is refused; the outcome of the rest libca tells."""
        self._circuit = None
        self._connection += 1
        self._advance()

    def close(self) -> None:
        """The channel ends: libca will not answer any more."""
        for put in list(self._unread):
            self._arrived(put)

    # -- how a put fares

    def handed(self, put: LinedPut, status: int) -> None:
        """libca has taken it, or not."""
        if status == ECA_NORMAL:
            put.events.sent()
        else:
            self._arrived(put)
            self.completed(put, status)

    def read(self, put: LinedPut, status: int) -> None:
        """The IOC has answered a read that was sent after it. That is all one gets to know of a put without wait."""
        self._arrived(put)
        if not put.wait:
            put.finish(self._error(ECA_DISCONN) if status == ECA_DISCONN else None)

    def completed(self, put: LinedPut, status: int) -> None:
        """Its put-callback has come."""
        put.finish(self._error(status))
        if put is self._running:
            self._running = None
            self._advance()

    # -- inside

    def _is_full(self, put: LinedPut) -> bool:
        waiting = len(self._waiting)
        return waiting >= MOST_WAITING or (waiting > 0 and self._waiting_bytes + put.size > MOST_WAITING_BYTES)

    def _advance(self) -> None:
        """Send what is due: a put-callback if none is running, and puts without wait in any case."""
        if self._advancing:  # one that was sent below is refused: the loop there goes on
            return
        self._advancing = True
        try:
            while self._is_due:
                put = self._waiting.popleft()
                self._waiting_bytes -= put.size
                self._send(put, self._circuit)
        finally:
            self._advancing = False

    @property
    def _is_due(self) -> bool:
        waiting = self._waiting
        return bool(waiting) and (self._circuit is None or self._running is None or not waiting[0].wait)

    def _send(self, put: LinedPut, circuit: Circuit | None) -> None:
        if circuit is None:
            put.finish(PycaError("not_connected", _NOT_SENT))
            return
        if put.wait:
            self._running = put
        try:
            circuit.send(put.size, partial(self._go, put, circuit, self._connection), circuit.puts)
        except PycaError as error:
            self._drop(put)
            put.finish(error)

    def _go(self, put: LinedPut, circuit: Circuit, connection: int) -> None:
        self._unread[put] = circuit
        if not put.over and (refusal := self._refusal(put, connection)):
            put.finish(refusal)
        if put.over:
            self._arrived(put)
            self._drop(put)
            self._advance()
        else:
            put.gone = True
            self._write(self, put)

    def _refusal(self, put: LinedPut, connection: int) -> PycaError | None:
        return put.events.refusal() if connection == self._connection else PycaError("not_connected", _NOT_SENT)

    def _take_back(self, put: LinedPut) -> bool:
        if not put.gone:
            put.over = True
            if put in self._waiting:
                self._waiting.remove(put)
                self._waiting_bytes -= put.size
            self._drop(put)
            self._advance()
        return not put.gone

    def _drop(self, put: LinedPut) -> None:
        if put is self._running:
            self._running = None

    def _arrived(self, put: LinedPut) -> None:
        circuit = self._unread.pop(put, None)
        if circuit is not None:
            circuit.arrived(put.size)

    def _error(self, status: int) -> PycaError | None:
        if status == ECA_NORMAL:
            return None
        return PycaError(
            _CODES.get(status, "put_failed"),
            f"Channel Access says: {self._text_of(status)}." + (_UNKNOWN if status == ECA_DISCONN else ""),
        )


_CODES: Final = {ECA_NOWTACCESS: "no_write_access"}
_NOT_SENT: Final = "The PV was disconnected before the put was sent: nothing was written."
_UNKNOWN: Final = " Whether the value was written is not known."
