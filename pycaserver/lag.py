"""Lag: how late the event loop is, and what it was doing while it stood still.

THREADS: a watcher's thread looks at the loop's stack while a beat is overdue; all else happens on the loop. A call that
never lets the interpreter go is seen when it has returned, which is still within the function that made it.
"""

import logging
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Final

from pycaserver.core.clock import Clock
from pycaserver.core.figures import STALL_SECONDS, Figures

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 0.025
"""Between two looks at the clock."""
SHOWN_BEATS: Final = 20
"""The gauge shows the worst of so many: half a second's."""
STARVED_SECONDS: Final = 0.5
"""A stall in which the loop hardly had a processor is told only from here on: a busy machine makes many short ones."""
QUIET_SECONDS: Final = 10.0
"""After a line in the log, stalls are only counted for so long."""
_HERE: Final = str(Path(__file__).parent)
_LOOPS_TURN: Final = "_run_once"
_LOOPS_WAIT: Final = "select"
"""Of asyncio's event loops."""


class Lag:
    """Measures the loop's lateness forty times a second, and tells of stalls."""

    def __init__(self, clock: Clock, figures: Figures) -> None:
        self._clock = clock
        self._figures = figures
        self._thread = threading.get_ident()
        self._beaten = self._worked = 0.0
        self._stopped = threading.Event()
        self._suspect = ""
        self._beats = 0
        self._worst = 0.0
        self._quiet_until = 0.0
        self._untold = 0

    def start(self) -> None:
        """Begin to measure, on the loop's own thread."""
        self._beaten, self._worked = self._clock.monotonic(), time.thread_time()
        self._clock.call_later(BEAT_SECONDS, self._beat)
        threading.Thread(target=self._watch, name="lag", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def _beat(self) -> None:
        now = self._clock.monotonic()
        late = max(0.0, now - self._beaten - BEAT_SECONDS)
        before, self._worked = self._worked, time.thread_time()
        suspect, self._suspect = self._suspect, ""
        self._beaten = now
        worked = min(late, self._worked - before)
        self._count(late, worked)
        if worked > STALL_SECONDS or late > STARVED_SECONDS:
            self._tell(late, worked, suspect)
        self._clock.call_later(BEAT_SECONDS, self._beat)

    def _count(self, late: float, worked: float) -> None:
        self._figures.count_lag(late, worked)
        self._beats += 1
        self._worst = max(self._worst, late)
        if self._beats % SHOWN_BEATS == 0 or late > STALL_SECONDS:
            self._figures.loop_lag, self._worst = self._worst, 0.0

    def _tell(self, late: float, worked: float, suspect: str) -> None:
        """One line, and then none for a while: a server with too much to do must not write a log instead.

        worked: seconds for which the loop had a processor meanwhile; the rest it waited for one, or for a lock.
        """
        if self._beaten < self._quiet_until:
            self._untold += 1
            return
        others, self._untold, self._quiet_until = self._untold, 0, self._beaten + QUIET_SECONDS
        log.warning(
            "the event loop stood still for %.0f ms, %.0f of them at work: %s%s",
            1000 * late, 1000 * worked, suspect or "between two calls",
            f"; {others} stalls since the last such line are only counted" if others else "",
        )  # fmt: skip

    def _watch(self) -> None:
        """THREAD: note what the loop is doing while its beat is overdue by a stall."""
        while not self._stopped.wait(BEAT_SECONDS):
            if not self._suspect and time.monotonic() - self._beaten > BEAT_SECONDS + STALL_SECONDS:
                self._suspect = where(sys._current_frames().get(self._thread))


def where(frame: FrameType | None) -> str:
    """The innermost function of ours that the loop has called, and what that had called; "" if it waits for events."""
    frames: list[FrameType] = []
    while frame is not None and frame.f_code.co_name != _LOOPS_TURN:
        frames.append(frame)
        frame = frame.f_back
    if not frames or frames[0].f_code.co_name == _LOOPS_WAIT:
        return ""
    ours = next((each for each in frames if each.f_code.co_filename.startswith(_HERE)), frames[0])
    return _said(ours) if ours is frames[0] else f"{_said(ours)}, in {_said(frames[0])}"


def _said(frame: FrameType) -> str:
    code = frame.f_code
    return f"{code.co_qualname} ({'/'.join(Path(code.co_filename).parts[-2:])}:{frame.f_lineno})"
