"""Connections before any session: who is let in, and who gives way."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.figures import Figures
from pycaserver.web.connections import PER_SESSION, SPARE, Connections

PER_ADDRESS = SPARE + 2 * PER_SESSION
IN_ALL = SPARE + 3 * PER_SESSION
DESCRIPTORS = 1000


@dataclass
class Limits:
    sessions: int = 3
    sessions_per_address: int = 2


@dataclass(eq=False)
class Stream:
    closed: bool = False

    def close(self) -> None:
        self.closed = True


@dataclass
class Gate:
    """Connections, with those that were let in."""

    figures: Figures = field(default_factory=Figures)
    connections: Connections = field(init=False)

    def __post_init__(self) -> None:
        self.connections = Connections(Limits(), self.figures, DESCRIPTORS)

    def come(self, address: str, count: int = 1, shared: bool = False) -> list[Stream]:
        streams = [Stream() for _ in range(count)]
        assert all(self.connections.admit(stream, address, shared=shared) for stream in streams)
        return streams


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_eldest_of_the_address_that_waits_gives_way(gate: Gate) -> None:
    other = gate.come("b", 1)
    crowd = gate.come("a", PER_ADDRESS + 2)
    assert [stream.closed for stream in crowd] == [True, True] + [False] * PER_ADDRESS
    assert not other[0].closed
    assert (gate.figures.connections, gate.figures.connections_dropped) == (PER_ADDRESS + 1, 2)


def test_eldest_of_all_gives_way_when_the_server_is_full(gate: Gate) -> None:
    first, *others = gate.come("a", PER_ADDRESS) + gate.come("b", IN_ALL - PER_ADDRESS)
    gate.come("c")
    assert first.closed
    assert not any(stream.closed for stream in others)


def test_one_that_has_asked_keeps_its_place_until_it_waits_again(gate: Gate) -> None:
    first, second, *others = gate.come("a", PER_ADDRESS)
    gate.connections.work(first)
    gate.come("a")
    assert (first.closed, second.closed) == (False, True)
    gate.connections.wait(first)
    gate.come("a", PER_ADDRESS - 1)
    assert all(stream.closed for stream in others)
    assert not first.closed, "it has waited for a shorter time than the others"
    gate.come("a")
    assert first.closed


def test_nobody_is_let_in_where_all_are_at_work(gate: Gate) -> None:
    for stream in gate.come("a", PER_ADDRESS):
        gate.connections.work(stream)
    assert not gate.connections.admit(Stream(), "a")
    assert gate.figures.connections_dropped == 1
    gate.come("b")


def test_address_that_stands_for_many_is_bounded_only_by_the_whole(gate: Gate) -> None:
    crowd = gate.come("proxy", IN_ALL, shared=True)
    assert not any(stream.closed for stream in crowd)
    gate.come("proxy", shared=True)
    assert crowd[0].closed


def test_sockets_never_run_out(gate: Gate) -> None:
    """However many sessions there are, an accepted connection has had a descriptor, and some are left."""
    gate.figures.sessions = DESCRIPTORS - 250 - 2
    first, second, third = gate.come("a", 3)
    assert (first.closed, second.closed, third.closed) == (True, False, False)
    for stream in (second, third):
        gate.connections.work(stream)
    assert not gate.connections.admit(Stream(), "b")


def test_who_has_left_counts_no_more(gate: Gate) -> None:
    crowd = gate.come("a", PER_ADDRESS)
    for stream in [*crowd, *crowd, Stream()]:
        gate.connections.leave(stream)
    assert (len(gate.connections), gate.figures.connections) == (0, 0)
    gate.connections.wait(crowd[0])
    gate.connections.work(crowd[1])
    assert len(gate.connections) == 0
    gate.come("a", PER_ADDRESS)
    assert gate.figures.connections_dropped == 0


@given(st.lists(st.tuples(st.sampled_from(["come", "work", "wait", "leave"]), st.integers(0, 30))))
def test_bounds_hold_whatever_happens(steps: list[tuple[str, int]]) -> None:
    gate = Gate()
    there: list[tuple[Stream, str]] = []
    for step, number in steps:
        if step == "come":
            stream, address = Stream(), "abcd"[number % 4]
            if gate.connections.admit(stream, address):
                there.append((stream, address))
        elif there:
            getattr(gate.connections, step)(there[number % len(there)][0])
            if step == "leave":
                del there[number % len(there)]
        there = [(stream, address) for stream, address in there if not stream.closed]
        addresses = [address for _, address in there]
        assert len(gate.connections) == len(there) <= IN_ALL
        assert all(addresses.count(address) <= PER_ADDRESS for address in "abcd")
