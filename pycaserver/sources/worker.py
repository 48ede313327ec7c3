"""The CA worker: the one thread that calls libca, as its calls may block and the event loop must not."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from epics import ca

from pycaserver.sources.complaints import hear

log = logging.getLogger(__name__)

START_SECONDS: Final = 30.0
Job: TypeAlias = Callable[[], object]


class CAWorker:
    """Runs jobs in order on a thread that owns the CA context; flushes when it runs out of jobs.

    Urgent ones go before the others: who writes or reads does not wait while ten thousand PVs connect.
    """

    def __init__(self) -> None:
        self._urgent: deque[Job] = deque()
        self._others: deque[Job] = deque()
        self._jobs = threading.Semaphore(0)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ca-worker", daemon=True)

    def start(self) -> None:
        """Create the CA context, with callbacks on libca's own threads; RuntimeError if that is impossible."""
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._failure is not None:
            raise RuntimeError("Channel Access did not start") from self._failure

    def submit(self, job: Job, *, urgent: bool = False) -> None:
        """Have it run after all that was submitted before and is as urgent."""
        (self._urgent if urgent else self._others).append(job)
        self._jobs.release()

    def _run(self) -> None:
        ca.AUTO_CLEANUP = False  # libca hangs when its channels are cleared at the interpreter's exit
        try:
            ca.initialize_libca()
            hear()
        except BaseException as failure:
            self._failure = failure
            return
        finally:
            self._ready.set()
        while True:
            self._work()

    def _work(self) -> None:
        """One job."""
        self._jobs.acquire()
        urgent = bool(self._urgent)
        job = (self._urgent if urgent else self._others).popleft()
        try:
            job()
        except Exception:
            log.exception("a call of Channel Access failed")
        if not self._urgent and (urgent or not self._others):
            ca.libca.ca_flush_io()
