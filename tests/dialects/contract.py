"""What every dialect has to show: one row each, of how it says and hears the same things."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pycaserver.core.outbox import Transport
from pycaserver.core.services import Services
from pycaserver.core.session import Session
from tests.fakes import FakeLimits, FakeTransport, World

Heard: TypeAlias = list[Any]
"""The values of the PV in order (a number, "NaN", or a list), "gone" for a disconnection, "error" for a refusal."""


@dataclass(frozen=True)
class Row:
    """One dialect. The PV is always called PV; a dialect that maps names has it under whatever name it likes."""

    open: Callable[[Services, Transport], Session]
    """With the framing tests.fakes.FRAMINGS[0], so that each message is one piece that begins with T."""
    subscribe: bytes
    """The message that asks for the PV."""
    write: bytes
    """The message that writes 5 to it."""
    read: Callable[[bytes], Heard]
    """What one message, without its T, says of the PV; [] for what is about something else."""
    bad: bytes = b"{"
    """A message that is none."""
    arrays: Callable[[Heard], Heard] = field(default=lambda heard: heard)
    """What is to be heard of arrays, of what the others hear."""
    seconds: float = 0.0
    """How long to wait for what is told at intervals."""
    lasting: bool = False
    """Whether its PVs stay open without a peer, for their history."""
    merges: bool = False
    """Whether only the newest value is told at intervals."""
    nan: str = "NaN"
    """What is to be heard of NaN."""
    tells_errors: bool = True
    """Whether the dialect has words for a refusal; otherwise it is only counted."""


class Speaker:
    """A peer of that dialect."""

    def __init__(self, row: Row, world: World, **limits: Any) -> None:
        self.transport = FakeTransport()
        self.session = row.open(world.services(FakeLimits(**limits)), self.transport)
        self._row = row
        self._clock = world.clock
        self._heard = 0

    def says(self, message: bytes) -> None:
        """Send a message."""
        self.session.receive(message)
        self._clock.run()

    @property
    def told(self) -> bool:
        """Whether it has not heard yet what the array's message says."""
        return any(self._row.read(piece[1:]) for piece in self.transport.taken[self._heard :])

    def hears(self) -> Heard:
        """What it was told since the last time."""
        self._clock.advance(self._row.seconds)
        pieces, self._heard = self.transport.taken[self._heard :], len(self.transport.taken)
        assert all(piece[:1] == b"T" for piece in pieces)
        return [each for piece in pieces for each in self._row.read(piece[1:])]

    def reads_all(self) -> None:
        """Read from now on, and all that waits."""
        self.transport.reading = True
        self.transport.take(self.transport.unsent)
        self.session.outbox.on_room()
        self._clock.run()
