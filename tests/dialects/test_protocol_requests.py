"""The requests of the native protocol, one after the other, and the ids that they carry."""

from typing import Any

import numpy as np
import pytest

from pycaserver.core.values import Access, DbrType, Limits, Metadata
from tests.fakes import WALL_START, FakeSourceChannel, Peer, World, value

UP, DOWN = ("connection", True), ("connection", False)


def subscribed(world: World, peer: Peer, name: str = "PV", **options: Any) -> FakeSourceChannel:
    """The IOC of a PV that the peer is subscribed to, and whose first messages are heard."""
    peer.connects(name, **options)
    world.source[name].bring_up(0.0)
    peer.hears()
    return world.source[name]


# -- connect and disconnect


def test_connect_takes_a_list(world: World, peer: Peer) -> None:
    peer.connects(["A", "B"])
    for name in ("A", "B"):
        world.source[name].bring_up(1.0)
    assert [message["pvname"] for message in peer.hears()] == ["A", "A", "B", "B"]


def test_a_name_twice_in_a_list_counts_once(world: World, peer: Peer) -> None:
    subscribed(world, peer, "A")
    peer.connects(["A", "A"])
    assert peer.gist() == [UP, 0.0]


def test_one_bad_name_of_a_list_does_no_harm_to_the_others(world: World, peer: Peer) -> None:
    peer.connects(["A", "B ", "C"], id=5)
    (error,) = peer.hears()
    assert (error["code"], error["pvname"], error["action"], error["id"]) == ("invalid_pv_name", "B ", "connect", 5)
    assert world.source.opened == ["A", "C"]


def test_an_empty_list_is_nothing_to_do(peer: Peer) -> None:
    peer.connects([])
    peer.asks("disconnect", pv=[])
    peer.asks("get", pv=[])
    assert peer.hears() == []


def test_disconnect_takes_a_list(world: World, peer: Peer) -> None:
    iocs = [subscribed(world, peer, name) for name in ("A", "B", "C")]
    peer.asks("disconnect", pv=["A", "UNKNOWN", "C"])
    for ioc in iocs:
        ioc.post(1.0)
    assert [message["pvname"] for message in peer.hears()] == ["B"]


def test_the_id_of_a_connect_is_echoed_only_in_its_connection_message(world: World, peer: Peer) -> None:
    peer.connects("PV", id="page-1", metadata=True)
    ioc = world.source["PV"]
    ioc.bring_up(1.0)
    ioc.post(2.0)
    ioc.channel.disconnected()
    ioc.bring_up(3.0)
    with_id = [message for message in peer.hears() if "id" in message]
    assert with_id == [{"msg_type": "connection", "pvname": "PV", "conn": True, "id": "page-1"}]


def test_the_id_of_a_connect_comes_with_bad_news_too(world: World, peer: Peer) -> None:
    peer.connects("PV", id=0)
    world.clock.advance(3)
    assert [message.get("id") for message in peer.hears()] == [0]
    world.source["PV"].bring_up()
    assert [message.get("id") for message in peer.hears()] == [None]


def test_a_second_connect_replaces_the_options(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, nanos=True, metadata=True)
    peer.connects("PV")
    assert peer.gist() == [UP, 0.0]  # no metadata any more
    ioc.post(1.0)
    assert "nanos" not in peer.hears()[0]
    peer.connects("PV", max_rate=0.5)
    peer.hears()
    ioc.post(2.0)
    assert peer.gist() == []


# -- options


def test_options_are_answered_with_all_that_are_in_effect(peer: Peer) -> None:
    peer.asks("options", max_rate=5, id=1)
    peer.asks("options", encoding="base64", **{"as": "string"})
    first, second = peer.hears()
    assert first == {
        "msg_type": "options", "batch": False, "metadata": False, "encoding": "json", "max_rate": 5.0, "deadband": None,
        "first": None, "max_count": None, "reduce": None, "as": None, "nanos": False, "history": None, "id": 1,
    }  # fmt: skip
    without_id = {key: item for key, item in first.items() if key != "id"}
    assert second == {**without_id, "encoding": "base64", "as": "string"}


