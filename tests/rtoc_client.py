"""The RTWebsocketClient of RTOC 3.0 as a process of its own: it needs versions that nothing else here could use."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.timing import scaled, wait_for

NEEDS = ("websocket-client==0.57.0", "six", "psutil", "pycryptodomex", "numpy", "requests")
INSTALL_SECONDS = 900.0
ANSWER_SECONDS = 15.0
DRIVER = Path(__file__).parent / "dialects" / "rtoc" / "driver.py"


def environment() -> Path:
    """Its interpreter, installed once into the user's cache; RuntimeError with the reason if that cannot be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pycaserver-tests"
    home = cache / f"rtoc-3.0-python{sys.version_info.major}.{sys.version_info.minor}"
    if not home.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as directory:
            made = Path(directory) / "made"
            _run(sys.executable, "-m", "venv", str(made))
            pip = (str(made / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
            _run(*pip, "--no-deps", "RTOC==3.0")
            _run(*pip, *NEEDS)
            if not home.exists():  # others may have been quicker
                made.rename(home)
    return home / "bin" / "python"


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(f"RTOC's client cannot be installed: {error}") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise RuntimeError(f"RTOC's client cannot be installed: {lines[-1] if lines else done.returncode}")


class RtocClient:
    """Connects, sends requests, and waits for what the client's callbacks were told."""

    def __init__(self, python: Path, host: str, port: int, password: str | None = None) -> None:
        self.told: list[tuple[str, Any]] = []
        self._seen = 0
        self._process = subprocess.Popen(
            [str(python), "-W", "ignore", str(DRIVER)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._order(connect=[host, port, password])
        self.wait("open")

    def send(self, **request: Any) -> None:
        """Send a request."""
        self._order(send=request)

    def wait(self, callback: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """What that callback was told next, of what is wanted."""

        def found() -> list[Any]:
            while self._seen < len(self.told):
                name, given = self.told[self._seen]
                self._seen += 1
                if name == callback and wanted(given):
                    return [given]
            return []

        return wait_for(found, ANSWER_SECONDS, f"RTOC's {callback}; so far {self.told!r:.2000}")[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.close()
        self._process.kill()
        self._process.wait(scaled(ANSWER_SECONDS))
        self._reader.join(scaled(ANSWER_SECONDS))
        stdout.close()

    def _order(self, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            self.told.append((told["told"], told["with"]))
