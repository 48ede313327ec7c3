"""The queue between libca's threads and the loop: the compiled one and the one in Python are the same to their user."""

import ctypes
import gc
import os
import shutil
import sysconfig
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from epics import dbr
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.values import DbrType
from pycaserver.sources import queue
from pycaserver.sources.dbr import CTRL, SIZES, TIME
from pycaserver.sources.queue import ECA_NORMAL, EVENT_BYTES, EventArgs, EventQueue, Queue

from .test_dbr import time_bytes

KINDS: dict[str, Callable[..., Queue]] = {"python": EventQueue}
try:
    from pycaserver.sources._ring import Ring

    KINDS["compiled"] = Ring
except ImportError:  # there was no C compiler
    pass

each_kind = pytest.mark.parametrize("kind", KINDS)

LIMIT = 100 * EVENT_BYTES


def test_the_ring_is_compiled_where_that_is_possible() -> None:
    header = Path(sysconfig.get_path("include")) / "Python.h"
    assert "compiled" in KINDS or not shutil.which("cc") or not header.exists()


class Pipe:
    """Where a queue wakes its loop."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        os.set_blocking(self.writing, False)

    def wakes(self) -> int:
        """How often the loop has been woken since the last time."""
        try:
            return len(os.read(self.reading, 100))
        except BlockingIOError:
            return 0

    def close(self) -> None:
        os.close(self.reading)
        os.close(self.writing)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def make(kind: str, pipe: Pipe, limit: int = LIMIT) -> Queue:
    return KINDS[kind](SIZES, pipe.writing, limit)


FUNCTION = ctypes.CFUNCTYPE(None, EventArgs)


def send(to: Queue, key: int, raw: bytes, type: int = TIME + DbrType.DOUBLE, count: int = 1,
         status: int = ECA_NORMAL) -> None:  # fmt: skip
    """An event, as libca would call back."""
    buffer = ctypes.create_string_buffer(raw, len(raw) or 1)
    FUNCTION(to.callback)(EventArgs(to.usr(key), 0, type, count, ctypes.addressof(buffer), status))


def number(value: float) -> bytes:
    return time_bytes(DbrType.DOUBLE, [value])


@each_kind
def test_events_and_calls_come_out_in_order(kind: str, pipe: Pipe) -> None:
    events = make(kind, pipe)
    first, last = object.__new__(type("Call", (), {})), print
    send(events, 1, number(1.0))
    events.put(first)  # type: ignore[arg-type]
    send(events, 2**39, number(2.0))
    events.put(last)
    double = int(TIME + DbrType.DOUBLE)
    assert events.take() == [
        (1, double, 1, ECA_NORMAL, number(1.0), 0), first, (2**39, double, 1, ECA_NORMAL, number(2.0), 0), last,
    ]  # fmt: skip
    assert events.take() == []


@each_kind
def test_the_loop_is_woken_once_until_it_is_idle(kind: str, pipe: Pipe) -> None:
    events = make(kind, pipe)
    for _ in range(10):
        send(events, 1, number(0.0))
        events.put(print)
    assert pipe.wakes() == 1
    events.take()
    send(events, 1, number(0.0))
    assert pipe.wakes() == 0
    assert not events.idle(), "one came after the loop had looked"
    events.take()
    assert events.idle()
    send(events, 1, number(0.0))
    assert pipe.wakes() == 1


@each_kind
def test_a_full_pipe_keeps_nobody_waiting(kind: str, pipe: Pipe) -> None:
    events = make(kind, pipe)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(pipe.writing, bytes(4096))
    events.put(print)
    assert events.take() == [print]


@each_kind
@pytest.mark.parametrize("type", sorted(SIZES))
def test_as_many_bytes_are_copied_as_matter(kind: str, pipe: Pipe, type: int) -> None:
    events = make(kind, pipe)
    base, each = SIZES[type]
    raw = bytes(n % 251 for n in range(base + 3 * each + 50))
    send(events, 1, raw, type, count=3)
    assert bytes(events.take()[0][4]) == raw[: base + 3 * each]  # type: ignore[index]


@each_kind
@pytest.mark.parametrize(
    ("type", "status"), [(TIME + DbrType.DOUBLE, 192), (CTRL + 40, ECA_NORMAL), (-1, ECA_NORMAL), (0, ECA_NORMAL)]
)
def test_what_is_no_value_has_no_bytes(kind: str, pipe: Pipe, type: int, status: int) -> None:
    events = make(kind, pipe)
    send(events, 1, number(1.0), type, status=status)
    assert events.take() == [(1, type, 1, status, b"", 0)]


@each_kind
def test_a_large_array_outlives_its_queue(kind: str, pipe: Pipe) -> None:
    events = make(kind, pipe, 1 << 30)
    data = np.arange(100_000, dtype="f8")
    send(events, 1, time_bytes(DbrType.DOUBLE, [0.0])[:16] + data.tobytes(), count=len(data))
    raw = events.take()[0][4]  # type: ignore[index]
    array = np.frombuffer(raw, "f8", len(data), 16)
    del events, raw
    gc.collect()
    assert not array.flags.writeable
    np.testing.assert_array_equal(array, data)


@each_kind
def test_two_queues_do_not_mix(kind: str, pipe: Pipe) -> None:
    one, other = make(kind, pipe), make(kind, pipe)
    send(one, 1, number(1.0))
    send(other, 1, number(2.0))
    assert [item[4] for item in one.take()] == [number(1.0)]  # type: ignore[index]
    assert [item[4] for item in other.take()] == [number(2.0)]  # type: ignore[index]


@each_kind
def test_calls_that_nobody_takes_are_let_go(kind: str, pipe: Pipe) -> None:
    class Call:
        def __call__(self) -> None: ...

    events = make(kind, pipe)
    events.put(Call())
    del events
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing) is Call]


@each_kind
def test_many_threads_lose_nothing(kind: str, pipe: Pipe) -> None:
    events = make(kind, pipe, 1 << 30)
    threads = [
        threading.Thread(target=lambda key=key: [send(events, key, number(n)) for n in range(500)]) for key in (1, 2, 3)
    ]
    for thread in threads:
        thread.start()
    got: list[Any] = []
    while any(thread.is_alive() for thread in threads):
        got += events.take()
    got += events.take()
    for key in (1, 2, 3):
        assert [item[4] for item in got if item[0] == key] == [number(n) for n in range(500)]


@each_kind
def test_only_the_newest_is_kept_when_the_loop_is_behind(kind: str, pipe: Pipe) -> None:
    events = make(kind, pipe)
    for n in range(1000):
        send(events, 1 + n % 2, number(n))
    items: list[Any] = events.take()
    assert len(items) <= 2 * LIMIT // EVENT_BYTES + 2
    assert sum(1 + item[5] for item in items) == 1000
    assert [item[4] for item in items][-2:] == [number(998), number(999)]
    assert events.merged == 1000 - len(items) > 0


Sort = tuple[int, DbrType]
"""Key and type."""
SORTS = st.tuples(st.integers(1, 4), st.sampled_from([DbrType.DOUBLE, DbrType.LONG]))
Told = dict[Sort, tuple[Sort, bytes, int]]


@each_kind
@given(sorts=st.lists(st.one_of(SORTS, st.none()), max_size=60))
def test_compaction_against_a_model(kind: str, sorts: list[Sort | None]) -> None:
    """Between two calls the newest event of each key and type remains, knows how many it stands for, in order."""
    pipe = Pipe()
    events = make(kind, pipe, 0)  # there is never room for two
    calls = [lambda n=n: n for n in range(len(sorts))]
    for n, sort in enumerate(sorts):
        events.put(calls[n]) if sort is None else send(events, sort[0], time_bytes(sort[1], [n]), TIME + sort[1])
    items: list[Any] = events.take()
    told = [item if callable(item) else ((item[0], item[1] - TIME), bytes(item[4]), item[5]) for item in items]
    assert stretches(told) == stretches(model(sorts, calls))
    pipe.close()


def model(sorts: list[Sort | None], calls: list[Any]) -> list[Any]:
    expected: list[Any] = []
    newest: Told = {}
    for n, sort in enumerate(sorts):
        if sort is None:
            expected += [*newest.values(), calls[n]]
            newest = {}
        else:
            _, _, merged = newest.pop(sort, (sort, b"", -1))
            newest[sort] = (sort, time_bytes(sort[1], [n]), merged + 1)
    return [*expected, *newest.values()]


def stretches(items: list[Any]) -> list[Any]:
    """A queue may keep more than the newest until the next compaction: of each sort the last, and how many in all."""
    result: list[Any] = []
    newest: Told = {}
    for item in [*items, None]:
        if item is None or callable(item):
            result += [list(newest.values()), item]
            newest = {}
        else:
            sort, raw, merged = item
            before = newest.pop(sort, (sort, b"", -1))
            newest[sort] = (sort, raw, merged + before[2] + 1)
    return result


def test_the_thread_state_is_pinned_once_for_each_thread(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[int] = []
    ensure = queue.ctypes.pythonapi.PyGILState_Ensure

    def counted() -> int:
        pinned.append(threading.get_ident())
        return int(ensure())

    monkeypatch.setattr(queue.ctypes.pythonapi, "PyGILState_Ensure", counted)
    events = EventQueue(SIZES, pipe.writing, LIMIT)
    threads = [threading.Thread(target=lambda: [send(events, 1, number(1.0)) for _ in range(5)]) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert len(pinned) == 2


def test_the_argument_structure_is_that_of_pyepics() -> None:
    ours = [getattr(EventArgs, name).offset for name, _ in EventArgs._fields_]
    theirs = [getattr(dbr.event_handler_args, name).offset for name, _ in dbr.event_handler_args._fields_]
    assert ours == theirs
