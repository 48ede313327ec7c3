"""Piecework: long work in short pieces, a few milliseconds in each turn of the event loop.

A thread would not help: what makes text of numbers holds the interpreter's lock for as long as it works.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias, TypeVar

from pycaserver.core.clock import Clock
from pycaserver.core.figures import Figures

log = logging.getLogger(__name__)
T = TypeVar("T")

TURN_SECONDS: Final = 0.005
"""How long one turn works before others have theirs."""

Pieces: TypeAlias = Iterator[object]
"""Work: each step of the iterator is a piece, a millisecond or so."""


def gathered(parts: Iterable[T], done: Callable[[list[T]], object]) -> Iterator[None]:
    """Work that makes each of the parts in a piece of its own, and then gives all of them to done."""
    found = []
    for part in parts:
        found.append(part)
        yield
    done(found)


def _nothing() -> None:
    pass


class Job:
    """Work that is not done yet."""

    __slots__ = ("_done", "pieces")

    def __init__(self, pieces: Pieces, done: Callable[[], None]) -> None:
        self.pieces = pieces
        self._done = done

    def cancel(self) -> None:
        """Leave it; done is not called any more."""
        self.pieces, self._done = iter(()), _nothing

    def skip(self) -> None:
        """Leave out the pieces that are left; done is called in its turn."""
        self.pieces = iter(())

    def end(self) -> None:
        """There are no pieces left."""
        self._done()


class Piecework:
    """Jobs, one after the other."""

    def __init__(self, clock: Clock, figures: Figures) -> None:
        self._clock = clock
        self._figures = figures
        self._jobs: deque[Job] = deque()
        self._due = False

    def begin(self, pieces: Pieces, done: Callable[[], None] = _nothing) -> Job:
        """Work it off, from the next turn on; then call done, also if a piece has failed."""
        job = Job(pieces, done)
        self._jobs.append(job)
        self._go_on()
        return job

    def _go_on(self) -> None:
        if self._jobs and not self._due:
            self._due = True
            self._clock.call_soon(self._turn)

    def _turn(self) -> None:
        deadline = self._clock.monotonic() + TURN_SECONDS
        self._step(self._jobs[0])
        while self._jobs and self._clock.monotonic() < deadline:
            self._step(self._jobs[0])
        self._due = False
        self._go_on()

    def _step(self, job: Job) -> None:
        try:
            next(job.pieces)
            return
        except StopIteration:
            pass
        except Exception:
            self._failed()
        self._jobs.popleft()
        self.guard(job.end)

    def guard(self, call: Callable[[], None]) -> None:
        """Call it; should it fail, all else goes on."""
        try:
            call()
        except Exception:
            self._failed()

    def _failed(self) -> None:
        log.exception("work failed unexpectedly")
        self._figures.faults += 1
