"""The CA repeater: without one on the host, clients learn late that an IOC is back (10 s instead of 2 s)."""

import logging
import os
import socket
import struct
import subprocess
import sys
import time
from typing import Final

log = logging.getLogger(__name__)

DEFAULT_PORT: Final = 5065
START_SECONDS: Final = 5.0
ASK_SECONDS: Final = 0.05
REGISTER: Final = struct.pack(">HHHHII", 24, 0, 0, 0, 0, 0x7F000001)
"""CA_PROTO_REPEATER_REGISTER (Channel Access Protocol Specification), of a client on this host."""


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
        while not (there := _answers()) and self._process.poll() is None and time.monotonic() < give_up:
            time.sleep(ASK_SECONDS)
        if not there:
            log.warning("no CA repeater could be started; an IOC that comes back may be noticed late")

    def stop(self) -> None:
        """End it, if it was ours."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _is_running() -> bool:
    """Whether somebody holds the repeater's port, the way libca itself finds out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", _port()))
        except OSError:
            return True
    return False


def _answers() -> bool:
    """Whether a repeater confirms us as its client.

    To take the port for a look would keep it from the repeater that is about to.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(ASK_SECONDS)
        try:
            client.connect(("127.0.0.1", _port()))
            client.send(REGISTER)
            return bool(client.recv(16))
        except OSError:
            return False


def _port() -> int:
    return int(os.environ.get("EPICS_CA_REPEATER_PORT") or DEFAULT_PORT)