def test_options_are_the_defaults_of_later_connects(world: World, peer: Peer) -> None:
    earlier = subscribed(world, peer, "EARLIER")
    peer.asks("options", nanos=True)
    later, other = subscribed(world, peer, "LATER"), subscribed(world, peer, "OTHER", nanos=False)
    peer.hears()
    for ioc in (earlier, later, other):
        ioc.post(1.0)
    assert ["nanos" in message for message in peer.hears()] == [False, True, False]


def test_null_takes_a_default_back(peer: Peer) -> None:
    peer.asks("options", max_rate=5, reduce={"points": 3})
    peer.asks("options", max_rate=None)
    second = peer.hears()[1]
    assert (second["max_rate"], second["reduce"]) == (None, {"points": 3})


def test_options_are_of_one_session_only(world: World, peer: Peer) -> None:
    peer.asks("options", nanos=True)
    other = world.peer()
    subscribed(world, other).post(1.0)
    assert "nanos" not in other.hears()[0]


# -- get


def test_get_is_answered_with_the_keys_of_a_monitor(world: World, peer: Peer) -> None:
    peer.asks("get", pv="PV", id=9)
    ioc = world.source["PV"]
    ioc.bring_up(units="mm")
    ioc.answer(value(5.0, seconds=1000, nanos=500_000_000, severity=2, status=3))
    assert peer.hears() == [{
        "msg_type": "get", "pvname": "PV", "value": 5.0, "count": 1, "timestamp": 1000.5, "units": "mm",
        "severity": "MAJOR", "status": "HIHI", "id": 9,
    }]  # fmt: skip


def test_get_leaves_no_subscription_behind(world: World, peer: Peer) -> None:
    peer.asks("get", pv="PV")
    ioc = world.source["PV"]
    ioc.bring_up()
    ioc.answer(value(5.0))
    ioc.post(6.0)
    assert peer.gist() == ["get"]
    peer.asks("list")
    assert peer.hears()[0]["pvs"] == []
    world.clock.advance(5.1)
    assert ioc.closed


def test_get_answers_each_pv_of_a_list(world: World, peer: Peer) -> None:
    peer.asks("get", pv=["A", "B", "bad ", "C"], id=1)
    for name in ("B", "A"):
        world.source[name].bring_up()
        world.source[name].answer(value(1.0))
    world.clock.advance(3)
    answers = {message["pvname"]: (message["msg_type"], message.get("code"), message["id"]) for message in peer.hears()}
    assert answers == {
        "bad ": ("error", "invalid_pv_name", 1),
        "B": ("get", None, 1),
        "A": ("get", None, 1),
        "C": ("error", "not_found", 1),
    }


def test_get_reads_from_the_ioc_though_the_pv_is_monitored(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer)
    peer.asks("get", pv="PV")
    assert peer.hears() == []
    ioc.answer(value(7.0))
    (answer,) = peer.hears()
    assert (answer["msg_type"], answer["value"]) == ("get", 7.0)


def test_get_answers_in_the_form_of_the_options(world: World, peer: Peer) -> None:
    peer.asks("options", max_count=2, nanos=True)
    peer.asks("get", pv="PV")
    world.source["PV"].bring_up(count=9)
    world.source["PV"].answer(value(np.arange(9.0), nanos=5))
    answer = peer.hears()[1]
    assert (answer["value"], answer["count"], answer["nanos"]) == ([0.0, 1.0], 2, 5)


def test_get_within_its_own_timeout(world: World, peer: Peer) -> None:
    subscribed(world, peer)
    peer.asks("get", pv="PV", timeout=0.5, id=3)
    world.clock.advance(0.4)
    assert peer.hears() == []
    world.clock.advance(0.2)
    (error,) = peer.hears()
    assert (error["code"], error["action"], error["pvname"], error["id"]) == ("get_timeout", "get", "PV", 3)


# -- info


