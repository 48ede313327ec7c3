"""PutLine: order, one put-callback at a time, and what becomes of puts when the PV goes."""

from collections.abc import Callable

import numpy as np
import pytest

from pycaserver.core.errors import PycaError
from pycaserver.core.values import PVValue
from pycaserver.sources.circuit import MOST_BYTES, Circuit
from pycaserver.sources.puts import (
    ECA_DISCONN,
    ECA_NORMAL,
    ECA_NOWTACCESS,
    MOST_WAITING,
    MOST_WAITING_BYTES,
    LinedPut,
    PutLine,
)

ECA_PUTFAIL = 160


class Line:
    """A line whose libca is the test."""

    def __init__(self) -> None:
        self.written: list[LinedPut] = []
        self.told: list[tuple[str, str]] = []
        self.circuit = Circuit()
        self.line = PutLine(lambda line, put: self.written.append(put), lambda status: f"status {status}")
        self.line.connected(self.circuit)

        self.refused: PycaError | None = None
        """Why no put may be sent any more."""

    def put(self, name: str, *, wait: bool = True, elements: int = 1) -> Callable[[], bool]:
        return self.line.add(LinedPut(np.zeros(elements), Events(name, self), wait))

    def hand(self, status: int = ECA_NORMAL) -> LinedPut:
        """libca takes the oldest put."""
        put = self.written.pop(0)
        self.line.handed(put, status)
        return put

    def tell(self) -> list[tuple[str, str]]:
        """What was told since the last time."""
        told = self.told.copy()
        self.told.clear()
        return told


class Events:
    """Notes what a put is told."""

    def __init__(self, name: str, line: Line) -> None:
        self.name = name
        self.line = line

    def refusal(self) -> PycaError | None:
        return self.line.refused

    def sent(self) -> None:
        self.line.told.append((self.name, "sent"))

    def done(self, old: PVValue | None, error: PycaError | None) -> None:
        self.line.told.append((self.name, error.code if error else "done"))


@pytest.fixture
def line() -> Line:
    return Line()


def test_one_put_callback_at_a_time(line: Line) -> None:
    line.put("a")
    line.put("b")
    a = line.hand()
    line.line.read(a, ECA_NORMAL)
    assert line.written == []
    line.line.completed(a, ECA_NORMAL)
    assert line.tell() == [("a", "sent"), ("a", "done")]
    line.line.completed(line.hand(), ECA_NORMAL)
    assert line.tell() == [("b", "sent"), ("b", "done")]


def test_put_without_wait_goes_while_one_is_processed(line: Line) -> None:
    line.put("a")
    line.put("stop", wait=False)
    line.hand()
    stop = line.hand()
    assert line.tell() == [("a", "sent"), ("stop", "sent")]
    line.line.read(stop, ECA_NORMAL)
    assert line.tell() == [("stop", "done")]


def test_put_without_wait_keeps_its_place_behind_one_that_waits(line: Line) -> None:
    for name, wait in (("a", True), ("b", True), ("c", False)):
        line.put(name, wait=wait)
    line.line.completed(line.hand(), ECA_NORMAL)
    line.hand()
    line.hand()
    assert line.tell() == [("a", "sent"), ("a", "done"), ("b", "sent"), ("c", "sent")]


def test_put_that_waits_can_be_taken_back_and_one_that_is_sent_cannot(line: Line) -> None:
    take_back_a, take_back_b = line.put("a"), line.put("b")
    assert not take_back_a()
    assert take_back_b()
    line.line.completed(line.hand(), ECA_NORMAL)
    assert line.written == []
    assert line.tell() == [("a", "sent"), ("a", "done")]


@pytest.mark.parametrize(
    ("status", "code"), [(ECA_NOWTACCESS, "no_write_access"), (ECA_PUTFAIL, "put_failed"), (ECA_DISCONN, "put_failed")]
)
def test_status_of_libca_is_told_and_the_next_one_goes(line: Line, status: int, code: str) -> None:
    line.put("a")
    line.put("b")
    line.hand(status)
    assert line.tell() == [("a", code)]
    line.line.completed(line.hand(), status)
    assert line.tell() == [("b", "sent"), ("b", code)]


def test_waiting_puts_are_refused_when_the_pv_goes_and_the_sent_one_hears_from_libca(line: Line) -> None:
    line.put("a")
    line.put("b")
    a = line.hand()
    line.line.disconnected()
    assert line.tell() == [("a", "sent"), ("b", "not_connected")]
    line.line.read(a, ECA_DISCONN)
    line.line.completed(a, ECA_DISCONN)
    assert line.tell() == [("a", "put_failed")]
    line.put("c")
    assert line.tell() == [("c", "not_connected")]


