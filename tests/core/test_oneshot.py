"""core/oneshot.py"""

from typing import Any

import pytest

from pycaserver.core.channel import Channel
from pycaserver.core.errors import PycaError
from pycaserver.core.oneshot import DEFAULT_TIMEOUT, OneShot
from pycaserver.core.values import DbrType, PVValue
from tests.fakes import DENIED, READ_WRITE, FakeSourceChannel, World, value


class Asker:
    """Starts one-shots on the PV and writes the answers down: data, None, or the code of an error."""

    def __init__(self, world: World) -> None:
        self.answers: list[Any] = []
        self._world = world

    def ask(self, *, read: bool = True, timeout: float | None = None) -> OneShot:
        one_shot = OneShot(self._world.pool, "PV", read=read)
        one_shot.start(self._world.clock, timeout, self._done)
        return one_shot

    def _done(self, channel: Channel, result: PVValue | PycaError | None) -> None:
        assert channel.name == "PV"
        told = result.data if isinstance(result, PVValue) else result.code if result else None
        self.answers.append(told)


@pytest.fixture
def asker(world: World) -> Asker:
    return Asker(world)


@pytest.fixture
def ioc(world: World) -> FakeSourceChannel:
    world.channel()
    return world.source["PV"]


def test_a_read_waits_for_the_connection_and_its_metadata(asker: Asker, ioc: FakeSourceChannel) -> None:
    asker.ask()
    ioc.connect()
    assert not ioc.reads
    ioc.bring_up()
    ioc.answer(value(5.0))
    assert asker.answers == [5.0]


def test_a_read_of_a_known_pv_begins_at_once(asker: Asker, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(1.0)
    asker.ask()
    ioc.answer(value(2.0))
    assert asker.answers == [2.0]  # the IOC's answer, not the monitor's last


def test_a_description_needs_no_read(asker: Asker, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    asker.ask(read=False)
    assert asker.answers == [None]
    assert not ioc.reads


def test_no_monitor_is_left_behind_and_the_channel_closes(world: World, asker: Asker) -> None:
    asker.ask()
    world.source["PV"].bring_up()
    world.source["PV"].answer(value(5.0))
    assert world.source["PV"].monitors == 0
    world.clock.advance(5.1)
    assert world.source["PV"].closed
    assert world.clock.pending == 0


# -- what may go wrong


def test_a_pv_that_nobody_serves_is_not_found_after_the_search(world: World, asker: Asker) -> None:
    asker.ask()
    world.clock.advance(2.9)
    assert asker.answers == []
    world.clock.advance(0.2)
    assert asker.answers == ["not_found"]


def test_a_pv_known_not_to_be_there_fails_at_once(world: World, asker: Asker, ioc: FakeSourceChannel) -> None:
    world.clock.advance(3)
    asker.ask()
    assert asker.answers == ["not_found"]


def test_a_lost_pv_is_not_connected(asker: Asker, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    ioc.channel.disconnected()
    asker.ask()
    assert asker.answers == ["not_connected"]


def test_a_pv_that_may_not_be_read_is_read_denied(asker: Asker, ioc: FakeSourceChannel) -> None:
    asker.ask()
    ioc.connect(access=DENIED)
    assert asker.answers == ["read_denied"]


def test_the_sources_own_error_is_passed_on(asker: Asker, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    asker.ask()
    ioc.answer(PycaError("read_denied"))
    assert asker.answers == ["read_denied"]


def test_an_ioc_that_does_not_answer_is_a_get_timeout(world: World, asker: Asker, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    asker.ask()
    world.clock.advance(DEFAULT_TIMEOUT - 0.1)
    assert asker.answers == []
    world.clock.advance(0.2)
    assert asker.answers == ["get_timeout"]


def test_a_pv_that_was_found_is_never_told_not_found(world: World, asker: Asker, ioc: FakeSourceChannel) -> None:
    asker.ask(timeout=1)
    ioc.connect()  # and its metadata takes longer
    world.clock.advance(1.1)
    assert asker.answers == ["get_timeout"]


def test_a_pv_lost_during_the_read_is_not_told_not_found(world: World, asker: Asker, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    asker.ask()
    ioc.channel.disconnected()
    world.clock.advance(DEFAULT_TIMEOUT + 0.1)
    assert asker.answers == ["not_connected"]


def test_a_request_may_name_its_own_timeout(world: World, asker: Asker, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    asker.ask(timeout=0.5)
    world.clock.advance(0.6)
    assert asker.answers == ["get_timeout"]


def test_a_bad_name_is_refused_before_anything_happens(world: World) -> None:
    with pytest.raises(PycaError, match="invalid_pv_name"):
        OneShot(world.pool, "PV\0", read=True)
    assert not world.source.opened


# -- once, and not after it is forgotten


def test_the_first_answer_is_the_only_one(world: World, asker: Asker, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    asker.ask()
    late = ioc.reads[0]
    world.clock.advance(DEFAULT_TIMEOUT + 0.1)
    late(value(5.0))
    assert asker.answers == ["get_timeout"]


@pytest.mark.parametrize("known_before", [False, True], ids=["connecting", "connected"])
def test_a_read_that_timed_out_is_forgotten_by_the_source(
    world: World, asker: Asker, ioc: FakeSourceChannel, known_before: bool
) -> None:
    if known_before:
        ioc.bring_up()
    asker.ask()
    ioc.bring_up()
    assert len(ioc.reads) == 1
    world.clock.advance(DEFAULT_TIMEOUT + 0.1)
    assert ioc.reads == []


@pytest.mark.parametrize("known_before", [False, True], ids=["connecting", "connected"])
def test_a_cancelled_read_leaves_nothing_behind(
    world: World, asker: Asker, ioc: FakeSourceChannel, known_before: bool
) -> None:
    if known_before:
        ioc.bring_up()
    one_shot = asker.ask()
    users = ioc.channel.users
    one_shot.cancel()
    one_shot.cancel()
    assert ioc.channel.users == users - 1
    assert ioc.reads == []
    ioc.bring_up()
    world.clock.advance(60)
    assert asker.answers == []
    assert world.clock.pending == 0


def test_one_may_be_cancelled_because_of_what_another_is_told(
    world: World, asker: Asker, ioc: FakeSourceChannel
) -> None:
    first = OneShot(world.pool, "PV", read=False)
    first.start(world.clock, None, lambda channel, result: second.cancel())
    second = asker.ask(read=False)
    ioc.bring_up()
    assert asker.answers == []


def test_an_answered_one_shot_may_be_cancelled(asker: Asker, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    one_shot = asker.ask()
    ioc.answer(value(1.0))
    users = ioc.channel.users
    one_shot.cancel()
    assert ioc.channel.users == users


def test_a_string_pv_is_read_like_any_other(asker: Asker, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(type=DbrType.STRING, access=READ_WRITE)
    asker.ask()
    ioc.answer(value("text"))
    assert asker.answers == ["text"]
