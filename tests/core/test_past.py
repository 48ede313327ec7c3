"""past.py: the requests history and events, and the option history: rights, order, and answers that wait for room."""

import math
from typing import Any

import pytest

from pycaserver.core.access import Rule, Rules
from pycaserver.core.events import Events
from tests.fakes import DENIED, WALL_START, FakeSourceChannel, Peer, World

UP = ("connection", True)


@pytest.fixture
def ioc(world: World, peer: Peer) -> FakeSourceChannel:
    """Of a PV that somebody else uses, with three samples, the last one at WALL_START."""
    world.channel("PV")
    ioc = world.source["PV"]
    ioc.bring_up()
    for number, data in enumerate((1.0, math.nan, 3.0)):
        ioc.post(data, seconds=int(WALL_START) - 20 + 10 * number, severity=number)
    return ioc


def asked(peer: Peer, **keys: Any) -> dict[str, Any]:
    peer.asks("history", pv="PV", **keys)
    (answer,) = peer.hears()
    return answer


def only(world: World, allow: Any, pv: str = "PV") -> None:
    """New access rules."""
    world.access.replace(Rules(rules=[Rule(pv, allow)]))


def test_history_is_all_that_there_is(peer: Peer, ioc: FakeSourceChannel) -> None:
    assert asked(peer, id=1) == {
        "msg_type": "history",
        "pvname": "PV",
        "time": [WALL_START - 20, WALL_START - 10, WALL_START],
        "value": [1.0, "NaN", 3.0],
        "severity": ["NO_ALARM", "MINOR", "MAJOR"],
        "id": 1,
    }


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"since": WALL_START - 10}, ["NaN", 3.0]),
        ({"seconds": 5}, ["NaN", 3.0]),  # what held then, and what came since
        ({"points": 1}, [1.0, 3.0]),
    ],
)
def test_less_of_it(peer: Peer, ioc: FakeSourceChannel, keys: dict[str, Any], expected: list[Any]) -> None:
    answer = asked(peer, **keys)
    assert answer["value"] == expected
    assert answer.get("reduced", 0) == keys.get("points", 0)


def test_more_points_than_samples_reduce_nothing(peer: Peer, ioc: FakeSourceChannel) -> None:
    answer = asked(peer, points=10)
    assert len(answer["value"]) == 3 and "reduced" not in answer


def test_a_pv_that_is_not_in_use_has_no_history_and_is_not_searched_for(world: World, peer: Peer) -> None:
    assert asked(peer)["value"] == []
    assert world.source.opened == []


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"since": 1, "seconds": 1}, "bad_request"),
        ({"seconds": 0}, "bad_request"),
        ({"points": 0}, "bad_request"),
        ({"pv": ["PV"]}, "bad_request"),
        ({"pv": "P\0V"}, "invalid_pv_name"),
    ],
)
def test_what_cannot_be_asked(peer: Peer, ioc: FakeSourceChannel, keys: dict[str, Any], code: str) -> None:
    answer = asked(peer, **{"id": 4} | keys) if "pv" not in keys else None
    if answer is None:
        peer.asks("history", id=4, **keys)
        (answer,) = peer.hears()
    assert (answer["code"], answer["action"], answer["id"]) == (code, "history", 4)


def test_no_right_to_read_no_history(world: World, peer: Peer, ioc: FakeSourceChannel) -> None:
    only(world, "none")
    assert asked(peer)["code"] == "read_denied"
    peer.connects("PV", history=60)
    assert peer.gist() == [("error", "read_denied")]


