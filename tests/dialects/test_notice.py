"""dialects/notice.py: configured messages of Socket.IO."""

from typing import Any

import numpy as np
import pytest

from pycaserver.core import piecework
from pycaserver.core.access import AccessControl, Rule, Rules
from pycaserver.core.values import LARGE, Texts
from pycaserver.dialects.commands import MessageRule
from pycaserver.dialects.xovac import Commands
from tests.dialects.test_xovac import Client
from tests.fakes import World


def told(client: Client) -> list[Any]:
    return [payload for event, payload in client.hears() if event == "state"]


def client_of(world: World, **rule: Any) -> Client:
    return Client(world, Commands([], [MessageRule("state", {"a": "A", "b": "B"}, **rule)]))


def test_message_is_told_at_first_and_when_a_value_changes(world: World) -> None:
    client = client_of(world)
    world.source["A"].bring_up(1.0)
    assert told(client) == []
    world.source["B"].bring_up(float("nan"))
    assert told(client) == [{"a": 1.0, "b": "NaN"}]
    world.source["A"].post(1.0)
    assert told(client) == []
    world.source["A"].post(2.0, 3.0)
    assert told(client) == [{"a": 3.0, "b": "NaN"}]


def test_pv_that_is_gone_is_null(world: World) -> None:
    client = client_of(world)
    world.source["A"].bring_up(1.0)
    world.clock.advance(3.0)
    assert told(client) == [{"a": 1.0, "b": None}]


def test_pv_that_may_not_be_read_is_null() -> None:
    world = World(access=AccessControl(Rules(rules=[Rule(pv="B", allow="none")])))
    client = client_of(world)
    world.source["A"].bring_up(1.0)
    world.source["B"].bring_up(2.0)
    assert told(client) == [{"a": 1.0, "b": None}]


def test_message_of_alarms_is_told_at_another_severity(world: World) -> None:
    client = client_of(world, on="alarm", payload={"values": ["{a}", "{b}"]})
    world.source["A"].bring_up(1.0)
    world.source["B"].bring_up(2.0)
    world.source["A"].post(3.0)
    assert told(client) == [{"values": [3.0, 2.0]}]
    world.source["A"].post(4.0)
    assert told(client) == []
    world.source["A"].post(5.0, severity=2, status=3)
    assert told(client) == [{"values": [5.0, 2.0]}]


def test_periodic_message(world: World) -> None:
    client = client_of(world, on=2.0)
    world.source["A"].bring_up(1.0)
    world.source["B"].bring_up(2.0)
    assert told(client) == []
    world.clock.advance(4.5)
    assert told(client) == [{"a": 1.0, "b": 2.0}] * 2


def test_slow_client_gets_the_newest_message_only(world: World) -> None:
    client = client_of(world)
    world.source["A"].bring_up(0.0)
    world.source["B"].bring_up(0.0)
    told(client)
    client.transport.reading = False
    for number in range(20_000):
        world.source["A"].post(float(number))
        world.clock.run()
    assert client.session.outbox.backlog <= 2 * 65536
    client.transport.reading = True
    client.transport.take(client.transport.unsent)
    client.session.outbox.on_room()
    assert told(client)[-1] == {"a": 19_999.0, "b": 0.0}


def test_session_that_ends_follows_nothing(world: World) -> None:
    client = client_of(world, on=2.0)
    client.session.ended()
    world.clock.advance(100.0)
    assert world.source["A"].closed and world.clock.pending == 0


# -- large arrays

COUNT = 2 * LARGE


def large(first: float) -> "np.ndarray[Any, Any]":
    array = np.zeros(COUNT)
    array[0] = first
    return array


@pytest.fixture
def follower(world: World, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Of a message with a large array, which has been told once; each turn makes one piece."""
    monkeypatch.setattr(piecework, "TURN_SECONDS", 0)
    client = Client(world, Commands([], [MessageRule("state", {"a": "A", "b": "B"})]), backlog_bytes=8_000_000)
    world.source["A"].bring_up(large(0.0), count=COUNT)
    world.source["B"].bring_up(1.0)
    assert firsts(client) == [0.0]
    return client


def firsts(client: Client) -> list[float]:
    """The first elements of the arrays that are told, which are whole."""
    messages = told(client)
    assert all(message["a"][1:] == [0.0] * (COUNT - 1) for message in messages)
    return [message["a"][0] for message in messages]


def turns(world: World, count: int) -> None:
    for _ in range(count):
        world.clock.run_one()


def test_large_message_is_made_piece_by_piece_and_is_whole(world: World, follower: Client) -> None:
    array = large(float("nan"))
    world.source["A"].post(array)
    turns(world, 10)
    assert follower.session._notices[0]._making is not None
    assert told(follower) == [{"a": ["NaN", *array[1:].tolist()], "b": 1.0}]


def test_large_message_is_told_only_for_another_value(world: World, follower: Client) -> None:
    world.source["A"].post(large(0.0))
    assert firsts(follower) == []
    world.source["A"].post(large(float("nan")), large(float("nan")), large(2.0))
    assert firsts(follower) == [2.0]


def test_large_texts_are_told_for_others_only(world: World, follower: Client) -> None:
    texts = np.array(["same"] * COUNT, "S40")
    world.source["A"].post(Texts(texts))
    assert told(follower) == [{"a": ["same"] * COUNT, "b": 1.0}]
    world.source["A"].post(Texts(texts.copy()))
    assert told(follower) == []


def test_array_takes_the_place_of_a_number_and_the_other_way(world: World, follower: Client) -> None:
    world.source["B"].post(np.zeros(2))
    world.source["A"].post(3.0)
    assert told(follower) == [{"a": 3.0, "b": [0.0, 0.0]}]
    world.source["B"].post(0.0)
    assert told(follower) == [{"a": 3.0, "b": 0.0}]


def test_what_changes_while_a_large_message_is_made_is_told_next(world: World, follower: Client) -> None:
    world.source["A"].post(large(1.0))
    turns(world, 10)
    world.source["A"].post(large(2.0))
    turns(world, 3)
    world.source["A"].post(large(3.0))
    assert firsts(follower) == [1.0, 3.0]
    assert firsts(follower) == []


def test_slow_client_gets_the_newest_large_message(world: World, follower: Client) -> None:
    follower.transport.reading = False
    for number in range(1, 60):
        world.source["A"].post(large(float(number)))
        world.clock.run()
    assert follower.session.outbox.backlog <= 2_000_000 + 2 * 6 * COUNT
    follower.transport.reading = True
    follower.transport.take(follower.transport.unsent)
    follower.session.outbox.on_room()
    assert firsts(follower)[-1] == 59.0
    assert firsts(follower) == []


def test_large_message_that_nobody_had_room_for_gives_way_to_a_newer_one(world: World, follower: Client) -> None:
    follower.transport.reading = False
    world.source["A"].post(large(1.0))
    turns(world, 10)
    follower.session.tell("filler", "x" * 3_000_000)
    world.clock.run()
    world.source["A"].post(large(2.0))
    world.clock.run()
    follower.transport.reading = True
    follower.transport.take(follower.transport.unsent)
    follower.session.outbox.on_room()
    assert firsts(follower) == [2.0]


def test_session_that_ends_while_a_large_message_is_made_hears_nothing(world: World, follower: Client) -> None:
    world.source["A"].post(large(1.0))
    turns(world, 10)
    follower.session.ended()
    turns(world, 3)
    assert world.clock.idle, "it is made for nobody"
    world.clock.advance(100.0)
    assert firsts(follower) == []
    assert (world.figures.faults, world.clock.pending) == (0, 0)
