"""The server as a process on loopback, and a small WebSocket client, for tests."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import urlopen

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.timing import scaled, wait_for

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 20.0
STOP_SECONDS = 10.0
ANSWER_SECONDS = 10.0
WRITABLE = {"access-writes": "true", "access-default": "write"}
"""Settings with which everybody may write everything."""

WITHOUT_RING = (
    "-c",
    "import sys; sys.modules['pycaserver.sources._ring'] = None; from pycaserver.cli import main; main()",
)
"""The program as it is where there was no C compiler."""

_LISTENING = re.compile(r"listens on (https?://\S+/)")


class Server:
    """`python -m pycaserver serve` on a free loopback port; settings as flags, such as {"limits-linger-seconds": 1}."""

    def __init__(
        self,
        epics: Mapping[str, str],
        settings: Mapping[str, object] | None = None,
        *,
        port: int = 0,
        program: Sequence[str] = ("-m", "pycaserver"),
    ) -> None:
        """program: how Python is told to run it."""
        self.url = ""
        self._epics = dict(epics)
        self._settings = dict(settings or {})
        self._port = port
        self._program = program
        self._process: subprocess.Popen[str] | None = None
        self._lines: list[str] = []

    @property
    def process(self) -> "subprocess.Popen[str]":
        """The running process."""
        assert self._process is not None, "the server is not started"
        return self._process

    @property
    def resident(self) -> int:
        """Bytes of its memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def output(self) -> str:
        """All that it has printed and logged."""
        return "".join(self._lines)

    @property
    def monitor_url(self) -> str:
        """Address of the WebSocket."""
        return self.url.replace("http", "ws", 1) + "monitor"

    def start(self) -> Self:
        """Start and return when it listens; a second start uses the same port."""
        flags = [f"--{key}={value}" for key, value in self._settings.items()]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("EPICS_")}
        self._lines = []
        self._process = subprocess.Popen(
            [sys.executable, *self._program, "serve", f"--port={self._port}", *flags],
            cwd=ROOT, env={**environment, **self._epics}, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        wait_for(lambda: self._find_url() or self.process.poll() is not None, START_SECONDS)
        assert self.url, f"the server did not start:\n{self.output}"
        self._port = int(self.url.rsplit(":", 1)[1].strip("/"))
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal and wait; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(scaled(STOP_SECONDS))
        self._reader.join(scaled(STOP_SECONDS))
        return code

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()
        self._reader.join(scaled(STOP_SECONDS))

    def client(self, **options: Any) -> "Client":
        """A WebSocket session of this server."""
        return Client(self.monitor_url, **options)

    def status(self) -> dict[str, Any]:
        """The totals of /status."""
        with urlopen(self.url + "status?format=json") as answer:
            totals: dict[str, Any] = json.load(answer)
        return totals

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def _find_url(self) -> bool:
        found = _LISTENING.search(self.output)
        self.url = found[1] if found else ""
        return bool(found)

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                self._lines.append(line)


class Client:
    """A session of /monitor: sends requests, keeps all messages, waits for the one that a test wants."""

    def __init__(self, url: str, **options: Any) -> None:
        self._context = connect(url, max_size=None, compression=None, proxy=None, **options)
        self.socket: ClientConnection = self._context.__enter__()
        self.messages: list[dict[str, Any]] = []
        self._seen = 0

    def send(self, **request: Any) -> None:
        """Send a request."""
        self.socket.send(json.dumps(request))

    def receive(self, timeout: float = ANSWER_SECONDS) -> Any:
        """The next frame: a message, a list of them, or bytes. TimeoutError if none comes."""
        data = self.socket.recv(timeout=scaled(timeout))
        frame = json.loads(data) if isinstance(data, str) else data
        self.messages += frame if isinstance(frame, list) else [frame] if isinstance(frame, dict) else []
        return frame

    def wait(self, wanted: Callable[[dict[str, Any]], bool] = lambda _: True, timeout: float = ANSWER_SECONDS,
             **keys: Any) -> dict[str, Any]:  # fmt: skip
        """The first message not yet looked at that has these keys and is wanted."""
        while True:
            while self._seen < len(self.messages):
                message = self.messages[self._seen]
                self._seen += 1
                if keys.items() <= message.items() and wanted(message):
                    return message
            self.receive(timeout)

    def settle(self) -> list[dict[str, Any]]:
        """All messages that the server had sent when it answered a ping now; they count as looked at."""
        first = self._seen
        self.send(action="ping", id="settle")
        self.wait(msg_type="pong", id="settle")
        return self.messages[first : self._seen - 1]

    def close_code(self) -> int:
        """That with which the server ends the session; TimeoutError if it does not."""
        try:
            while True:
                self.receive()
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code

    @staticmethod
    def unpack(frame: bytes) -> tuple[dict[str, Any], bytes]:
        """The message and the elements of a binary frame."""
        size = int.from_bytes(frame[:4], "little")
        assert (4 + size) % 8 == 0, "the elements are not aligned"
        return json.loads(frame[4 : 4 + size]), frame[4 + size :]

    def close(self) -> None:
        """Close the session."""
        self._context.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
