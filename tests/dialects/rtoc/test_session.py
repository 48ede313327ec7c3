"""Transcripts: what a peer of RTOC says and hears."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core import piecework
from pycaserver.core.access import AccessControl, Rule, Rules
from pycaserver.core.errors import TOO_MANY_ERRORS
from pycaserver.core.requests import MEBIBYTE
from pycaserver.core.values import LARGE, DbrType
from pycaserver.dialects.encoding import JSON_PIECE, Document
from tests.dialects.rtoc.peers import RtocPeer, station
from tests.dialects.rtoc.test_cipher import HASH
from tests.fakes import WALL_START, FakeLimits, World

OK = {"error": False}
ERROR = {"error": True}
REFUSED = {"authorized": False}
T = 1_447_799_204.0


@pytest.fixture
def peer(world: World) -> RtocPeer:
    """Of a station without a password, whose PVs are there."""
    peer = RtocPeer(station(world, local_signals=3), world)
    world.source["T1"].bring_up(4.2, units="K")
    world.source["SP"].bring_up(5.0, units="K")
    world.source["WAVE"].bring_up(np.array([1.0, np.nan]), count=2)
    peer.hears()
    return peer


# -- authorisation


def test_without_a_password_nothing_is_required(peer: RtocPeer) -> None:
    assert peer.asks(getEventList=True) == [{"error": False, "events": {}}]
    assert peer.asks(authorize=True) == [{"authorized": True}, OK]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.9.9.9"])
def test_whitelisted_peers_are_authorised_whatever_they_send(world: World, address: str) -> None:
    peer = RtocPeer(station(world, password="password", host_whitelist=["localhost", "10.9.9.9"]), world, address)
    assert peer.session.cipher is None
    assert peer.asks(getSignalList=True) == [REFUSED]
    assert peer.asks(authorize="anything", getEventList=True) == [{"authorized": True}, {"error": False, "events": {}}]


def test_other_peers_encrypt_and_show_the_hash(world: World) -> None:
    peer = RtocPeer(station(world, password="password"), world)
    assert peer.session.cipher is not None
    assert peer.asks(getSignalList=True) == [REFUSED]
    assert peer.asks(authorize="wrong") == [REFUSED, REFUSED]
    peer.says(b'{"authorize": true}')
    assert peer.hears() == [REFUSED]
    assert peer.asks(authorize=HASH) == [{"authorized": True}, OK]
    peer.says(b"no base64")
    assert peer.hears() == [ERROR]


def test_a_peer_behind_a_proxy_is_never_whitelisted(world: World) -> None:
    peer = RtocPeer(station(world, password="password"), world, "127.0.0.1", direct=False)
    assert peer.session.cipher is not None
    assert peer.asks(authorize=True) == [REFUSED, REFUSED]


def test_an_unauthorised_peer_is_pushed_nothing(world: World) -> None:
    at = station(world, password="password")
    stranger = RtocPeer(at, world)
    friend = RtocPeer(at, world)
    friend.asks(authorize=HASH)
    friend.asks(y=[1], sname=["A"], dname="Test")
    world.source["T1"].bring_up(1.0)
    world.source["T1"].channel.disconnected()
    assert stranger.hears() == []
    assert any("event" in message for message in friend.hears())


def test_many_wrong_hashes_close_the_session(world: World) -> None:
    peer = RtocPeer(station(world, password="password"), world)
    for _ in range(200):
        peer.asks(authorize="wrong")
    assert peer.transport.closed is TOO_MANY_ERRORS


# -- requests


def test_lists_and_latest(peer: RtocPeer) -> None:
    (answer,) = peer.asks(getSignalList=True, getLatest=True, unknown=1)
    assert answer == {
        "error": False,
        "signalList": [["Cryostat", "T1"], ["Cryostat", "Setpoint"], ["Scope", "Trace"]],
        "latest": {
            "Cryostat.T1": [T, 4.2, "K", 0, T, T],
            "Cryostat.Setpoint": [T, 5.0, "K", 1, T, T],
            "Scope.Trace": [1, None, "mV", 2, 0, 1],
        },
    }
    assert peer.asks(getLatest=["Cryostat.T1"]) == [{"error": False, "latest": {"Cryostat.T1": [T, 4.2, "K"]}}]


def test_signals_and_their_ranges(world: World, peer: RtocPeer) -> None:
    for n in range(1, 10):
        world.source["T1"].post(float(n), seconds=int(T) + n)
    assert peer.asks(getSignal=["Scope.Trace"])[0]["signals"] == {"Scope.Trace": [[0, 1], [1.0, None], "mV", 2, 0, 1]}
    wanted = {"dname": "Cryostat", "sname": "T1", "xmin": T + 2, "xmax": T + 4}
    x = [T + 2, T + 3, T + 4]
    assert peer.asks(getSignal=wanted)[0]["signals"] == {"Cryostat.T1": [x, [2.0, 3.0, 4.0], "K", 0, T, T + 9]}
    (answer,) = peer.asks(getSignal={**wanted, "xmin": None, "xmax": None, "maxN": 2})
    assert answer["signals"]["Cryostat.T1"][1] == [1.0, 9.0]
    assert set(peer.asks(getSignal="all")[0]["signals"]) == {"Cryostat.T1", "Cryostat.Setpoint", "Scope.Trace"}


def test_the_whole_session(peer: RtocPeer) -> None:
    (answer,) = peer.asks(getSession=True)
    assert answer["session"]["devices"] == {"0": "Cryostat", "1": "Scope"}
    assert answer["session"]["signals"]["0"] == [0, "T1", [T], [4.2], "K"]


@pytest.mark.parametrize(
    "request_",
    [
        {}, {"getSignal": ["No.Such"]}, {"getLatest": ["x"]}, {"subscribe": ["signal", "No.Such"]},
        {"subscribe": ["event", "Cryostat.T1"]}, {"subscribe": "Cryostat.T1"}, {"getSignal": 5}, {"y": None},
        {"y": [1, 2], "x": [1]}, {"y": [1], "sname": ["a.b"]}, {"y": ["text"], "dname": "Test"},
        {"y": [1], "x": [1e300], "dname": "Test"}, {"y": [[1]], "dname": "Test"},
        {"y": [1, 2, 3, 4], "dname": "Test", "sname": ["A", "B", "C", "D"]}, {"remove": ["signal", "Cryostat.T1"]},
        {"logger": {"reboot": None}}, {"logger": {"export": ["Cryostat.T1"]}}, {"logger": {"telegram": {}}},
        {"logger": {"postgresql": {}}}, {"logger": {"backup": {}}}, {"logger": {"clear": ["Cryostat.T1"]}},
        {"logger": {"resize": 0}}, {"plugin": {"None": {}}}, {"plugin": {"Cryostat": {"start": True}}},
        {"automation": {"setAction": {"name": "a", "script": "import os", "listenID": "i"}}},
        {"automation": {"setEvent": {"name": "e", "cond": "Cryostat.T1 > 1 or True"}}}, {"event": {"text": 5}},
    ],
)  # fmt: skip
def test_what_cannot_be_is_an_error(peer: RtocPeer, request_: dict[str, Any]) -> None:
    assert peer.asks(**request_)[-1] == ERROR
    assert peer.asks(getEventList=False) == [{"error": False, "events": {}}]


# -- samples


def test_samples_are_pushed_to_subscribers_until_they_leave(world: World, peer: RtocPeer) -> None:
    pushed = {"x": [T], "y": [4.2], "unit": "K", "dname": "Cryostat", "sname": "T1", "id": 0}
    assert peer.asks(subscribe=["signal", "Cryostat.T1"]) == [{"signal": pushed}, OK]
    world.source["T1"].post(4.3, seconds=int(T) + 1)
    assert peer.hears() == [{"signal": {**pushed, "x": [T + 1], "y": [4.3]}}]
    assert peer.asks(unsubscribe=["signal", 0]) == [OK]
    world.source["T1"].post(4.4)
    assert peer.hears() == []


def test_devices_and_all_can_be_subscribed_to(world: World, peer: RtocPeer) -> None:
    assert len(peer.asks(subscribe=["device", "Cryostat"])) == 3
    assert peer.asks(unsubscribeAll=True) == [OK]
    assert len(peer.asks(subscribeAll=True)) == 4
    assert [message.get("signal", {}).get("sname") for message in peer.asks(y=1, dname="Test")] == [
        "Unnamed",
        "Unnamed",
        None,
    ]


def test_a_write_is_a_put_and_answered_when_it_is_sent(world: World, peer: RtocPeer) -> None:
    assert peer.asks(y=[6], sname=["Setpoint"], dname="Cryostat") == [{"error": False, "sent": True}]
    assert world.source["SP"].puts[0].elements.tolist() == [6.0]
    world.source["SP"].complete()
    assert [(entry.pv, entry.outcome) for entry in world.audit.entries] == [("SP", "sent")]


def test_a_write_to_a_read_only_signal_is_refused(world: World, peer: RtocPeer) -> None:
    assert peer.asks(y=[6, 7], sname=["Setpoint", "T1"], dname="Cryostat") == [ERROR]
    assert (world.source["SP"].puts, world.source["T1"].puts) == ([], [])


def test_requests_wait_for_the_one_before(world: World, peer: RtocPeer) -> None:
    world.source["SP"].sends = False
    assert peer.asks(y=[6], sname=["Setpoint"], dname="Cryostat") == []
    assert peer.asks(getEventList=True) == []
    world.source["SP"].puts[0].events.sent()
    assert peer.hears() == [{"error": False, "sent": True}, {"error": False, "events": {}}]


def test_json_that_would_take_long_is_refused_encrypted_too(world: World) -> None:
    peer = RtocPeer(station(world, password="password"), world)
    assert peer.asks(authorize=HASH, padding="," * MEBIBYTE) == [REFUSED]
    assert (peer.session.authorised, dict(world.figures.errors)) == (False, {"bad_request": 1})


def test_a_waiting_queue_is_bounded(world: World, peer: RtocPeer) -> None:
    world.source["SP"].sends = False
    peer.asks(y=[6], sname=["Setpoint"], dname="Cryostat")
    assert [peer.asks(getEventList=True) for _ in range(101)][99:] == [[], [ERROR]]


def test_local_signals_appear_to_all_and_are_bounded(world: World, peer: RtocPeer) -> None:
    other = RtocPeer(peer.station, world)
    assert peer.hears() == [{"client": "newconnected"}]
    appeared = {"signal": {"x": [], "y": [], "unit": None, "dname": "Test", "sname": "A", "id": 3}}
    assert peer.asks(y=1, x=7, sname="A", dname="Test", unit="V") == [appeared, {"error": False, "sent": True}]
    assert other.hears() == [appeared]
    other.asks(subscribe=["signal", "Test.A"])
    assert peer.asks(y=[2], x=[8], sname=["A"], dname="Test") == [{"error": False, "sent": True}]
    sample = {"x": [8.0], "y": [2.0], "unit": "V", "dname": "Test", "sname": "A", "id": 3}
    assert other.hears() == [{"signal": sample}]
    assert peer.asks(getSignal=["Test.A"])[0]["signals"]["Test.A"] == [[7.0, 8.0], [1.0, 2.0], "V", 3, 7.0, 8.0]


def test_plot_replaces_a_local_signal(peer: RtocPeer) -> None:
    peer.asks(y=1, sname="A", dname="Test")
    peer.asks(plot=True, y=[3, 4], sname=["A"], dname="Test")
    assert peer.asks(getSignal=["Test.A"])[0]["signals"]["Test.A"][:2] == [[0.0, 1.0], [3.0, 4.0]]


@pytest.mark.parametrize("keys", [{"plot": True, "y": [0] * 100_001}, {"y": [0] * 2_001, "sname": ["A"] * 2_001}])
def test_no_request_gives_more_samples_than_are_quickly_taken(peer: RtocPeer, keys: dict[str, Any]) -> None:
    peer.asks(y=1, sname="A", dname="Test")
    assert peer.asks(**{"sname": "A", "dname": "Test", **keys}) == [ERROR]
    assert peer.asks(getSignal=["Test.A"])[0]["signals"]["Test.A"][1] == [1.0]


def test_local_signals_can_be_cleared_resized_and_removed(peer: RtocPeer) -> None:
    peer.asks(y=1, sname="A", dname="Test")
    peer.asks(plot=True, x=[5, 6, 7], y=[1, 2, 3], sname="A", dname="Test")
    assert peer.asks(logger={"resize": 2}) == [{"error": False, "logger": {"resize": True}}]
    assert peer.asks(getSignal=["Test.A"])[0]["signals"]["Test.A"][0] == [6.0, 7.0]
    assert peer.asks(logger={"clear": ["Test.A"]}) == [{"error": False, "logger": {"clear": [True]}}]
    assert peer.asks(getSignal=["Test.A"])[0]["signals"]["Test.A"][0] == []
    assert peer.asks(remove=["signal", "Test.A"]) == [{"error": False, "remove": [1, 0]}]
    assert peer.asks(getLatest=["Test.A"]) == [ERROR]


def test_creating_a_signal_needs_the_right_to_write_it() -> None:
    rules = Rules(True, "read", (), [Rule(pv="rtoc://Test/*", allow="write")])
    world = World(access=AccessControl(rules))
    peer = RtocPeer(station(world), world)
    assert peer.asks(y=1, sname="A", dname="Other") == [ERROR]
    assert peer.asks(event={"text": "x", "dname": "Other", "sname": "A"}) == [ERROR]
    assert peer.asks(y=1, sname="A", dname="Test")[-1] == {"error": False, "sent": True}


def test_what_may_not_be_read_is_not_there() -> None:
    world = World(access=AccessControl(Rules(False, "read", (), [Rule(pv="T1", allow="none")])))
    peer = RtocPeer(station(world), world)
    world.source["T1"].bring_up(1.0)
    world.source["T1"].channel.disconnected()
    (answer,) = peer.asks(getSignalList=True, getLatest=True, getEventList=True)
    assert (answer["signalList"][0], answer["latest"], answer["events"]) == (["Cryostat", "Setpoint"], {}, {})
    assert peer.asks(getSignal=["Cryostat.T1"]) == [ERROR]
    assert peer.asks(subscribe=["signal", "Cryostat.T1"]) == [ERROR]


# -- large arrays

TRACE = np.where(np.arange(LARGE) == 5, np.nan, np.arange(LARGE) / 2)
LISTED = [None if each != each else each for each in TRACE.tolist()]


@pytest.fixture(params=["plain", "encrypted"])
def scope(request: pytest.FixtureRequest, world: World) -> RtocPeer:
    """A peer that follows a large array."""
    keys = {"password": "password"} if request.param == "encrypted" else {}
    peer = RtocPeer(station(world, FakeLimits(backlog_bytes=16_000_000), **keys), world)
    peer.asks(authorize=HASH)
    peer.asks(subscribe=["signal", "Scope.Trace"])
    world.source["WAVE"].bring_up(TRACE, count=LARGE)
    return peer


def test_a_large_array_is_pushed_whole(world: World, scope: RtocPeer) -> None:
    names = {"unit": "mV", "dname": "Scope", "sname": "Trace", "id": 2}
    assert scope.hears() == [{"signal": {"x": list(range(LARGE)), "y": LISTED, **names}}]
    world.source["WAVE"].post(TRACE[::-1])
    (message,) = scope.hears()
    assert message["signal"]["y"] == LISTED[::-1]
    assert world.figures.faults == 0


def test_a_large_answer_lets_the_requests_behind_it_wait(scope: RtocPeer) -> None:
    scope.hears()
    scope.sends(getSignal=["Scope.Trace"])
    scope.sends(getEventList=False)
    first, second = scope.hears()
    curve = [list(range(LARGE)), LISTED, "mV", 2, 0, LARGE - 1]
    assert first == {"error": False, "signals": {"Scope.Trace": curve}}
    assert second == {"error": False, "events": {}}


def test_a_large_answer_is_made_piece_by_piece(world: World, scope: RtocPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piecework, "TURN_SECONDS", 0)
    scope.hears()
    scope.sends(getSession=True)
    turns = 0
    while not scope.told:
        world.clock.run_one()
        turns += 1
    assert turns > 2 * LARGE // JSON_PIECE
    (answer,) = scope.hears()
    assert answer["session"]["signals"]["2"][2:] == [list(range(LARGE)), LISTED, "mV"]


def test_a_peer_that_goes_meanwhile_gets_no_large_answer(
    world: World, scope: RtocPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piecework, "TURN_SECONDS", 0)
    scope.hears()
    scope.sends(getSignal=["Scope.Trace"])
    world.clock.run_one()
    scope.session.ended()
    for _ in range(2):
        world.clock.run_one()
    assert world.clock.idle, "it is made for nobody"
    assert scope.hears() == []
    assert world.figures.faults == 0


def test_a_plot_is_encoded_once_for_all_that_follow(
    world: World, peer: RtocPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.asks(y=1, sname="A", dname="Test")
    others = [RtocPeer(peer.station, world) for _ in range(3)]
    for other in others:
        other.asks(subscribe=["signal", "Test.A"])
    peer.hears()
    pieces, made = Document.pieces, []

    def counted(document: Document) -> Iterator[bytes]:
        made.append(document)
        return pieces(document)

    monkeypatch.setattr(Document, "pieces", counted)
    peer.asks(plot=True, y=[3, 4], sname="A", dname="Test")
    assert [other.hears()[-1]["signal"]["y"] for other in others] == [[3.0, 4.0]] * 3
    assert len(made) == 2, "the plot and the answer"


# -- events, actions, plugins, automations


def test_alarms_and_connections_are_events(world: World, peer: RtocPeer) -> None:
    world.source["T1"].post(9.0, severity=2, status=3)
    world.source["T1"].channel.disconnected()
    first, second = (message["event"] for message in peer.hears())
    assert (first["text"], first["priority"], first["value"], first["x"]) == ("MAJOR: HIHI", 2, 9.0, T)
    assert (second["text"], second["priority"], second["x"]) == ("disconnected: lost", 2, WALL_START)
    assert set(peer.asks(getEventList=1)[0]["events"]) == {"1"}
    (answer,) = peer.asks(getEvent=["Cryostat.T1"])
    row = answer["events"]["Cryostat.T1"][0]
    assert row == ["Cryostat", "T1", 0, "MAJOR: HIHI", T, 9.0, 2, first["id"]]


def test_peers_tell_events(world: World, peer: RtocPeer) -> None:
    told, answer = peer.asks(event=["Hello", "A", "Test", 5.5, 1, "me", 3])
    assert answer == OK
    assert told == {
        "event": {
            "x": 5.5, "text": "Hello", "dname": "Test", "sname": "A", "priority": 1, "value": 3, "id": "me",
            "eventId": 0,
        }
    }  # fmt: skip
    assert peer.asks(remove=[[], [0]]) == [{"error": False, "remove": [0, 1]}]


def test_a_user_action_puts_in_order_and_says_how_it_went(world: World, peer: RtocPeer) -> None:
    assert peer.asks(userAction="vent") == []
    world.source["VALVE"].bring_up(0, type=DbrType.LONG)
    assert world.source["SP"].puts == []
    world.source["VALVE"].complete()
    world.source["SP"].complete()
    result = {"name": "vent", "success": True, "type": "text", "data": "Done."}
    assert peer.hears() == [{"error": False, "userAction": result}]
    assert peer.asks(userAction="none")[0]["userAction"]["success"] is False


def test_plugins_show_parameters_and_functions(world: World, peer: RtocPeer) -> None:
    (answer,) = peer.asks(getPluginList=True)
    plugin = answer["pluginList"]["Cryostat"]
    assert plugin["parameters"] == [["SP", 5.0, None]]
    assert [function[0] for function in plugin["functions"]] == ["vent"]
    assert peer.asks(plugin={"Cryostat": {"SP": "get"}}) == [{"error": False, "plugin": {"Cryostat": {"SP": 5.0}}}]
    peer.asks(plugin={"Cryostat": {"SP": 8}})
    assert world.source["SP"].complete().elements.tolist() == [8.0]


def test_a_comparison_makes_an_event_that_starts_an_action(world: World, peer: RtocPeer) -> None:
    event = {"name": "hot", "cond": "Cryostat.T1.latest >= 10", "text": "Too hot", "priority": 2, "id": "hot"}
    action = {"name": "a", "script": "vent", "listenID": ["hot"]}
    (answer,) = peer.asks(automation={"setEvent": event, "setAction": action})
    assert list(answer["automation"]["events"]) == ["hot"]
    world.source["T1"].post(11.0)
    world.clock.advance(0.2)
    assert [message["event"]["text"] for message in peer.hears()] == ["Too hot"]
    world.source["VALVE"].bring_up(0, type=DbrType.LONG)
    assert len(world.source["VALVE"].puts) == 1
    (answer,) = peer.asks(automation={"removeEvent": "hot", "removeAction": "a"})
    assert (answer["automation"]["removeEvent"], answer["automation"]["events"]) == (True, {})


def test_the_logger_tells_what_there_is(peer: RtocPeer) -> None:
    info = peer.asks(logger={"info": None})[0]["logger"]["info"]
    assert (info["signals"], info["starttime"], info["userActions"]) == (3, WALL_START, ["vent"])


# -- anything at all

KEYS = (
    "authorize", "y", "x", "sname", "dname", "unit", "plot", "getSignalList", "getPluginList", "event", "subscribe",
    "unsubscribe", "subscribeAll", "unsubscribeAll", "getEventList", "getEvent", "getSignal", "getLatest",
    "getSession", "remove", "plugin", "logger", "userAction", "automation",
)  # fmt: skip
WORDS = (
    "signal", "device", "Cryostat.T1", "Cryostat", "T1", "Setpoint", "all", "info", "clear", "resize", "vent",
    "vent()", "get", "setEvent", "setAction", "testEvent", "reset", "active", "name", "cond", "Cryostat.T1 > 1",
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
def test_any_request_is_answered_and_none_is_a_fault(request_: dict[str, Any]) -> None:
    world = World()
    peer = RtocPeer(station(world), world)
    for pv in ("T1", "SP"):
        world.source[pv].bring_up(1.0)
    peer.says(json.dumps(request_).encode())
    world.clock.advance(30)
    assert peer.hears()
    assert world.figures.faults == 0


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(data: bytes) -> None:
    for keys in ({}, {"password": "password"}):
        world = World()
        peer = RtocPeer(station(world, **keys), world)
        peer.says(data)
        assert peer.hears()[-1] in (OK, ERROR, REFUSED)
        assert world.figures.faults == 0
