"""A healthy session beside a fault, and what the server holds: what no fault may change."""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple, Self

from websockets.exceptions import ConnectionClosed

from tests.servers import Server
from tests.timing import scaled, wait_for

UNDISTURBED_SECONDS = 2.0
"""The longest pause between two values at 10 Hz that is no disturbance, on a machine with other work."""

LOGGING_THREAD = "errlog"
"""Of libca, which starts it, once, when it first has something to say."""


def within(limit: float, what: str, began: float) -> None:
    """AssertionError if more than limit seconds have passed since began; `pytest -rP` shows how many have."""
    took = time.monotonic() - began
    print(f"{what}: {took:.2f} s of at most {limit:g} s")
    assert took < scaled(limit), f"{what}: {took:.2f} s"


class Neighbour:
    """Follows a PV that counts up at 10 Hz; at the end nothing may be missing, late or said twice."""

    def __init__(self, server: Server, pv: str) -> None:
        self._client = server.client()
        self._client.send(action="connect", pv=pv)
        self._values: list[float] = []
        self._pauses: list[float] = []
        self._others: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        wait_for(lambda: self._values, 10, f"the first value of {pv}")

    def hear(self, count: int) -> None:
        """Wait for so many values more, a tenth of a second each."""
        enough = len(self._values) + count
        wait_for(lambda: len(self._values) >= enough, count, f"{count} values more")

    def check(self) -> None:
        """AssertionError if it was disturbed so far."""
        assert self._others[1:] == [], "it was told something else than values"
        values = self._values[:]
        assert values == [values[0] + index for index in range(len(values))], "values are missing, or out of order"
        assert max(self._pauses[1:], default=0) < scaled(UNDISTURBED_SECONDS), "it had to wait"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.hear(3)
        self._client.close()
        self._thread.join()
        if kind is None:
            self.check()

    def _follow(self) -> None:
        last = time.monotonic()
        try:
            for text in self._client.socket:
                now = time.monotonic()
                self._pauses.append(now - last)
                last = now
                message = json.loads(text)
                if message["msg_type"] == "monitor" and "coalesced" not in message:
                    self._values.append(message["value"])
                else:
                    self._others.append(message)
        except ConnectionClosed:
            return


class Held(NamedTuple):
    """What a server has in use."""

    descriptors: int
    threads: int
    sessions: int
    channels: int
    faults: int


def warm_up(server: Server, *pvs: str) -> Server:
    """Let it connect to these PVs once and forget them: threads and sockets that stay are there from now on."""
    with server.client() as client:
        client.send(action="connect", pv=pvs)
        silent = set(pvs)
        while silent:
            silent.discard(client.wait(msg_type="monitor")["pvname"])
    wait_for(lambda: held(server)[2:4] == (0, 0), 10, "sessions and channels to go")
    return server


def held(server: Server) -> Held:
    """Now, asked through a connection of its own."""
    process, totals = Path(f"/proc/{server.process.pid}"), server.status()
    return Held(
        len(os.listdir(process / "fd")), sum(map(_counts, (process / "task").iterdir())), totals["sessions"],
        sum(totals["channels"].values()), totals["faults"],
    )  # fmt: skip


def _counts(thread: Path) -> bool:
    try:
        return (thread / "comm").read_text().strip() != LOGGING_THREAD
    except OSError:  # it has ended in the meantime
        return False


def wait_until_held(server: Server, before: Held) -> None:
    """Until the server holds no more than before, and has had no fault; AssertionError if that does not come."""
    seen: list[Held] = []

    def is_back() -> bool:
        seen.append(held(server))
        return all(now <= then for now, then in zip(seen[-1], before, strict=True))

    try:
        wait_for(is_back, 10)
    except AssertionError:
        raise AssertionError(f"{before} before, {seen[-1]} at the end") from None
    assert "Traceback" not in server.output, server.output