def test_what_the_ioc_does_not_let_us_read_has_no_history(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.channel.access_changed(DENIED)
    assert asked(peer)["value"] == []


def test_it_comes_before_all_else_with_the_option(peer: Peer, ioc: FakeSourceChannel) -> None:
    peer.connects("PV", history=15, id=8)
    history, *others = peer.hears()
    assert history["value"] == [1.0, "NaN", 3.0] and history["id"] == 8
    assert [message["msg_type"] for message in others] == ["connection", "monitor"]


def test_the_option_can_be_a_default(peer: Peer, ioc: FakeSourceChannel) -> None:
    peer.asks("options", history=5)
    peer.connects("PV")
    peer.connects("PV", history=None)
    assert peer.gist() == ["options", "history", UP, 3.0, UP, 3.0]


def test_answers_wait_for_room(world: World, peer: Peer, ioc: FakeSourceChannel) -> None:
    for number in range(2000):
        ioc.post(float(number), seconds=int(WALL_START) + number)
    peer.transport.reading = False
    for _ in range(8):
        peer.asks("history", pv="PV")
    assert peer.session.outbox.backlog < 3 * 65536 + 100_000, "made before there was room"
    peer.asks("history", pv="PV")
    peer.asks("history", pv="PV")
    assert peer.session.waiting > 0
    peer.asks("history", pv="PV")
    peer.reads_all()
    assert set(peer.gist()) <= {"history", ("error", "too_many_subscriptions")}
    assert peer.session.waiting == 0


@pytest.fixture
def behind(world: World, peer: Peer, ioc: FakeSourceChannel) -> Peer:
    """It does not read, and has no room for another history."""
    for number in range(2000):
        ioc.post(float(number), seconds=int(WALL_START) + number)
    peer.transport.reading = False
    while not peer.session.waiting:
        peer.asks("history", pv="PV")
    return peer


def test_nothing_overtakes_it_for_who_is_behind(behind: Peer, ioc: FakeSourceChannel) -> None:
    behind.connects("PV", history=1, id=7)
    assert behind.session.subscriptions == 0
    ioc.post(5.0)
    behind.reads_all()
    assert [each for each in behind.gist() if each != "history"] == [UP, 5.0]
    ioc.post(6.0)
    assert behind.gist() == [6.0]
    assert behind.session.waiting == 0


def test_no_value_between_it_and_what_follows_it_goes_uncounted(behind: Peer, ioc: FakeSourceChannel) -> None:
    behind.connects("PV", history=1, id=7)
    behind.transport.take(behind.transport.unsent)
    behind.session.outbox.on_room()
    ioc.post(4.0, 5.0)  # before the loop's next turn
    behind.reads_all()
    *_, history, connection, monitor = behind.hears()
    assert (history["value"][-1], connection["conn"]) == (1999.0, True)
    assert (monitor["value"], monitor["coalesced"]) == (5.0, 2)


@pytest.mark.parametrize("left", ["disconnect", "connect"])
def test_leaving_takes_back_what_waits(behind: Peer, ioc: FakeSourceChannel, left: str) -> None:
    waiting = behind.session.waiting
    behind.connects("PV", history=1)
    assert behind.session.waiting == waiting + 1
    behind.asks(left, pv="PV")
    assert behind.session.waiting == waiting
    behind.reads_all()
    behind.hears()
    assert behind.session.subscriptions == (left == "connect")
    ioc.post(6.0)
    assert behind.gist() == [6.0] * (left == "connect")


def test_a_right_lost_while_it_waits_is_looked_at_again(world: World, peer: Peer, ioc: FakeSourceChannel) -> None:
    for number in range(2000):
        ioc.post(float(number), seconds=int(WALL_START) + number)
    peer.transport.reading = False
    for _ in range(9):
        peer.asks("history", pv="PV", id="last")
    only(world, "none")
    peer.reads_all()
    last = peer.hears()[-1]
    assert (last["code"], last["action"], last["id"]) == ("read_denied", "history", "last")


def test_it_is_answered_in_a_pause(peer: Peer, ioc: FakeSourceChannel) -> None:
    peer.asks("pause")
    assert len(asked(peer)["value"]) == 3


def test_many_samples_cost_as_much_as_many_requests(world: World, ioc: FakeSourceChannel) -> None:
    for number in range(3000):
        ioc.post(float(number), seconds=int(WALL_START) + number)
    peer = world.peer(requests_per_second=20)
    assert peer.says({"action": "history", "pv": "PV"}) == 0.0
    assert peer.says({"action": "ping"}) > 0.5


# -- events


def test_events_are_answered(peer: Peer, ioc: FakeSourceChannel) -> None:
    peer.asks("events", id=1)
    (answer,) = peer.hears()
    assert answer["msg_type"] == "events" and answer["id"] == 1
    assert [event["severity"] for event in answer["events"]] == ["MINOR", "MAJOR"]
    first, second = answer["events"]
    assert second == {
        "id": first["id"] + 1, "time": WALL_START, "pvname": "PV", "kind": "alarm", "severity": "MAJOR",
        "status": "NO_ALARM", "value": 3.0,
    }  # fmt: skip
    peer.asks("events", since=first["id"])
    assert peer.hears()[0]["events"] == [second]
    peer.asks("events", limit=1)
    assert peer.hears()[0]["events"] == [second]


def test_further_events_come_to_those_who_subscribe(world: World, peer: Peer, ioc: FakeSourceChannel) -> None:
    other = world.peer()
    peer.asks("events", limit=0, subscribe=True)
    peer.hears()
    ioc.post(1.0, severity=0)
    ioc.post(1.0, severity=1)
    (message,) = peer.hears()
    assert [event["severity"] for event in message["events"]] == ["NO_ALARM", "MINOR"]
    peer.asks("events", limit=0, subscribe=False)
    peer.hears()
    ioc.post(1.0, severity=2)
    assert peer.hears() == other.hears() == []


def test_events_of_pvs_that_may_not_be_read_are_not_told(world: World, peer: Peer, ioc: FakeSourceChannel) -> None:
    world.channel("SECRET")
    world.source["SECRET"].bring_up()
    peer.asks("events", limit=0, subscribe=True)
    only(world, "none", "SECRET")
    peer.hears()
    for name in ("SECRET", "PV"):
        world.source[name].post(5.0, severity=3)
    (message,) = peer.hears()
    assert [event["pvname"] for event in message["events"]] == ["PV"]
    peer.asks("events")
    assert {event["pvname"] for event in peer.hears()[0]["events"]} == {"PV"}


def test_who_is_behind_is_told_what_is_kept_and_how_many_are_not(
    world: World, peer: Peer, ioc: FakeSourceChannel
) -> None:
    peer.asks("events", limit=0, subscribe=True)
    peer.hears()
    peer.asks("pause")
    for number in range(1500):
        ioc.post(1.0, severity=number % 2)
    assert peer.hears() == []
    peer.asks("resume")
    (message,) = peer.hears()
    assert len(message["events"]) == 1000 and message["missed"] == 500


def test_what_is_left_beyond_one_message_comes_though_the_last_may_not_be_read(world: World) -> None:
    world.pool.events = Events(world.clock, 5000)
    peer = world.peer()
    for name in ("SECRET", "PV"):
        world.channel(name)
        world.source[name].bring_up()
    only(world, "none", "SECRET")
    peer.asks("events", limit=0, subscribe=True)
    peer.asks("pause")
    for number in range(1, 1501):
        world.source["PV"].post(1.0, severity=number % 2)
    world.source["SECRET"].post(1.0, severity=3)
    peer.hears()
    peer.asks("resume")
    assert sum(len(message["events"]) for message in peer.hears()) == 1500


def test_the_end_of_a_session_ends_it(world: World, peer: Peer, ioc: FakeSourceChannel) -> None:
    peer.asks("events", subscribe=True)
    peer.session.ended()
    ioc.post(1.0, severity=0)
    world.clock.run()
    assert not world.pool.events.watchers
