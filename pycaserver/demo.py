"""The simulated IOC of `pycaserver demo`: a process of its own, on loopback, that ends with us."""

import os
import socket
import subprocess
import sys
from types import TracebackType
from typing import Any, Final, Self

from pycaserver.core.access import Rule

PREFIX: Final = "SIM:"
SETTINGS: Final[dict[tuple[str, str], Any]] = {
    ("access", "writes"): True,
    ("access", "rule"): [Rule(pv=f"{PREFIX}*", allow="write")],
}
"""Everybody may write what is simulated, unless settings say anything about access."""


class SimulatedIOC:
    """Runs `python -m ioc_sim` on free ports while the context lasts."""

    def __init__(self) -> None:
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pv_names(self) -> list[str]:
        """The PVs that it serves."""
        import ioc_sim

        return list(ioc_sim.pv_names(PREFIX))

    @property
    def epics(self) -> dict[str, str]:
        """The variables with which a CA client finds it, and nothing else."""
        return {
            "EPICS_CA_ADDR_LIST": f"127.0.0.1:{self._port}",
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CA_NAME_SERVERS": "",
        }

    def __enter__(self) -> Self:
        command = (sys.executable, "-m", "ioc_sim", "--prefix", PREFIX, "--end-with-stdin")
        port = str(self._port)
        environment = {**os.environ, "EPICS_CA_SERVER_PORT": port, "EPICS_CAS_SERVER_PORT": port}
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
