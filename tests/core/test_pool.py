"""core/pool.py"""

import pytest

from pycaserver.core.errors import PycaError
from tests.fakes import World


def test_a_pv_has_one_channel_however_many_use_it(world: World) -> None:
    one, other = world.pool.acquire("A"), world.pool.acquire("A")
    assert one is other
    assert one.users == 2
    assert world.source.opened == ["A"]


def test_different_pvs_have_different_channels(world: World) -> None:
    assert world.pool.acquire("A") is not world.pool.acquire("B")
    assert world.pool.acquire("A") is not world.pool.acquire("A.VAL")  # CA gets the name as it was asked for
    assert world.source.opened == ["A", "B", "A.VAL"]


def test_the_last_users_leaving_closes_the_channel_after_the_linger(world: World) -> None:
    channel = world.pool.acquire("A")
    world.pool.acquire("A")
    world.pool.release(channel)
    world.clock.advance(60)
    assert not world.source["A"].closed
    world.pool.release(channel)
    world.clock.advance(4.9)
    assert world.pool.get("A") is channel
    world.clock.advance(0.2)
    assert world.source["A"].closed
    assert world.pool.get("A") is None


def test_who_comes_back_within_the_linger_finds_the_channel_as_it_was(world: World) -> None:
    channel = world.pool.acquire("A")
    world.pool.release(channel)
    world.clock.advance(4.9)
    assert world.pool.acquire("A") is channel
    world.clock.advance(60)
    assert not world.source["A"].closed
    assert world.source.opened == ["A"]


def test_leaving_again_lingers_anew(world: World) -> None:
    channel = world.pool.acquire("A")
    world.pool.release(channel)
    world.clock.advance(4)
    world.pool.release(world.pool.acquire("A"))
    world.clock.advance(4)
    assert not world.source["A"].closed
    world.clock.advance(1.1)
    assert world.source["A"].closed


def test_after_the_linger_a_channel_is_opened_anew(world: World) -> None:
    first = world.pool.acquire("A")
    world.pool.release(first)
    world.clock.advance(5.1)
    assert world.pool.acquire("A") is not first
    assert world.source.opened == ["A", "A"]


def test_nothing_is_left_behind(world: World) -> None:
    for name in ("A", "B", "A"):
        world.pool.release(world.pool.acquire(name))
    world.clock.advance(10)
    assert not world.pool.states()
    assert world.clock.pending == 0


@pytest.mark.parametrize("name", ["", "T:d\0.allowed", "PV ", "PV\n"], ids=ascii)
def test_a_bad_name_never_reaches_the_source(world: World, name: str) -> None:
    with pytest.raises(PycaError, match="invalid_pv_name"):
        world.pool.acquire(name)
    assert not world.source.opened
    assert world.clock.pending == 0


def test_states_are_counted(world: World) -> None:
    for name in ("SEARCHED", "HERE", "GONE", "NOT:FOUND"):
        world.pool.acquire(name)
    world.clock.advance(3)
    world.pool.acquire("LATER")
    world.source["HERE"].bring_up()
    world.source["GONE"].bring_up()
    world.source["GONE"].channel.disconnected()
    assert world.pool.states() == {"searching": 1, "connected": 1, "disconnected": 3}


def test_get_makes_nobody_a_user(world: World) -> None:
    assert world.pool.get("A") is None
    channel = world.pool.acquire("A")
    assert world.pool.get("A") is channel
    assert channel.users == 1
