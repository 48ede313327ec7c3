"""An IOC that starts in a twentieth of a second, whatever it serves: `python -m tests.system.faults.quick_ioc PORT`.

A C IOC takes 0.7 s to start, too long for a hundred restarts. This process has everything loaded and serves nothing;
for each line on standard input, a PV name and its record as JSON, it forks a child that serves it, and prints the
child's process id. The child is the IOC: killing it is killing an IOC.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from caproto import ChannelData, ChannelDouble, ChannelEnum, ChannelInteger, ChannelString, SubscriptionType
from caproto.asyncio.server import start_server

from tests.ca_search import LOOPBACK, free_port, search
from tests.iocs import ROOT
from tests.timing import wait_for


class _Forgetful(ChannelDouble):
    """Becomes `then` in the moment in which a monitor begins, and posts nothing, as a C IOC may."""

    def __init__(self, *, then: float, **record: Any) -> None:
        super().__init__(**record)
        self._then = then

    async def subscribe(self, queue: Any, sub_spec: Any, sub: Any) -> None:
        await super().subscribe(queue, sub_spec, sub)
        if sub_spec.mask & SubscriptionType.DBE_VALUE:
            self._data["value"] = self._then
            self._content.clear()


KINDS: dict[str, type[ChannelData]] = {
    "double": ChannelDouble,
    "long": ChannelInteger,
    "enum": ChannelEnum,
    "string": ChannelString,
    "forgetful": _Forgetful,
}


class QuickIOC:
    """One PV after the other, each by a process of its own at the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"

    def serve(self, name: str, record: dict[str, Any]) -> int:
        """Start the IOC with this PV, and return when it answers; its process id. record: kind, value, and the rest."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, record]) + "\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        wait_for(lambda: search(name, self.port, 0.02), 10, f"an answer to a search for {name}")
        return child

    @staticmethod
    def kill(child: int) -> None:
        """SIGKILL."""
        os.kill(child, signal.SIGKILL)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self.port)], cwd=ROOT, env=_environment(self.port),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _environment(port: int) -> dict[str, str]:
    others = {key: value for key, value in os.environ.items() if not key.startswith("EPICS_")}
    return others | {
        "EPICS_CA_SERVER_PORT": str(port),
        "EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK,
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
    }


def main() -> None:
    """Fork an IOC for each line; the last one ends with standard input."""
    child = 0
    for line in sys.stdin:
        name, record = json.loads(line)
        if child:
            os.waitpid(child, 0)  # it was killed
        child = os.fork()
        if not child:
            _serve(name, record)
        print(child, flush=True)
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _serve(name: str, record: dict[str, Any]) -> None:
    os.close(0)
    kind = KINDS[record.pop("kind")]
    asyncio.run(start_server({name: kind(**record)}, interfaces=[LOOPBACK]))


if __name__ == "__main__":
    main()
