"""Circuit: what is on its way to one IOC is bounded, what waits too."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.errors import PycaError
from pycaserver.sources.circuit import MOST_BYTES, MOST_PUTS, MOST_READS, MOST_WAITING_BYTES, Circuit


def test_what_fits_goes_at_once_and_the_rest_in_order() -> None:
    circuit, sent = Circuit(), list[int]()
    for number, size in enumerate((MOST_BYTES - 10, 10, 1, 10)):
        circuit.send(size, partial(sent.append, number))
    assert sent == [0, 1]
    circuit.arrived(10)
    assert sent == [0, 1, 2]  # the last one would not fit
    circuit.arrived(1)
    assert sent == [0, 1, 2, 3]


def test_larger_one_goes_alone_and_reads_wait_behind_it() -> None:
    circuit, sent = Circuit(), list[str]()
    circuit.send(10 * MOST_BYTES, lambda: sent.append("large"))
    circuit.send(0, lambda: sent.append("read"))
    circuit.send(1, lambda: sent.append("small"))
    assert sent == ["large"]
    circuit.arrived(10 * MOST_BYTES)
    assert sent == ["large", "read", "small"]


def test_what_waits_is_bounded_in_bytes_but_what_has_no_kind_is_taken() -> None:
    circuit = Circuit()
    circuit.send(MOST_BYTES, lambda: None, circuit.puts)
    circuit.send(MOST_WAITING_BYTES, lambda: None, circuit.puts)
    with pytest.raises(PycaError, match=f"1 requests with {MOST_WAITING_BYTES} bytes wait") as caught:
        circuit.send(1, lambda: None, circuit.puts)
    assert caught.value.code == "put_failed"
    circuit.send(1, lambda: None, circuit.reads)
    circuit.send(0, lambda: None)


def test_what_waits_is_bounded_in_number_and_puts_and_reads_by_themselves() -> None:
    circuit, sent = Circuit(), list[str]()
    circuit.send(MOST_BYTES, lambda: None, circuit.puts)
    for _ in range(MOST_READS):
        circuit.send(1, lambda: sent.append("read"), circuit.reads)
    with pytest.raises(PycaError, match=f"{MOST_READS} requests"):
        circuit.send(1, lambda: None, circuit.reads)
    for _ in range(MOST_PUTS):
        circuit.send(1, lambda: sent.append("put"), circuit.puts)
    with pytest.raises(PycaError, match=f"{MOST_PUTS} requests"):
        circuit.send(1, lambda: None, circuit.puts)
    circuit.arrived(MOST_BYTES)
    assert sent == ["read"] * MOST_READS + ["put"] * MOST_PUTS
    circuit.send(1, lambda: None, circuit.reads)  # there is room again


@given(st.lists(st.integers(1, 3 * MOST_BYTES), max_size=40))
def test_never_more_on_the_way_than_allowed_and_all_arrive_in_order(sizes: list[int]) -> None:
    circuit, sent, arrived = Circuit(), list[int](), 0
    for index in range(len(sizes)):
        circuit.send(sizes[index], partial(sent.append, index))
    while arrived < len(sizes):
        under_way = [sizes[index] for index in sent[arrived:]]
        assert under_way and (len(under_way) == 1 or sum(under_way) <= MOST_BYTES)
        circuit.arrived(under_way[0])
        arrived += 1
    assert sent == list(range(len(sizes)))


def test_any_number_that_is_over_when_its_turn_comes_makes_room_for_the_next() -> None:
    circuit, sent = Circuit(), list[str]()
    circuit.send(MOST_BYTES, lambda: None)
    for _ in range(2000):
        circuit.send(1, lambda: circuit.arrived(1))
        circuit.send(0, lambda: None)
    circuit.send(1, lambda: sent.append("last"))
    circuit.arrived(MOST_BYTES)
    assert sent == ["last"]
