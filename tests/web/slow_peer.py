"""A peer that does not read, beside one that does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import wait_for
from tests.web.http import totals, wait_for_totals
from tests.web.raw import RawClient

SLOW_READER = 4096
FEW_VALUES = 10_000_000
"""Bytes: a value of 100,000 numbers as floats and as JSON takes some 4 MB; a hundred of them are posted."""


def consecutive(values: list[float]) -> bool:
    return all(later == earlier + 1 for earlier, later in pairwise(values))


def pump(types: CIOC, until: Callable[[], bool]) -> None:
    """Post the 100,000 numbers of `large` again and again."""
    while not until():
        types.shell(f"dbpf {types.prefix}large.PROC 1")


def open_sockets(server: Server) -> int:
    sockets = 0
    for link in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            sockets += str(link.readlink()).startswith("socket:")
    return sockets


@contextmanager
def closed_as_slow(server: Server, types: CIOC, begin: Callable[[RawClient, str], None]) -> Iterator[RawClient]:
    """One that has subscribed by `begin`, never read, and been closed with 4001, which has harmed nobody."""
    wait_for_totals(server, sessions=0)
    large, fast = f"{types.prefix}large", f"{types.prefix}fast"
    with server.client() as warming:
        warming.send(action="connect", pv=large)
        pump(types, lambda: bool(warming.wait(msg_type="monitor")) and len(warming.messages) > 20)
    with server.client(max_queue=None) as healthy:
        healthy.send(action="connect", pv=fast)
        healthy.wait(msg_type="monitor")
        is_closed, sockets = closing(server), open_sockets(server)
        with RawClient(server.url, receive_buffer=SLOW_READER) as slow:
            begin(slow, large)
            pump(types, is_closed)
            wait_for_totals(server, sessions=1)
            yield slow
            wait_for(lambda: open_sockets(server) <= sockets, what="the connection to be closed")
        received = [message["value"] for message in healthy.settle() if message["msg_type"] == "monitor"]
    assert len(received) > 5
    assert consecutive(received)


def closing(server: Server) -> Callable[[], bool]:
    """Tells whether one more has been closed since, which has never cost much memory."""
    before, memory = totals(server)["closes"].get("4001", 0), server.resident

    def is_closed() -> bool:
        assert server.resident < memory + FEW_VALUES
        return bool(totals(server)["closes"].get("4001", 0) > before)

    return is_closed