def test_info_describes_the_pv(world: World, peer: Peer) -> None:
    peer.connects("PV")
    world.source["PV"].connect(DbrType.DOUBLE, 5, Access(read=True, write=False))
    limits = Limits(0.0, 10.0)
    world.source["PV"].channel.metadata_changed(
        Metadata(DbrType.DOUBLE, 5, "mm", 3, (), display=limits, control=limits, alarm=Limits(float("nan"), 9.0))
    )
    peer.hears()
    peer.asks("info", pv="PV", id="i")
    assert peer.hears() == [{
        "msg_type": "info", "pvname": "PV", "type": "double", "count": 5, "units": "mm", "precision": 3,
        "display": {"low": 0.0, "high": 10.0}, "control": {"low": 0.0, "high": 10.0},
        "alarm": {"low": "NaN", "high": 9.0}, "host": "ioc:5064", "access": {"read": True, "write": False},
        "allowed": {"read": True, "write": True}, "rule": 'access.default is "write"',
        "subscribers": 1, "id": "i",
    }]  # fmt: skip


def test_info_waits_for_the_pv(world: World, peer: Peer) -> None:
    peer.asks("info", pv="PV")
    assert peer.hears() == []
    world.source["PV"].bring_up(type=DbrType.ENUM, enum_strs=("Off", "On"))
    (answer,) = peer.hears()
    assert (answer["enum_strs"], answer["subscribers"]) == (["Off", "On"], 0)


def test_info_of_a_pv_that_is_not_there(world: World, peer: Peer) -> None:
    peer.asks("info", pv="PV", id=1)
    world.clock.advance(3)
    (error,) = peer.hears()
    assert (error["code"], error["action"], error["pvname"], error["id"]) == ("not_found", "info", "PV", 1)


# -- list


def test_list_tells_the_subscriptions_with_their_state(world: World, peer: Peer) -> None:
    for name in ("HERE", "LOST"):
        subscribed(world, peer, name)
    world.clock.advance(2)
    world.source["LOST"].channel.disconnected()
    peer.connects("SEARCHED")
    peer.hears()
    peer.asks("list", id=4)
    assert peer.hears() == [{
        "msg_type": "list", "id": 4,
        "pvs": [
            {"pvname": "HERE", "conn": True},
            {"pvname": "LOST", "conn": False, "reason": "lost", "since": WALL_START + 2},
            {"pvname": "SEARCHED", "conn": False},
        ],
    }]  # fmt: skip


def test_list_tells_nobody_elses_subscriptions(world: World, peer: Peer) -> None:
    subscribed(world, world.peer())
    peer.asks("list")
    assert peer.hears() == [{"msg_type": "list", "pvs": []}]


# -- pause and resume


def test_after_resume_the_latest_of_every_pv_that_changed_comes_once(world: World, peer: Peer) -> None:
    a, b, unchanged = (subscribed(world, peer, name) for name in ("A", "B", "UNCHANGED"))
    peer.asks("pause")
    a.post(1.0, 2.0)
    b.post(3.0)
    a.post(4.0)
    assert peer.hears() == []
    peer.asks("resume")
    assert [(message["pvname"], message["value"]) for message in peer.hears()] == [("A", 4.0), ("B", 3.0)]
    unchanged.post(5.0)
    assert peer.gist() == [5.0]


def test_a_pause_holds_back_no_connection_message_and_no_answer(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer)
    peer.asks("pause")
    ioc.channel.disconnected()
    peer.asks("ping")
    assert peer.gist() == [DOWN, "pong"]
    ioc.bring_up(1.0)
    assert peer.gist() == [UP]
    peer.asks("resume")
    assert peer.gist() == [1.0]


def test_who_connects_during_a_pause_gets_the_value_after_it(world: World, peer: Peer) -> None:
    peer.asks("pause")
    peer.connects("PV")
    world.source["PV"].bring_up(1.0)
    assert peer.gist() == [UP]
    peer.asks("resume")
    assert peer.gist() == [1.0]


def test_pausing_and_resuming_twice(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer)
    for action in ("resume", "pause", "pause"):
        peer.asks(action)
    ioc.post(1.0)
    assert peer.hears() == []
    for action in ("resume", "resume"):
        peer.asks(action)
    assert peer.gist() == [1.0]


# -- ping


@pytest.mark.parametrize("id", ["x", "", 0, -1, 2**53])
def test_ping_is_answered_with_its_id(peer: Peer, id: str | int) -> None:
    peer.asks("ping", id=id)
    assert peer.hears() == [{"msg_type": "pong", "id": id}]


def test_ping_without_an_id(peer: Peer) -> None:
    peer.asks("ping")
    assert peer.hears() == [{"msg_type": "pong"}]
