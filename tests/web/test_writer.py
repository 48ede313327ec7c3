"""PacedWriter against a stream that takes what a test lets it take."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycaserver.core.outbox import Frame, LongFrame
from pycaserver.web.framing import TEXT, frame
from pycaserver.web.writer import CHUNK, PacedWriter
from tests.fakes import FakeClock, flat

PONG = 0xA


def in_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: object, **keys: object) -> None:
        asyncio.run(test(*args, **keys))

    return run


class Stream:
    """Gets chunks from the writer; the system takes each when the test says so, or at once."""

    def __init__(self, at_once: bool = False) -> None:
        self.at_once = at_once
        self.chunks: list[bytes] = []
        self.closed = False
        self.clock = FakeClock()
        self.rooms = 0
        self.writer = PacedWriter(self._send, self.clock, self._on_room)
        self._futures: list[asyncio.Future[None]] = []

    @property
    def sent(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def in_flight(self) -> int:
        return sum(not future.done() for future in self._futures)

    async def take(self) -> None:
        """The system takes the chunk in flight."""
        self._futures[-1].set_result(None)
        await asyncio.sleep(0)

    async def take_all(self) -> None:
        while self.in_flight:
            await self.take()

    async def break_off(self) -> None:
        """The connection ends with a chunk in flight."""
        self.closed = True
        self._futures[-1].set_exception(ConnectionResetError())
        await asyncio.sleep(0)

    def _send(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        if self.closed:
            raise ConnectionResetError
        self.chunks.append(bytes(data))
        future = asyncio.get_running_loop().create_future()
        self._futures.append(future)
        if self.at_once:
            future.set_result(None)
        return future

    def _on_room(self) -> None:
        self.rooms += 1


@in_loop
async def test_first_piece_goes_at_once_and_the_rest_when_it_is_taken() -> None:
    stream = Stream()
    stream.writer.write([b"one"])
    stream.writer.write([b"two", b"three"])
    assert stream.chunks == [b"one"]
    assert stream.writer.unsent == len("onetwothree")
    await stream.take()
    assert stream.chunks == [b"one", b"twothree"]
    assert stream.writer.unsent == len("twothree")
    await stream.take()
    assert (stream.writer.unsent, stream.rooms) == (0, 2)


@in_loop
async def test_no_chunk_is_larger_than_the_bound_and_only_one_is_in_flight() -> None:
    stream = Stream()
    pieces = [b"a" * (3 * CHUNK + 1), b"b" * 10, b"c" * CHUNK]
    stream.writer.write(pieces)
    while stream.in_flight:
        assert stream.in_flight == 1
        await stream.take()
    assert max(map(len, stream.chunks)) <= CHUNK
    assert stream.sent == b"".join(pieces)


@in_loop
async def test_what_a_fast_stream_takes_at_once_does_not_wait() -> None:
    stream = Stream(at_once=True)
    stream.writer.write([b"a" * (2 * CHUNK)])
    assert (len(stream.sent), stream.writer.unsent) == (2 * CHUNK, 0)


@in_loop
async def test_urgent_frame_overtakes_whole_frames() -> None:
    stream = Stream()
    stream.writer.write([b"first"])
    stream.writer.write([b"second"])
    done = stream.writer.write_urgently(b"pong")
    assert not done.done()
    await stream.take()
    await stream.take()
    assert stream.sent == b"firstpongsecond"
    assert done.done()


LARGE = [b"l" * (2 * CHUNK + 5), LongFrame(b"head", memoryview(b"l" * (2 * CHUNK + 1)))]
each_large = pytest.mark.parametrize("large", LARGE, ids=lambda frame: type(frame).__name__)


@each_large
@in_loop
async def test_urgent_frame_waits_for_the_end_of_a_frame_that_has_begun(large: Frame) -> None:
    stream = Stream()
    stream.writer.write([large, b"next"])
    stream.writer.write_urgently(b"pong")
    await stream.take_all()
    assert stream.sent == flat(large) + b"pong" + b"next"


@in_loop
async def test_urgent_frame_goes_before_a_binary_frame_that_has_not_begun() -> None:
    stream = Stream()
    large = LARGE[1]
    stream.writer.write([b"in flight"])
    stream.writer.write([large])
    stream.writer.write_urgently(b"pong")
    await stream.take_all()
    assert stream.sent == b"in flight" + b"pong" + flat(large)


@in_loop
async def test_small_binary_frame_is_sent_in_one_go() -> None:
    stream = Stream()
    stream.writer.write([LongFrame(b"head", memoryview(b"body")), b"next"])
    assert stream.chunks == [b"headbodynext"]
    assert stream.writer.unsent == len(b"headbodynext")


@each_large
@in_loop
async def test_dropping_keeps_the_rest_of_a_frame_that_has_begun(large: Frame) -> None:
    stream = Stream()
    stream.writer.write([large, b"stale"])
    urgent = stream.writer.write_urgently(b"pong")
    stream.writer.drop()
    stream.writer.write([b"close"])
    assert stream.writer.unsent == len(large) + len(b"close")
    await stream.take_all()
    assert stream.sent == flat(large) + b"close"
    assert urgent.cancelled()
    assert stream.writer.unsent == 0


@in_loop
async def test_dropping_between_frames_keeps_nothing() -> None:
    stream = Stream()
    stream.writer.write([b"in flight"])
    stream.writer.write([b"stale"])
    stream.writer.drop()
    await stream.take()
    assert stream.sent == b"in flight"
    assert stream.writer.unsent == 0


@in_loop
async def test_stalling_is_counted_from_the_last_progress() -> None:
    stream = Stream()
    clock = stream.clock
    clock.advance(100)
    assert stream.writer.stalled_for(clock.now) == 0
    stream.writer.write([b"x" * (2 * CHUNK)])
    clock.advance(3)
    stream.writer.write([b"more"])  # more to send is no progress
    assert stream.writer.stalled_for(clock.now) == 3
    await stream.take()
    assert stream.writer.stalled_for(clock.now) == 0
    clock.advance(2)
    assert stream.writer.stalled_for(clock.now) == 2
    await stream.take_all()
    assert stream.writer.stalled_for(clock.now + 50) == 0


@in_loop
async def test_part_of_a_chunk_is_progress_where_it_is_known() -> None:
    stream = Stream()
    clock = stream.clock
    stream.writer.write([b"x" * CHUNK])
    for taken in (1000, 2000, 3000):
        clock.advance(5)
        assert stream.writer.stalled_for(clock.now, taken) == 0
    clock.advance(5)
    assert stream.writer.stalled_for(clock.now, 3000) == 5


@in_loop
async def test_broken_connection_ends_everything_quietly() -> None:
    stream = Stream()
    stream.writer.write([b"one"])
    urgent = stream.writer.write_urgently(b"pong")
    stream.writer.write([b"two"])
    await stream.break_off()
    assert urgent.cancelled()
    assert stream.writer.unsent == 0
    stream.writer.write([b"three"])
    assert stream.writer.write_urgently(b"pong").cancelled()
    assert (stream.sent, stream.writer.unsent, stream.rooms) == (b"one", 0, 0)


@in_loop
async def test_stream_that_is_already_closed_ends_everything_quietly() -> None:
    stream = Stream()
    stream.closed = True
    stream.writer.write([b"one"])
    assert (stream.chunks, stream.writer.unsent) == ([], 0)


WRITES = st.integers(0, 3 * CHUNK)
ACTIONS = st.lists(
    st.one_of(st.tuples(st.just("write"), WRITES), st.tuples(st.sampled_from(["urgent", "take"]), st.just(0)))
)


@settings(deadline=None)
@given(ACTIONS)
@in_loop
async def test_frames_stay_whole_and_in_order_whatever_happens(actions: list[tuple[str, int]]) -> None:
    stream, written, urgent = Stream(), [], []
    for number, (action, size) in enumerate(actions):
        if action == "write":
            written.append(frame(TEXT, number.to_bytes(4) + bytes(size)))
            stream.writer.write([written[-1]])
        elif action == "urgent":
            urgent.append(frame(PONG, number.to_bytes(4)))
            stream.writer.write_urgently(urgent[-1])
        elif stream.in_flight:
            await stream.take()
    await stream.take_all()
    frames = _whole_frames(stream.sent)
    assert [each for each in frames if each[0] & 0xF == TEXT] == written
    assert sorted(each for each in frames if each[0] & 0xF == PONG) == urgent
    assert stream.writer.unsent == 0


def _whole_frames(data: bytes) -> list[bytes]:
    frames = []
    while data:
        size, head = data[1], 2
        if size == 126:
            size, head = int.from_bytes(data[2:4]), 4
        elif size == 127:
            size, head = int.from_bytes(data[2:10]), 10
        frames.append(data[: head + size])
        data = data[head + size :]
    return frames
