"""All devices: found by any of their names; ticks."""

import pytest

from pycaserver.core import piecework
from pycaserver.dialects.evok.circuit import Circuit
from tests.dialects.evok.house import DEVICES, TICK, House


def test_the_order_is_that_of_evok(house: House) -> None:
    assert [each.kind for each in house.board] == ["ro", "do", "di", "ai", "ao", "led", "register"]
    assert len(list(house.board)) == len(DEVICES)


@pytest.mark.parametrize(
    ("dev", "kind"),
    [("relay", "ro"), ("input", "di"), ("digitalinput", "di"), ("output", "do"), ("digitaloutput", "do"),
     ("analoginput", "ai"), ("analogoutput", "ao"), ("watchdog", "wd"), ("sensor", "temp"), ("led", "led")],
)  # fmt: skip
def test_other_names(house: House, dev: str, kind: str) -> None:
    assert house.board.kinds(dev) == (kind,)


def test_what_is_not_there_is_not_found(house: House) -> None:
    assert house.board.kinds("owbus") == ()
    assert house.board.find("do", "lamp") is house.board.find("output", "1_01") is not None
    assert house.board.find("do", "9_99") is house.board.find("relay", "1_01") is None


def test_a_tick_comes_once_after_the_first_change_and_tells_each_device_once(house: House) -> None:
    told: list[list[Circuit]] = []
    house.board.listeners[told.append] = None
    house.post("AI", 1.0, 2.0)
    house.world.clock.advance(TICK / 2)
    house.post("AO", 1.0)
    assert not told
    house.world.clock.advance(TICK / 2)
    assert [[each.kind for each in circuits] for circuits in told] == [["ai", "ao"]]
    assert house.world.clock.pending == 0


def test_many_that_listen_are_told_in_turns(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has left meanwhile is not told any more."""
    monkeypatch.setattr(piecework, "TURN_SECONDS", 0)
    told: list[str] = []

    def first(circuits: list[Circuit]) -> None:
        told.append("first")
        del house.board.listeners[third]

    def second(circuits: list[Circuit]) -> None:
        told.append("second")

    def third(circuits: list[Circuit]) -> None:
        told.append("third")

    house.board.listeners.update({first: None, second: None, third: None})
    house.post("AI", 1.0)
    house.board._tick()
    assert told == []
    house.world.clock.run_one()
    assert told == ["first"]
    house.world.clock.run()
    assert told == ["first", "second"]


def test_nothing_ticks_while_nobody_listens(house: House) -> None:
    house.post("AI", 1.0)
    assert house.world.clock.pending == 0
    house.board.close()
    house.world.clock.advance(10)
    assert all(channel.closed for channel in house.world.source.channels.values())
