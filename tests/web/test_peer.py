"""web/peer.py: what goes through a connection that has a session, and what the session hears of it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from pycaserver.web.logins import Proven
from pycaserver.web.peer import SessionPeer
from tests.fakes import FakeClock


class Stream:
    """Has taken what was sent when the test says so."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.taken: list[asyncio.Future[None]] = []

    def send(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        self.sent.append(bytes(data))
        self.taken.append(asyncio.get_running_loop().create_future())
        return self.taken[-1]


class FakeSession:
    """Counts what it hears."""

    def __init__(self) -> None:
        self.rooms = self.ends = 0
        self.outbox = self

    def on_room(self) -> None:
        self.rooms += 1

    def ended(self) -> None:
        self.ends += 1


def peer_of(stream: Stream, session: Any) -> SessionPeer[Any]:
    site: Any = SimpleNamespace(clock=FakeClock(), identities=None)
    peer = SessionPeer[Any](site, Proven(), "192.0.2.1", stream.send)
    peer.session = session
    return peer


@pytest.mark.parametrize("has_session", [True, False])
def test_the_session_hears_of_room(has_session: bool) -> None:
    async def steps() -> None:
        stream, session = Stream(), FakeSession()
        peer = peer_of(stream, session if has_session else None)
        peer.write([b"one", b"two"])
        assert (stream.sent, peer.unsent) == ([b"onetwo"], 6)
        stream.taken[0].set_result(None)
        await asyncio.sleep(0)
        assert peer.unsent == 0
        assert session.rooms == has_session

    asyncio.run(asyncio.wait_for(steps(), 10))


def test_a_session_ends_once() -> None:
    async def steps() -> None:
        session = FakeSession()
        peer = peer_of(Stream(), session)
        peer._end_session()
        peer._end_session()
        assert (peer.session, session.ends) == (None, 1)

    asyncio.run(asyncio.wait_for(steps(), 10))


def test_progress_is_what_its_stream_has_taken() -> None:
    class Carried(SessionPeer[Any]):
        _carrier: Any = SimpleNamespace(_total_write_done_index=0)

    async def steps() -> None:
        site: Any = SimpleNamespace(clock=FakeClock(), identities=None)
        peer = Carried(site, Proven(), "192.0.2.1", Stream().send)
        peer.write([b"one"])
        site.clock.advance(5)
        assert peer.stalled_for(site.clock.now) == 5
        peer._carrier._total_write_done_index = 1
        assert peer.stalled_for(site.clock.now) == 0

    asyncio.run(asyncio.wait_for(steps(), 10))
