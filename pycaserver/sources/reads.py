"""ReadLine: the reads of one CA channel that the IOC has not answered.

They count as bytes on their way to the IOC even when nobody waits for the answer any more: libca has them still.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from pycaserver.core.errors import PycaError
from pycaserver.core.values import PVValue
from pycaserver.sources.circuit import Circuit
from pycaserver.sources.monitor import Target

READ_BYTES: Final = 32
"""What a read weighs: its header, and some more."""

Done: TypeAlias = Callable[[PVValue | PycaError], None]
Drop: TypeAlias = Callable[[], None]


class LinedRead:
    """One read: who waits for it, and what it takes until it is answered."""

    __slots__ = ("circuit", "done", "drop")

    def __init__(self, done: Done, circuit: Circuit | None) -> None:
        self.done: Done | None = done
        self.circuit = circuit
        self.drop: Drop | None = None

    def forget(self) -> None:
        """Nobody waits any more."""
        self.done = None

    def arrived(self) -> None:
        """The IOC has taken it, or never will."""
        circuit, self.circuit = self.circuit, None
        if circuit is not None:
            circuit.arrived(READ_BYTES)


class ReadLine:
    """The reads of one CA channel. All on the loop."""

    def __init__(self, ask: Callable[[Target], Drop], result: Callable[..., PVValue | PycaError]) -> None:
        """ask: have libca read, and tell the target; returns what prevents that. result: of such an event."""
        self._ask = ask
        self._result = result
        self._asked: dict[LinedRead, None] = {}
        self._closed = False

    def add(self, circuit: Circuit | None, done: Done) -> Drop:
        """Read once there is room on the circuit; returns what forgets it."""
        read = LinedRead(done, circuit)
        if circuit is None:
            self._go(read)
        else:
            try:
                circuit.send(READ_BYTES, partial(self._go, read), circuit.reads)
            except PycaError:
                done(PycaError("get_timeout", "Too many requests wait for this IOC already."))
        return read.forget

    def disconnected(self) -> None:
        """The circuit is gone; libca tells that to each."""
        for read in list(self._asked):
            read.arrived()

    def close(self) -> None:
        """The channel ends: libca will not answer any more."""
        self._closed = True
        for read in self._asked:
            read.arrived()
            if read.drop is not None:
                read.drop()
        self._asked.clear()

    # -- inside

    def _go(self, read: LinedRead) -> None:
        if read.done is None or self._closed:  # given up while it waited
            read.arrived()
        else:
            self._asked[read] = None
            read.drop = self._ask(partial(self._answered, read))

    def _answered(self, read: LinedRead, *event: Any) -> None:
        self._asked.pop(read, None)
        read.arrived()
        done, read.done = read.done, None
        if done is not None:
            done(self._result(*event))
