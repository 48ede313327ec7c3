"""The CA repeater: without one on the host, clients learn late that an IOC is back (10 s instead of 2 s)."""

import logging
import os
import socket
import subprocess
import sys
import time
from typing import Final

log = logging.getLogger(__name__)

DEFAULT_PORT: Final = 5065
START_SECONDS: Final = 5.0


class Repeater:
    """A repeater of our own, if the host has none; it ends with the server."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start one unless it is there; waits until it listens, since libca looks only once."""
        if _is_running():
            return
        command = (sys.executable, "-m", "caproto.commandline.repeater", "--quiet")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        give_up = time.monotonic() + START_SECONDS
        while not _is_running() and self._process.poll() is None and time.monotonic() < give_up:
            time.sleep(0.02)
        if not _is_running():
            log.warning("no CA repeater could be started; an IOC that comes back may be noticed late")

    def stop(self) -> None:
        """End it, if it was ours."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _is_running() -> bool:
    """Whether somebody holds the repeater's port, the way libca itself finds out."""
    port = int(os.environ.get("EPICS_CA_REPEATER_PORT") or DEFAULT_PORT)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return True
    return False
