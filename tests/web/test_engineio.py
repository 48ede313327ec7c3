"""web/engineio.py: how little of what is due is handed to Engine.IO at once."""

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from pycaserver.core.errors import TOO_MANY_ERRORS, TRY_LATER, CloseCode
from pycaserver.core.outbox import LongFrame
from pycaserver.web.engineio import POLLED, EnginePeer
from pycaserver.web.logins import Proven
from pycaserver.web.writer import CHUNK
from tests.fakes import FakeClock
from tests.timing import async_wait_for


class Engine:
    """An Engine.IO server with one connection, whose packets the test takes."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.sockets = {"sid": SimpleNamespace(queue=self.queue)}
        self.disconnected = False

    async def send(self, sid: str, packet: str) -> None:
        await self.queue.put(packet)

    async def disconnect(self, sid: str) -> None:
        self.disconnected = True

    async def poll(self) -> list[str]:
        """All that is there, as a poll takes it."""
        packets = [await self.queue.get()]
        while not self.queue.empty():
            packets.append(self.queue.get_nowait())
        for _ in packets:
            self.queue.task_done()
        return [packet for packet in packets if packet is not None]


class WebSocket:
    """That of the peer; drained when the test says so."""

    def __init__(self) -> None:
        self.taken = asyncio.Event()
        self.why: CloseCode | None = None

    async def drained(self) -> None:
        await self.taken.wait()

    def leaving(self, code: CloseCode) -> None:
        self.why = code

    def leave(self, code: CloseCode) -> None:
        self.why = code


class Hub:
    """Forgets."""

    def remove(self, peer: object) -> None:
        pass


def peer_of(engine: Engine) -> EnginePeer:
    figures = SimpleNamespace(closes={code.code: 0 for code in (TOO_MANY_ERRORS, TRY_LATER)})
    limits = SimpleNamespace(header_seconds=10)
    site: Any = SimpleNamespace(clock=FakeClock(), limits=limits, identities=None, hub=Hub(), figures=figures)
    return EnginePeer(site, engine, "sid", Proven(), "127.0.0.1")


def packets(number: int) -> list[Any]:
    return [b"2[%d]\x1e" % each for each in range(number)]


def run(steps: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(steps, 10))


def test_poll_gets_a_few_packets_and_the_rest_waits() -> None:
    async def steps() -> None:
        engine = Engine()
        peer = peer_of(engine)
        peer.write(packets(25))
        assert [len(await engine.poll()) for _ in range(3)] == [POLLED, POLLED, 5]
        await async_wait_for(lambda: peer.unsent == 0)

    run(steps())


def test_websocket_gets_all_at_once_and_no_more_until_it_is_drained() -> None:
    async def steps() -> None:
        engine, socket = Engine(), WebSocket()
        peer = peer_of(engine)
        peer.socket = socket
        peer.write(packets(25))
        assert len(await engine.poll()) == 25
        peer.write(packets(1))
        assert peer.unsent > 0 and engine.queue.empty()
        socket.taken.set()
        assert await engine.poll() == ["2[0]"]

    run(steps())


LARGE = [b"2[", *[b"x" * CHUNK] * 50, b"]\x1e"]


def whole(peer: EnginePeer, packets: list[str]) -> list[bytes]:
    """As they go to the client."""
    return [b"".join(peer.parts_of(f"4{packet}")) for packet in packets]


def test_large_packet_is_handed_over_by_name_and_whole_once() -> None:
    """The library would copy it."""

    async def steps() -> None:
        engine = Engine()
        peer = peer_of(engine)
        peer.write([*packets(1), LongFrame(*LARGE), *packets(1)])
        small, large, last = handed = await engine.poll()
        assert (small, last) == ("2[0]", "2[0]") and len(large) < 100
        assert whole(peer, handed) == [b"42[0]", b"4" + b"".join(LARGE)[:-1], b"42[0]"]
        assert whole(peer, [large]) == [b"4"]

    run(steps())


def test_packets_of_one_part_that_is_large_are_told_apart() -> None:
    async def steps() -> None:
        engine = Engine()
        peer = peer_of(engine)
        peer.write([b"".join([*packets(3), *LARGE, *packets(2)])])
        small = [b"4" + packet[:-1] for packet in packets(3)]
        assert whole(peer, await engine.poll()) == [*small, b"4" + b"".join(LARGE)[:-1], *small[:2]]

    run(steps())


def test_large_packet_is_gathered_turn_by_turn() -> None:
    """Nobody waits for it."""

    async def steps() -> None:
        engine = Engine()
        peer_of(engine).write([LongFrame(*LARGE)])
        turns = 0
        while engine.queue.empty():
            await asyncio.sleep(0)
            turns += 1
        assert turns >= 50

    run(steps())


@pytest.mark.parametrize(("code", "goodbye"), [(TOO_MANY_ERRORS, ["1"]), (TRY_LATER, [])])
def test_client_that_should_stay_away_is_told_so(code: CloseCode, goodbye: list[str]) -> None:
    async def steps() -> None:
        engine, socket = Engine(), WebSocket()
        peer = peer_of(engine)
        peer.socket = socket
        socket.taken.set()
        peer.close(code)
        assert not goodbye or await engine.poll() == goodbye
        await async_wait_for(lambda: engine.disconnected)
        assert (await engine.poll(), socket.why) == ([], code)

    run(steps())


def test_end_releases_a_poll_that_waits() -> None:
    async def steps() -> None:
        engine = Engine()
        peer_of(engine).end()
        assert await engine.poll() == []

    run(steps())