def test_read_that_was_cut_off_says_that_the_outcome_is_unknown(line: Line) -> None:
    line.put("a", wait=False)
    line.line.read(line.hand(), ECA_DISCONN)
    assert line.tell() == [("a", "sent"), ("a", "put_failed")]


def test_room_is_made_once_the_ioc_has_read(line: Line) -> None:
    other = Line()
    other.line.connected(line.circuit)  # another PV of the same IOC
    line.put("large", elements=MOST_BYTES // 8)
    other.put("small")
    assert other.written == []
    large = line.hand()
    line.line.read(large, ECA_NORMAL)
    assert len(other.written) == 1
    line.line.completed(large, ECA_NORMAL)
    line.put("next")
    assert len(line.written) == 1


def test_put_that_waits_for_room_can_be_taken_back_or_loses_its_pv(line: Line) -> None:
    blocking = Line()
    blocking.line.connected(line.circuit)
    blocking.put("large", elements=MOST_BYTES // 8)
    take_back = line.put("a")
    assert take_back()
    line.put("b")
    line.line.disconnected()
    large = blocking.hand()
    blocking.line.read(large, ECA_NORMAL)
    assert (line.written, line.tell()) == ([], [("b", "not_connected")])


def test_many_puts_that_timed_out_while_the_ioc_hung_make_room_for_the_next(line: Line) -> None:
    line.put("large", wait=False, elements=MOST_BYTES // 8)
    for take_back in [line.put("a", wait=False) for _ in range(2000)]:
        assert take_back()
    line.put("b", wait=False)
    line.line.read(line.hand(), ECA_NORMAL)
    line.hand()
    assert line.tell() == [("large", "sent"), ("large", "done"), ("b", "sent")]


def test_channel_that_closes_makes_room_too(line: Line) -> None:
    other = Line()
    other.line.connected(line.circuit)
    line.put("large", elements=MOST_BYTES // 8)
    other.put("small")
    line.line.close()
    assert len(other.written) == 1


def test_too_much_for_one_ioc_is_refused(line: Line) -> None:
    for _ in range(3):
        line.put("large", wait=False, elements=1024 * 1024)
    assert line.tell() == [("large", "put_failed")]


@pytest.mark.parametrize("wait", [True, False])
def test_puts_that_are_refused_when_their_turn_comes_make_room_for_the_next(line: Line, wait: bool) -> None:
    blocking = Line()
    blocking.line.connected(line.circuit)
    blocking.put("large", elements=MOST_BYTES // 8)
    for _ in range(900):
        line.put("a", wait=wait)
    line.refused = PycaError("write_denied")
    large = blocking.hand()
    blocking.line.read(large, ECA_NORMAL)
    assert (line.written, line.tell()) == ([], [("a", "write_denied")] * 900)
    line.refused = None
    line.put("b", wait=wait)
    line.hand()
    assert line.tell() == [("b", "sent")]


def test_puts_behind_a_running_one_are_refused_when_their_turn_comes(line: Line) -> None:
    for name in ("a", *["b"] * 900):
        line.put(name)
    line.refused = PycaError("write_denied")
    line.line.completed(line.hand(), ECA_NORMAL)
    assert line.written == []
    assert line.tell() == [("a", "sent"), ("a", "done"), *[("b", "write_denied")] * 900]


def test_what_waits_for_a_pv_is_bounded_in_number(line: Line) -> None:
    line.put("a")
    take_backs = [line.put("b") for _ in range(MOST_WAITING)]
    line.put("c")
    assert line.tell() == [("c", "put_failed")]
    assert take_backs[0]()
    line.put("d")
    assert line.tell() == []


def test_what_waits_for_a_pv_is_bounded_in_bytes(line: Line) -> None:
    large = MOST_WAITING_BYTES // 16
    line.put("a")
    take_back = line.put("b", elements=large)
    line.put("c", elements=large)
    line.put("d")
    assert line.tell() == [("c", "put_failed")]
    assert take_back()
    line.put("e", elements=large)
    assert line.tell() == []
    line.line.disconnected()
    line.line.connected(line.circuit)
    line.put("f", elements=3 * large)
    assert line.tell() == [("d", "not_connected"), ("e", "not_connected")]  # one alone may be larger


def test_a_put_made_for_one_connection_is_not_sent_in_the_next(line: Line) -> None:
    """The PV may be of another type by then, though it is on the same circuit again."""
    line.circuit.send(MOST_BYTES, lambda: None)  # no room until it has arrived
    line.put("waits")
    line.line.disconnected()
    line.line.connected(line.circuit)
    line.circuit.arrived(MOST_BYTES)
    assert not line.written
    assert line.tell() == [("waits", "not_connected")]
    line.put("next")
    assert [put.events.name for put in line.written] == ["next"]  # type: ignore[attr-defined]
