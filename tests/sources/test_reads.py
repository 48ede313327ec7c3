"""ReadLine: what libca has of reads is known, whoever still waits for them."""

from collections.abc import Callable
from typing import Any

import pytest

from pycaserver.core.errors import PycaError
from pycaserver.core.values import PVValue
from pycaserver.sources import circuit
from pycaserver.sources.circuit import MOST_BYTES, Circuit
from pycaserver.sources.reads import READ_BYTES, ReadLine
from tests.fakes import value

Told = list[PVValue | PycaError]
ON_THE_WAY = MOST_BYTES // READ_BYTES


class Libca:
    """Takes reads, and answers when the test says so; the result is the only part of an event."""

    def __init__(self) -> None:
        self.asked: dict[int, Callable[..., None]] = {}
        self.line = ReadLine(self._ask, lambda result: result)
        self.circuit = Circuit()
        self.told: Told = []

    @property
    def data(self) -> list[Any]:
        """The values that were told."""
        return [each.data for each in self.told if isinstance(each, PVValue)]

    def read(self) -> Callable[[], object]:
        return self.line.add(self.circuit, self.told.append)

    def answer(self, result: PVValue | PycaError) -> None:
        """To the oldest."""
        self.asked.pop(min(self.asked))(result)

    def _ask(self, target: Callable[..., None]) -> Callable[[], Any]:
        key = max(self.asked, default=0) + 1
        self.asked[key] = target
        return lambda: self.asked.pop(key, None)


@pytest.fixture
def libca() -> Libca:
    return Libca()


def test_a_read_is_answered_once(libca: Libca) -> None:
    libca.read()
    answer = libca.asked[1]
    libca.answer(value(1.0))
    answer(value(2.0))
    assert libca.data == [1.0]


def test_without_a_circuit_libca_says_so(libca: Libca) -> None:
    libca.line.add(None, libca.told.append)
    error = PycaError("not_connected")
    libca.answer(error)
    assert libca.told == [error]


def test_no_more_are_on_their_way_than_libca_takes_whoever_waits(libca: Libca) -> None:
    """Those that are forgotten are there until the IOC has answered."""
    for _ in range(2 * ON_THE_WAY):
        libca.read()()
    assert len(libca.asked) == ON_THE_WAY
    for _ in range(ON_THE_WAY):
        libca.answer(value(1.0))
    assert not libca.asked, "what was forgotten before its turn is not sent"
    assert libca.told == []
    libca.read()
    assert len(libca.asked) == 1, "and all have made room"


def test_those_that_wait_go_in_their_turn(libca: Libca) -> None:
    for _ in range(ON_THE_WAY + 2):
        libca.read()
    for number in range(ON_THE_WAY + 2):
        libca.answer(value(float(number)))
    assert libca.data == [*range(ON_THE_WAY + 2)]


def test_so_many_wait_for_an_ioc_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "MOST_READS", 2)
    libca = Libca()
    for _ in range(ON_THE_WAY + 3):
        libca.read()
    (error,) = libca.told
    assert isinstance(error, PycaError) and error.code == "get_timeout"


def test_a_lost_circuit_makes_room_at_once_and_each_is_told(libca: Libca) -> None:
    for _ in range(ON_THE_WAY):
        libca.read()
    libca.line.disconnected()
    other = Libca()
    other.line.add(libca.circuit, other.told.append)
    assert len(other.asked) == 1
    for _ in range(ON_THE_WAY):
        libca.answer(PycaError("not_connected"))
    assert len(libca.told) == ON_THE_WAY
    for _ in range(ON_THE_WAY - 1):
        other.line.add(libca.circuit, other.told.append)
    assert len(other.asked) == ON_THE_WAY, "none has made room twice"
    other.line.add(libca.circuit, other.told.append)
    assert len(other.asked) == ON_THE_WAY


def test_closed_it_leaves_nothing(libca: Libca) -> None:
    for _ in range(ON_THE_WAY + 1):
        libca.read()
    libca.line.close()
    assert not libca.asked and libca.told == [], "nor the one that waited"
    other = Libca()
    for _ in range(ON_THE_WAY + 1):
        other.line.add(libca.circuit, other.told.append)
    assert len(other.asked) == ON_THE_WAY, "there is all the room again, and no more"
