"""IOCs as processes on the loopback, for tests: a real C IOC and the simulated one, with one interface.

Each has its own free port (UDP and TCP) and random prefix, speaks to the loopback only, and ends with this process.
"""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests import c_ioc
from tests.ca_search import LOOPBACK, free_port, search
from tests.databases import DIRECTORY, fill, large_values, types_database
from tests.timing import scaled, wait_for

ROOT = Path(__file__).resolve().parent.parent
DATABASES = DIRECTORY
START_SECONDS = 30.0
STOP_SECONDS = 5.0
SHELL_SECONDS = 10.0


def random_prefix() -> str:
    """A PV name prefix that no other test uses, for example `T3f9a1c:`."""
    return f"T{secrets.token_hex(3)}:"


def client_env(*iocs: "IOCProcess") -> dict[str, str]:
    """The EPICS_CA_* variables with which a CA client finds these IOCs and nothing else."""
    return {
        "EPICS_CA_ADDR_LIST": " ".join(ioc.address for ioc in iocs),
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_NAME_SERVERS": "",
        "EPICS_CA_SERVER_PORT": str(iocs[0].port),
        "EPICS_ALLOW_POSIX_THREAD_PRIORITY_SCHEDULING": "NO",
    }


class IOCProcess:
    """An IOC in a process of its own. Subclasses say how it is started and what it serves."""

    ready_line = ""

    def __init__(self, prefix: str | None = None) -> None:
        self.prefix = random_prefix() if prefix is None else prefix
        self.port = free_port()
        self.host = LOOPBACK
        self._process: subprocess.Popen[str] | None = None
        self._lines: list[str] = []
        self._reader: threading.Thread | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def process(self) -> "subprocess.Popen[str]":
        """The running process; raises AssertionError before start()."""
        assert self._process is not None, "the IOC is not started"
        return self._process

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        """All that the process has printed, standard error included."""
        return "".join(self._lines)

    def env(self) -> dict[str, str]:
        """The EPICS_CA_* variables that a CA client of this IOC needs."""
        return client_env(self)

    def start(self) -> Self:
        """Start the process and return when it answers a search for one of its PVs at its own port."""
        assert not self.running, "the IOC is running"
        self._lines = []
        self._process = subprocess.Popen(
            [sys.executable, *self._arguments()], cwd=ROOT, env=self._server_env(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End the process in its own good time, or else kill it; nothing when it is not running."""
        if self.running:
            self.resume()
            self._ask_to_end()
        self._end(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL: the process is gone when this returns."""
        self._end(0)

    def pause(self) -> None:
        """SIGSTOP: the IOC hangs, its sockets stay open. All its threads stand still when this returns."""
        self.process.send_signal(signal.SIGSTOP)
        stopped = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        wait_for(lambda: os.waitid(os.P_PID, self.process.pid, stopped), STOP_SECONDS, "the IOC to stand still")

    def resume(self) -> None:
        """SIGCONT: the end of pause()."""
        self.process.send_signal(signal.SIGCONT)

    def restart(self, **changes: Any) -> Self:
        """Stop, and start again at the same port and prefix; `changes` replace arguments of the constructor."""
        self.stop()
        self._configure(**changes)
        return self.start()

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _arguments(self) -> list[str]:
        raise AssertionError("a subclass says how the IOC is started")

    def _known_pv(self) -> str:
        raise AssertionError("a subclass names a PV of its own")

    def _configure(self, **changes: Any) -> None:
        assert not changes, f"unknown: {changes}"

    def _ask_to_end(self) -> None:
        self.process.terminate()

    def _server_env(self) -> dict[str, str]:
        loopback = {
            "EPICS_CAS_INTF_ADDR_LIST": self.host,
            "EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
            "EPICS_CAS_SERVER_PORT": str(self.port),
        }
        others = {key: value for key, value in os.environ.items() if not key.startswith("EPICS_")}
        return others | self.env() | loopback

    def _wait_until_it_answers(self) -> None:
        def ready() -> bool:
            assert self.running, f"the IOC ended:\n{self.output}"
            return self.ready_line in self.output

        wait_for(ready, START_SECONDS, f"the IOC's line {self.ready_line!r}")
        name = self._known_pv()
        served = wait_for(
            lambda: search(name, self.port, host=self.host), START_SECONDS, f"an answer to a search for {name}"
        )
        assert served == self.port, f"the IOC serves TCP at {served}, not at {self.port}"

    def _end(self, patience: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(scaled(patience))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close_pipes(self._process)

    def _close_pipes(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None and process.stdout is not None
        if self._reader is not None:
            self._reader.join()
        if not process.stdin.closed:
            process.stdin.close()
        process.stdout.close()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.append(line)


class CIOC(IOCProcess):
    """A real C IOC (EPICS 7). `database` and `access` are a file's Path, or text; `startup` are commands for its shell.

    All three see the macro $(P), the prefix.
    """

    ready_line = c_ioc.READY
    _database: str | Path
    _macros: dict[str, str]
    _access: str | Path | None
    _startup: Sequence[str]

    def __init__(
        self,
        database: str | Path,
        prefix: str | None = None,
        macros: dict[str, str] | None = None,
        access: str | Path | None = None,
        startup: Sequence[str] = (),
    ) -> None:
        super().__init__(prefix)
        self._directory = Path()
        self._shell_lock = threading.Lock()
        self._configure(database=database, macros=macros or {}, access=access, startup=startup)

    def start(self) -> Self:
        with tempfile.TemporaryDirectory() as directory:
            self._directory = Path(directory)
            super().start()
        for command in self._startup:
            self.shell(command.replace("$(P)", self.prefix))
        return self

    def shell(self, command: str) -> str:
        """What an iocsh command prints, for example `casr 2`, `dbcar`, `dbpf PV value`."""
        stdin = self.process.stdin
        assert stdin is not None
        with self._shell_lock:
            before = len(self._lines)
            stdin.write(command + "\n")
            stdin.flush()
            wait_for(lambda: c_ioc.END + "\n" in self._lines[before:], SHELL_SECONDS, f"the end of {command[:80]!r}")
            end = self._lines.index(c_ioc.END + "\n", before)
            return "".join(self._lines[before:end])

    def _configure(self, **changes: Any) -> None:
        for name, value in changes.items():
            assert name in ("database", "macros", "access", "startup"), f"unknown: {name}"
            setattr(self, f"_{name}", value)

    def _arguments(self) -> list[str]:
        macros = ",".join(f"{name}={value}" for name, value in ({"P": self.prefix} | self._macros).items())
        access = [self._file("access.acf", self._access)] if self._access else []
        return ["-m", "tests.c_ioc", self._file("records.db", self._database), macros, *access]

    def _file(self, name: str, content: str | Path) -> str:
        if isinstance(content, Path):
            return str(content)
        path = self._directory / name
        path.write_text(content)
        return str(path)

    def _known_pv(self) -> str:
        return self.shell("dbl").split()[0]

    def _ask_to_end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()


class SimIOC(IOCProcess):
    """The simulated IOC, `python -m ioc_sim`."""

    ready_line = "ready"

    def _arguments(self) -> list[str]:
        return ["-m", "ioc_sim", "--prefix", self.prefix, "--end-with-stdin"]

    def _known_pv(self) -> str:
        from ioc_sim import pv_names

        return pv_names(self.prefix)[0]


def types_ioc(prefix: str | None = None) -> CIOC:
    """A C IOC with a record of every DBR type, and access rules (databases/types.db, types.acf)."""
    startup = [fill("$(P)large", large_values())]
    return CIOC(types_database(), prefix, access=DATABASES / "types.acf", startup=startup)
