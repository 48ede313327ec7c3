"""Commands as processes, and what is left of them."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.timing import scaled, wait_for

ROOT = Path(__file__).resolve().parent.parent
END_SECONDS = 20.0
NOT_INHERITED = ("EPICS_", "PYCASERVER_", "PYTHONUNBUFFERED")


class Command:
    """`python -m pycaserver ARGUMENTS`, whose output a test reads while it runs."""

    def __init__(self, *arguments: object, epics: Mapping[str, str] | None = None) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(NOT_INHERITED)}
        self.out: list[str] = []
        self.err: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pycaserver", *map(str, arguments)], cwd=ROOT, env={**environment, **(epics or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        pipes = ((self.process.stdout, self.out), (self.process.stderr, self.err))
        self._readers = [threading.Thread(target=_read, args=pipe, daemon=True) for pipe in pipes]
        for reader in self._readers:
            reader.start()

    def wait_for_line(self, text: str, count: int = 1) -> str:
        """The first line on standard output with this text, once there are so many."""
        found: list[str] = []

        def come() -> bool:
            found[:] = [line for line in self.out if text in line]
            return len(found) >= count

        wait_for(come, END_SECONDS, f"{count} lines with {text!r} from {self.process.args!r}")
        return found[0]

    def end(self, number: int | None = None) -> int:
        """Send the signal, if any, and wait; the exit code."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(scaled(END_SECONDS))
        for reader in self._readers:
            reader.join(scaled(END_SECONDS))
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()


def _read(pipe: IO[str], lines: list[str]) -> None:
    with pipe:
        for line in pipe:
            lines.append(line)


def children(pid: int) -> list[int]:
    """The processes that a process has started and that are still there."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and not been waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False
