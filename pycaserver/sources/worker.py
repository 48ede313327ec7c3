"""The CA worker: the one thread that calls libca, as its calls may block and the event loop must not."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from epics import ca

from pycaserver.sources.complaints import hear

log = logging.getLogger(__name__)

START_SECONDS: Final = 30.0


class CAWorker:
    """Runs jobs in order on a thread that owns the CA context; flushes when it runs out of jobs."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ca-worker", daemon=True)

    def start(self) -> None:
        """Create the CA context, with callbacks on libca's own threads; RuntimeError if that is impossible."""
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._failure is not None:
            raise RuntimeError("Channel Access did not start") from self._failure

    def submit(self, job: Callable[[], object]) -> None:
        """Have it run after all that was submitted before."""
        self._jobs.put(job)

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
            job = self._jobs.get()
            try:
                job()
            except Exception:
                log.exception("a call of Channel Access failed")
            if self._jobs.empty():
                ca.libca.ca_flush_io()
