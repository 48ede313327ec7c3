"""What is asked of the kernel: descriptors. The options of sockets show in the tests of slow readers."""

import asyncio
import resource
import socket
from contextlib import suppress

import pytest
from tornado.iostream import IOStream

from pycaserver.web.tcp import allow_descriptors, taken_from

INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("before", "wanted", "after", "granted"),
    [
        ((1024, 4096), 2000, (2000, 4096), 2000),
        ((1024, 4096), 5000, (4096, 4096), 4096),
        ((1024, INFINITE), 5000, (5000, INFINITE), 5000),
        ((4096, 8192), 2000, None, 4096),
        ((INFINITE, INFINITE), 2000, None, 2000),
    ],
)
def test_descriptors_are_asked_for_as_far_as_they_are_granted(
    monkeypatch: pytest.MonkeyPatch, before: tuple[int, int], wanted: int, after: tuple[int, int] | None, granted: int
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda what: before)
    monkeypatch.setattr(resource, "setrlimit", lambda what, limits: asked.append(limits))
    assert allow_descriptors(wanted) == granted
    assert asked == ([after] if after else [])


def test_what_is_taken_is_known_before_a_write_is_done() -> None:
    """A peer that reads slowly makes progress within one write."""

    async def steps() -> None:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        stream = IOStream(ours)
        theirs.setblocking(False)
        with theirs:
            written = stream.write(b"x" * 1_000_000)
            before = taken_from(stream)
            assert 0 < before < 1_000_000
            while taken_from(stream) == before:
                with suppress(BlockingIOError):
                    theirs.recv(65536)
                await asyncio.sleep(0)
            assert not written.done()
            stream.close()
        await asyncio.wait([written])

    asyncio.run(asyncio.wait_for(steps(), 10))
