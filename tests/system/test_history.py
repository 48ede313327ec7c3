"""History through a server to a C IOC: it outlives an orderly end, and all but its last batch a crash."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from pycaserver.keeper import SAVE_SECONDS
from tests.databases import counters
from tests.iocs import CIOC
from tests.servers import Client, Server
from tests.timing import wait_for

COUNTERS = 2
RATE = 10


@pytest.fixture(scope="module")
def counting() -> Iterator[CIOC]:
    """Records that count up at 10 Hz."""
    with CIOC(counters(COUNTERS)) as ioc:
        yield ioc


@pytest.fixture
def settings(counting: CIOC, tmp_path: Path) -> dict[str, object]:
    return {"history-keep": f"{counting.prefix}count0", "history-file": tmp_path / "history.sqlite"}


def history(client: Client, pv: str, **keys: Any) -> list[float]:
    """Values, none of which is missing or twice."""
    client.send(action="history", pv=pv, **keys)
    values: list[float] = client.wait(msg_type="history", pvname=pv)["value"]
    assert values == [values[0] + number for number in range(len(values))]
    return values


def grown(server: Server, pv: str, count: int) -> list[float]:
    """The history, once it has so many values."""
    found: list[float] = []

    def enough() -> bool:
        found[:] = history(client, pv)
        return len(found) >= count

    with server.client() as client:
        wait_for(enough, 30.0)
    return found


def test_nobody_watches_and_it_is_there(counting: CIOC, settings: dict[str, object]) -> None:
    with Server(counting.env(), settings) as server, server.client() as client:
        grown(server, f"{counting.prefix}count0", 5)
        assert history(client, f"{counting.prefix}count1") == []


@pytest.mark.parametrize("crash", [False, True])
def test_it_outlives_the_server(counting: CIOC, settings: dict[str, object], crash: bool) -> None:
    """The values are those of one count, so what was lost shows, and the IOC's pause in between."""
    pv = f"{counting.prefix}count0"
    with Server(counting.env(), settings) as server:
        before = grown(server, pv, RATE * int(2 * SAVE_SECONDS + 1))
        if crash:
            server.kill()
        else:
            assert server.stop() == 0
    with Server(counting.env(), settings) as server, server.client() as client:
        after: list[float] = []

        def is_loaded() -> bool:
            client.send(action="history", pv=pv)
            after[:] = client.wait(msg_type="history", pvname=pv)["value"]
            return after[:1] == before[:1]

        wait_for(is_loaded, 10.0)
    lost = len(set(before) - set(after))
    assert lost <= (RATE * (SAVE_SECONDS + 1) if crash else 0)
    assert after == sorted(set(after))


def test_an_event_stream_begins_with_it(counting: CIOC, settings: dict[str, object]) -> None:
    pv = f"{counting.prefix}count0"
    with Server(counting.env(), settings) as server:
        grown(server, pv, 3)
        with urlopen(f"{server.url}api/pv/{pv}/stream?history=60") as stream:
            events = (json.loads(line.removeprefix(b"data: ")) for line in stream if line.startswith(b"data: "))
            first, second, third = islice(events, 3)
    assert (first["msg_type"], second["msg_type"], third["msg_type"]) == ("history", "connection", "monitor")
    assert len(first["value"]) >= 3


def test_a_file_that_cannot_be_written_stops_nobody(counting: CIOC, settings: dict[str, object]) -> None:
    unusable = {**settings, "history-file": "/proc/history.sqlite"}
    with Server(counting.env(), unusable) as server:
        grown(server, f"{counting.prefix}count0", 5)
        wait_for(lambda: server.status()["history_failures"] > 0, 10.0)
        assert "history.file /proc/history.sqlite: " in server.output
        assert server.stop() == 0
