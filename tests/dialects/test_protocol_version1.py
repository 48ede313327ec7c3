"""Version 1 of the native protocol, to the letter, and what is always added to its messages."""

import json
import math
from typing import Any

import numpy as np
import pytest

from pycaserver.core.values import AlarmSeverity, AlarmStatus, DbrType, Metadata
from tests.fakes import DENIED, READ_WRITE, WALL_START, FakeSourceChannel, Peer, World

PV = "myTest:PV"


@pytest.fixture
def ioc(world: World, peer: Peer) -> FakeSourceChannel:
    """The IOC of the PV, to which the peer has sent a connect."""
    peer.says('{"action": "connect", "pv": "myTest:PV"}')
    return world.source[PV]


def test_the_example_of_the_protocol_comes_to_the_letter(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(type=DbrType.LONG, units="egu")
    ioc.post(5, seconds=1447799204, nanos=250_000_000)
    connection, monitor = peer.hears()
    assert connection == {"msg_type": "connection", "pvname": PV, "conn": True}
    version_1 = {
        "msg_type": "monitor",
        "pvname": PV,
        "value": 5,
        "count": 1,
        "timestamp": 1447799204.25,
        "units": "egu",
    }
    assert monitor == {**version_1, "severity": "NO_ALARM", "status": "NO_ALARM"}
    assert isinstance(monitor["value"], int)


def test_a_frame_that_is_no_object_is_the_name_of_a_pv(world: World, peer: Peer) -> None:
    peer.says(PV)
    world.source[PV].bring_up(5.0)
    assert peer.gist() == [("connection", True), 5.0]


def test_one_session_serves_many_pvs(world: World, peer: Peer) -> None:
    for name in ("A", "B", "C"):
        peer.connects(name)
        world.source[name].bring_up(1.0)
    peer.hears()
    for name in ("B", "A", "C"):
        world.source[name].post(2.0)
    assert [message["pvname"] for message in peer.hears()] == ["B", "A", "C"]


@pytest.mark.parametrize("name", ["Case:Kept", "PV.VAL", 'PV.VAL{"dbnd":{"abs":1}}', "with space", "a/b?c=d&e"])
def test_the_name_is_echoed_exactly_as_asked_for(world: World, peer: Peer, name: str) -> None:
    peer.connects(name)
    world.source[name].bring_up(1.0)
    assert {message["pvname"] for message in peer.hears()} == {name}


VALUES: list[tuple[DbrType, int, Any, Any, int]] = [
    (DbrType.DOUBLE, 1, 1.5, 1.5, 1),
    (DbrType.LONG, 1, -7, -7, 1),
    (DbrType.STRING, 1, "text", "text", 1),
    (DbrType.ENUM, 1, 1, 1, 1),
    (DbrType.DOUBLE, 3, np.array([1.0, 2.0, 3.0]), [1.0, 2.0, 3.0], 3),
    (DbrType.LONG, 3, np.array([1, 2], "i4"), [1, 2], 2),
    (DbrType.DOUBLE, 3, np.array([1.0]), [1.0], 1),
    (DbrType.DOUBLE, 3, np.array([]), [], 0),
    (DbrType.DOUBLE, 1, None, None, 0),
    (DbrType.STRING, 3, ["a", ""], ["a", ""], 2),
    (DbrType.CHAR, 9, np.frombuffer(b"abc", np.uint8), [97, 98, 99], 3),
    (DbrType.DOUBLE, 1, math.nan, "NaN", 1),
    (DbrType.DOUBLE, 1, math.inf, "Infinity", 1),
    (DbrType.DOUBLE, 3, np.array([-math.inf, 0.5, math.nan]), ["-Infinity", 0.5, "NaN"], 3),
    (DbrType.DOUBLE, 1, 9007199254740992.0, 2.0**53, 1),
]


@pytest.mark.parametrize(("kind", "native_count", "data", "json_value", "count"), VALUES)
def test_values_of_all_types(
    peer: Peer, ioc: FakeSourceChannel, kind: DbrType, native_count: int, data: Any, json_value: Any, count: int
) -> None:
    ioc.bring_up(type=kind, count=native_count, enum_strs=("Off", "On") if kind is DbrType.ENUM else ())
    ioc.post(data, count=count)
    message = peer.hears()[-1]
    assert message["value"] == json_value
    assert type(message["value"]) is type(json_value)
    assert message["count"] == count


def test_the_time_stamp_is_the_iocs(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    ioc.post(1.0, seconds=1_000_000_000, nanos=123_457_000)
    assert peer.hears()[-1]["timestamp"] == pytest.approx(1_000_000_000.123457, abs=5e-7)


def test_units_are_in_every_message_of_a_pv_that_has_them(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(units="µm")
    ioc.post(1.0, 2.0, 3.0)
    assert [message["units"] for message in peer.hears()[1:]] == ["µm"] * 3


def test_values_wait_for_the_metadata_of_their_connection(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.connect()
    ioc.post(1.0, 2.0, 3.0)
    assert peer.gist() == [("connection", True)]
    ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, units="mm"))
    (monitor,) = peer.hears()
    assert (monitor["value"], monitor["units"], monitor["coalesced"]) == (3.0, "mm", 2)


def test_values_wait_two_seconds_at_most(world: World, peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.connect()
    ioc.post(1.0, 2.0)
    world.clock.advance(1.9)
    assert peer.gist() == [("connection", True)]
    world.clock.advance(0.2)
    assert peer.gist() == [2.0]


# -- connections


def test_conn_false_whenever_it_disconnects(peer: Peer, ioc: FakeSourceChannel) -> None:
    for number in range(3):
        ioc.bring_up(float(number))
        ioc.channel.disconnected()
    assert peer.gist() == [x for n in (0.0, 1.0, 2.0) for x in (("connection", True), n, ("connection", False))]


def test_a_lost_pv_says_so_and_since_when(world: World, peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    world.clock.advance(12.5)
    ioc.channel.disconnected()
    told = {"msg_type": "connection", "pvname": PV, "conn": False, "reason": "lost", "since": WALL_START + 12.5}
    assert peer.hears()[-1] == told


def test_a_pv_not_found_is_told_after_the_search_time(world: World, peer: Peer, ioc: FakeSourceChannel) -> None:
    world.clock.advance(2.9)
    assert peer.hears() == []
    world.clock.advance(0.2)
    told = {"msg_type": "connection", "pvname": PV, "conn": False, "reason": "not_found"}  # no contact, no since
    assert peer.hears() == [told]
    ioc.bring_up(5.0)  # the search goes on
    assert peer.gist() == [("connection", True), 5.0]


def test_a_pv_that_may_not_be_read_says_so(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.connect(access=DENIED)
    (message,) = peer.hears()
    assert (message["conn"], message["reason"]) == (False, "read_denied")
    ioc.channel.access_changed(READ_WRITE)
    ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, 1))
    ioc.post(1.0)
    assert peer.gist() == [("connection", True), 1.0]


# -- sharing


def test_a_second_session_gets_state_and_latest_at_once_and_nobody_else_anything(
    world: World, peer: Peer, ioc: FakeSourceChannel
) -> None:
    ioc.bring_up(units="mm")
    ioc.post(1.0, 2.0)
    peer.hears()
    late = world.peer()
    late.connects(PV)
    connection, monitor = late.hears()
    assert connection == {"msg_type": "connection", "pvname": PV, "conn": True}
    assert (monitor["value"], monitor["units"]) == (2.0, "mm")
    assert peer.hears() == []
    assert world.source.opened == [PV]


@pytest.mark.parametrize("state", ["lost", "not_found", "read_denied"])
def test_a_second_session_gets_the_true_state_of_a_pv_out_of_reach(
    world: World, peer: Peer, ioc: FakeSourceChannel, state: str
) -> None:
    if state == "not_found":
        world.clock.advance(3)
    else:
        ioc.bring_up(1.0)
        if state == "lost":
            ioc.channel.disconnected()
        else:
            ioc.channel.access_changed(DENIED)
    late = world.peer()
    late.connects(PV)
    (message,) = late.hears()
    assert (message["conn"], message["reason"]) == (False, state)


def test_connecting_twice_is_idempotent(world: World, peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(1.0)
    assert peer.gist() == [("connection", True), 1.0]
    peer.connects(PV)
    assert peer.gist() == [("connection", True), 1.0]  # again
    ioc.post(2.0)
    assert peer.gist() == [2.0]  # and still one stream
    assert world.source.opened == [PV]


def test_disconnect_is_not_answered_and_ends_the_stream(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(1.0)
    peer.hears()
    peer.says('{"action": "disconnect", "pv": "myTest:PV"}')
    ioc.post(2.0)
    assert peer.hears() == []


def test_disconnect_of_what_is_not_connected_is_silent(world: World, peer: Peer) -> None:
    peer.asks("disconnect", pv="UNKNOWN")
    peer.asks("disconnect", pv=["UNKNOWN", "", "bad\0name"], id=7)
    assert peer.hears() == []
    assert world.source.opened == []


def test_disconnect_while_connecting(peer: Peer, ioc: FakeSourceChannel) -> None:
    peer.asks("disconnect", pv=PV)
    ioc.bring_up(1.0)
    assert peer.hears() == []


def test_the_last_subscribers_leaving_closes_the_channel_after_the_linger(
    world: World, peer: Peer, ioc: FakeSourceChannel
) -> None:
    ioc.bring_up(1.0)
    peer.session.ended()
    world.clock.advance(4.9)
    reloaded = world.peer()
    reloaded.connects(PV)  # a page reload costs no new search
    assert reloaded.gist() == [("connection", True), 1.0]
    assert world.source.opened == [PV]
    reloaded.asks("disconnect", pv=PV)
    world.clock.advance(5.1)
    assert ioc.closed


# -- always added


@pytest.mark.parametrize("severity", AlarmSeverity)
def test_severity_and_status_are_always_told(peer: Peer, ioc: FakeSourceChannel, severity: AlarmSeverity) -> None:
    ioc.bring_up()
    ioc.post(1.0, severity=severity, status=AlarmStatus.HIHI)
    message = peer.hears()[-1]
    assert (message["severity"], message["status"]) == (severity.name, "HIHI")


def test_an_enum_has_its_state_as_text(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(type=DbrType.ENUM, enum_strs=("Off", "On"))
    ioc.post(1)
    message = peer.hears()[-1]
    assert (message["value"], message["text"]) == (1, "On")


def test_coalesced_is_there_only_when_updates_were_merged(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    ioc.post(1.0, 2.0)
    peer.asks("pause")
    ioc.post(3.0, 4.0, 5.0)
    peer.asks("resume")
    assert [message.get("coalesced") for message in peer.hears()[1:]] == [None, None, 2]


def test_all_that_is_said_is_json_of_a_known_type(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(math.nan)
    ioc.channel.disconnected()
    peer.says("bad name ")
    peer.hears()
    assert peer.transport.taken
    for piece in peer.transport.taken:
        assert json.loads(piece[1:])["msg_type"] in ("connection", "monitor", "error")
