"""A Node process with the JavaScript client, told what to do line by line."""

import json
import queue
import shutil
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.timing import scaled

DRIVER = Path(__file__).with_name("driver.mjs")
ANSWER_SECONDS = 40.0


class Rejected(AssertionError):
    """The program threw; `code` is that of a PVError."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['name']}: {error['message']}")
        self.code = error.get("code")


class NodeClient:
    """`driver.mjs` says what the programs have in scope."""

    def __init__(self, url: str, prefix: str) -> None:
        """prefix: of the IOC's records."""
        node = shutil.which("node")
        if node is None:
            pytest.skip("node is not on the PATH")
        command = [node, "--no-warnings", "--experimental-websocket", DRIVER, url, prefix]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def run(self, program: str) -> Any:
        """What the body of an async function returns, by way of JSON; Rejected if it throws."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"program": program}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._answers.get(timeout=scaled(ANSWER_SECONDS)))
        if "error" in answer:
            raise Rejected(answer["error"])
        return answer.get("value")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
