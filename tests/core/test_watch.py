"""core/watch.py: the server's own interest in PVs."""

import numpy as np

from pycaserver.core.channel import Channel
from pycaserver.core.contact import State
from pycaserver.core.errors import PycaError
from pycaserver.core.values import LARGE, PVValue
from pycaserver.core.watch import Wait, Watch
from tests.fakes import FakeLimits, World, value


def wanted(channel: Channel, reading: PVValue) -> bool:
    return reading.data == 5.0


class Waiting:
    """A wait for 5, of 10 s."""

    def __init__(self, world: World) -> None:
        self.told: list[bool] = []
        Wait(world.services(FakeLimits()), "PV", wanted, 10.0, self.told.append)
        self.clock, self.source = world.clock, world.source["PV"]

    def ended(self) -> list[bool]:
        self.clock.run()
        return self.told


def test_watch_is_told_values_and_states(world: World) -> None:
    told: list[object] = []
    watch = Watch(world.pool, "PV", lambda: told.append(watch.channel.latest and watch.channel.latest.data))
    assert not watch.ready
    world.source["PV"].bring_up(1.5)
    world.source["PV"].post(2.5)
    assert watch.ready and told[-2:] == [1.5, 2.5]
    world.source["PV"].channel.disconnected()
    assert watch.ready and len(told) > 2 and watch.channel.latest is None


def test_watch_of_a_large_array_is_told_of_a_loss(world: World) -> None:
    told: list[object] = []
    watch = Watch(world.pool, "PV", lambda: told.append(watch.channel.contact.state))
    world.source["PV"].bring_up(np.zeros(LARGE), count=LARGE)
    world.source["PV"].channel.disconnected()
    assert told[-1] is State.DISCONNECTED


def test_watch_that_ends_is_told_nothing_and_lets_go(world: World) -> None:
    told: list[object] = []
    watch = Watch(world.pool, "PV", lambda: told.append(None))
    watch.end()
    world.source["PV"].bring_up(1.5)
    world.clock.advance(world.linger_seconds)
    assert told == [] and world.source["PV"].closed


def test_two_watches_of_a_pv_do_not_disturb_each_other(world: World) -> None:
    first: list[object] = []
    second: list[object] = []
    watch = Watch(world.pool, "PV", lambda: first.append(None))
    Watch(world.pool, "PV", lambda: second.append(None))
    watch.end()
    world.source["PV"].bring_up(1.5)
    assert first == [] and second != []


def test_wait_ends_with_what_is_read(world: World) -> None:
    waiting = Waiting(world)
    waiting.source.bring_up(1.0)
    waiting.source.answer(value(5.0))
    assert waiting.ended() == [True]


def test_wait_does_not_believe_what_was_told_before_it_began(world: World) -> None:
    world.channel("PV")
    world.source["PV"].bring_up(5.0)
    waiting = Waiting(world)
    waiting.source.answer(value(1.0))
    assert waiting.ended() == []
    waiting.source.post(5.0)
    assert waiting.ended() == [True]


def test_wait_ends_once_and_leaves_nothing_behind(world: World) -> None:
    waiting = Waiting(world)
    waiting.source.bring_up(1.0)
    waiting.source.post(5.0, 5.0)
    assert waiting.ended() == [True]
    waiting.clock.advance(20.0)
    assert waiting.told == [True] and waiting.source.closed and waiting.clock.pending == 0


def test_wait_in_vain_ends_with_its_time(world: World) -> None:
    waiting = Waiting(world)
    waiting.source.bring_up(1.0)
    waiting.source.answer(PycaError("get_timeout"))
    waiting.clock.advance(9.9)
    assert waiting.told == []
    waiting.clock.advance(0.1)
    assert waiting.told == [False]
