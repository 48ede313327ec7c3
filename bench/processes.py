"""The processes of a benchmark run: the IOC, the servers and the receivers. Each ends with its `with` block."""

import json
import os
import queue
import re
import resource
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from bench.build import FOLDER, build
from bench.ioc import sets_of
from tests.ca_search import LOOPBACK, free_port, search
from tests.iocs import random_prefix
from tests.timing import wait_for

ROOT: Final = Path(__file__).resolve().parent.parent
START_SECONDS: Final = 60.0
TICKS: Final = os.sysconf("SC_CLK_TCK")

Json = dict[str, Any]


def _cpu(stat: Path) -> float:
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Process:
    """A program that is told what to do by lines on its standard input, and answers each by a line of JSON."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._arguments = list(arguments)
        others = {key: value for key, value in os.environ.items() if not key.startswith("EPICS_")}
        self._process = subprocess.Popen(
            arguments, cwd=ROOT, env={**others, **environment}, text=True, errors="replace",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        self.answer()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def expect(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        """The next line that has it; RuntimeError, with what the program said, if it ends before, or says nothing."""
        while True:
            try:
                line = self._lines.get(timeout=seconds)
            except queue.Empty:
                line = ""
            if not line:
                raise RuntimeError(f"no answer from {self._arguments}:\n{''.join(self._said[-30:])}")
            if found := re.search(pattern, line):
                return found

    def answer(self, seconds: float = START_SECONDS) -> Json:
        """The next line of JSON."""
        answer: Json = json.loads(self.expect(r"^\{.*\}$", seconds)[0])
        return answer

    def tell(self, *words: object) -> None:
        """Give a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def ask(self, *words: object, seconds: float = START_SECONDS) -> Json:
        """Give a command and get its answer."""
        self.tell(*words)
        return self.answer(seconds)

    def cpu(self) -> float:
        """Seconds of processor time used so far, by user and system."""
        return _cpu(Path(f"/proc/{self.pid}/stat"))

    def threads(self) -> dict[str, float]:
        """The same by thread; those of one name together."""
        used: dict[str, float] = defaultdict(float)
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            used[(task / "comm").read_text().strip()] += _cpu(task / "stat")
        return used

    def memory(self) -> int:
        """Resident bytes."""
        return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[0]) * 1024

    def stop(self) -> None:
        """End it: by the end of its standard input, or by force. Its pipes are closed when this returns."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._end()
        self._reader.join()

    def _end(self) -> None:
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._said.append(line)
                self._lines.put(line)
        self._lines.put("")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class IOC(Process):
    """The IOC with its scalars, and waveforms as {elements: how many records}."""

    def __init__(self, scalars: int, waveforms: Mapping[int, int] | None = None) -> None:
        self.prefix = random_prefix()
        self.port = free_port()
        sizes = [str(scalars), *(f"{count}x{elements}" for elements, count in (waveforms or {}).items())]
        self.sets = sets_of(self.prefix, sizes)
        super().__init__(
            [sys.executable, "-m", "bench.ioc", self.prefix, str(build("ioc")), *sizes],
            {**self.client_environment, **self._server_environment},
        )
        self._runs = 0

    def _wait_until_ready(self) -> None:
        super()._wait_until_ready()
        wait_for(lambda: search(f"{self.prefix}d0", self.port) == self.port, START_SECONDS, "the IOC's answer")

    @property
    def client_environment(self) -> dict[str, str]:
        """The variables with which a client finds this IOC and no other."""
        return {
            "EPICS_CA_ADDR_LIST": f"{LOOPBACK}:{self.port}",
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CA_MAX_ARRAY_BYTES": "20000000",
            "EPICS_ALLOW_POSIX_THREAD_PRIORITY_SCHEDULING": "NO",
        }

    def next_run(self) -> int:
        """A number for a run."""
        self._runs += 1
        return self._runs

    def run(self, number: int, run: int, count: int, rate: float, seconds: float, burst: int = 1) -> Json:
        """Post to the first `count` records of a set, `rate` posts a second in all; {posted, rounds, seconds}.

        burst: ms between bursts; 0: each post by itself.
        """
        rounds = max(1, round(rate * seconds / count))
        return self.ask("run", number, count, rate, burst, run, rounds, seconds=START_SECONDS + 3 * seconds)

    @property
    def _server_environment(self) -> dict[str, str]:
        return {
            "EPICS_CAS_INTF_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
            "EPICS_CAS_SERVER_PORT": str(self.port),
        }


class Server(Process):
    """A WebSocket server on a free port; subclasses say which."""

    name = ""
    extended = False
    """Whether it knows more requests than connect and disconnect."""

    def __init__(self, arguments: Sequence[str], ioc: IOC) -> None:
        super().__init__([sys.executable, "-m", *arguments], ioc.client_environment)

    def _wait_until_ready(self) -> None:
        self.port = int(self.expect(r"listens on http://127\.0\.0\.1:(\d+)/")[1])

    def _end(self) -> None:
        self._process.terminate()
        super()._end()


class Naive(Server):
    """The baseline."""

    name = "naive"

    def __init__(self, ioc: IOC) -> None:
        super().__init__(["bench.naive"], ioc)


class Pycaserver(Server):
    """The server itself; without the limit that keeps all sessions of a benchmark from coming from one address."""

    name = "pycaserver"
    extended = True

    def __init__(self, ioc: IOC) -> None:
        flags = ["--port=0", "--log-level=warning", "--limits-sessions=5000", "--limits-sessions-per-address=5000"]
        super().__init__(["pycaserver", "serve", *flags], ioc)


class Load(Process):
    """Sessions of a server, each with `pvs` of the records of one of the IOC's sets. Returns when all have values."""

    def __init__(self, server: Server, ioc: IOC, number: int = 0, **options: object) -> None:
        stem, total, elements = ioc.sets[number]
        defaults = {"port": server.port, "stem": stem, "total": total, "elements": elements}
        arguments = [f"{name}={value}" for name, value in {**defaults, **options}.items()]
        super().__init__([str(build("load")), *arguments], {})

    def _wait_until_ready(self) -> None:
        self.began = self.answer()


class Receiver(Process):
    """A program that receives the first `count` records of a set by Channel Access, without any session."""

    def __init__(self, kind: str, ioc: IOC, number: int, count: int) -> None:
        """kind: "C", or one of bench.receive."""
        program = [str(build("receive"))] if kind == "C" else [sys.executable, "-m", "bench.receive", kind]
        super().__init__([*program, ioc.sets[number][0], str(count)], ioc.client_environment)


def raise_file_limit() -> None:
    """Thousands of sessions want as many files, here and in all that is started from here."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def results_folder() -> Path:
    """Where results are written: the repository ignores it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    return FOLDER
