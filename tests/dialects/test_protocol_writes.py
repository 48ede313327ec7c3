"""Writing, and what access rules do to a session, as the reference page says."""

import json
from base64 import b64encode
from typing import Any

import numpy as np
import pytest

from pycaserver.core.access import Rule, Rules
from pycaserver.core.errors import TOO_MANY_ERRORS, PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.values import Access
from tests.fakes import Peer, World

NOTHING = Rules(writes=True, default="none", rules=[Rule("PV", "write", ("user:anna",))])
READ = Rules(writes=True, rules=[Rule("PV", "write", ("user:anna",))])


def frame(header: dict[str, Any], elements: bytes) -> bytes:
    text = json.dumps(header).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return len(text).to_bytes(4, "little") + text + elements


@pytest.fixture
def up(world: World) -> World:
    """PV is up, an array of doubles."""
    world.channel("PV")
    world.source["PV"].bring_up(count=10)
    return world


def test_put_is_answered_with_the_completion(up: World, peer: Peer) -> None:
    peer.asks("put", pv="PV", value=2.5, id=7)
    assert peer.hears() == []
    up.clock.advance(1.5)
    assert up.source["PV"].complete().elements.tolist() == [2.5]
    assert peer.hears() == [{"msg_type": "put", "pvname": "PV", "ok": True, "elapsed": 1.5, "id": 7}]


def test_put_without_wait_is_answered_when_it_is_sent(up: World, peer: Peer) -> None:
    peer.asks("put", pv="PV", value=[1, "NaN"], wait=False)
    assert peer.hears() == [{"msg_type": "put", "pvname": "PV", "ok": True, "sent": True, "elapsed": 0.0}]
    assert not up.source["PV"].complete().wait


def test_error_echoes_what_it_is_about(up: World, peer: Peer) -> None:
    peer.asks("put", pv="PV", value="x", id="i")
    (error,) = peer.hears()
    assert (error["code"], error["action"], error["pvname"], error["id"]) == ("bad_value", "put", "PV", "i")


@pytest.mark.parametrize("dtype", ["<f8", "<f4", "<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1"])
def test_elements_come_in_base64_and_in_binary_frames(up: World, peer: Peer, dtype: str) -> None:
    raw = np.array([1, 2, 3], dtype).tobytes()
    peer.asks("put", pv="PV", value_b64=b64encode(raw).decode(), dtype=dtype)
    peer.says(frame({"action": "put", "pv": "PV", "dtype": dtype}, raw))
    assert [up.source["PV"].complete().elements.tolist() for _ in range(2)] == [[1.0, 2.0, 3.0]] * 2
    assert peer.gist() == ["put", "put"]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"value": 1, "value_b64": "", "dtype": "<f8"},
        {"value": 1, "wiat": False},
        {"value": True},
        {"value": None},
        {"value": [[1]]},
        {"value_b64": "AAAA"},
        {"value_b64": "AAAA", "dtype": "<f8"},
        {"value_b64": "!", "dtype": "|u1"},
        {"value_b64": "AAAA", "dtype": "O"},
        {"value": 1, "timeout": 0},
        {"value": 1, "timeout": 1e9},
        {"value": 1, "wait": "no"},
        {"value": 1, "pv": ["PV"]},
    ],
    ids=str,
)
def test_put_that_makes_no_sense_is_a_bad_request(up: World, peer: Peer, message: dict[str, Any]) -> None:
    peer.says({"action": "put", "pv": "PV", "id": 3} | message)
    (error,) = peer.hears()
    assert (error["code"], error["action"], error["id"]) == ("bad_request", "put", 3)
    assert up.source["PV"].puts == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame({"action": "put", "pv": "PV", "dtype": "<f8", "value": 1}, b"\0" * 8), "bad_request"),
        (frame({"action": "put", "pv": "PV"}, b"\0" * 8), "bad_request"),
        (frame({"action": "put", "pv": "PV", "dtype": "<f8"}, b"\0" * 7), "bad_request"),
        (frame({"action": "connect", "pv": "PV"}, b""), "bad_request"),
        (frame({"action": "fly"}, b""), "unknown_action"),
        ((4).to_bytes(4, "little") + b"nope", "bad_json"),
        ((4).to_bytes(4, "little") + b"no", "invalid_pv_name"),
        (b"\x04\0\0", "invalid_pv_name"),
        (b"\xff\0\0\0", "bad_json"),
    ],
    ids=ascii,
)
def test_binary_frame_that_is_no_put_is_an_error(up: World, peer: Peer, data: bytes, code: str) -> None:
    peer.says(data)
    (error,) = peer.hears()
    assert error["code"] == code


def test_puts_beyond_the_request_budget_are_refused_and_other_requests_are_not(up: World) -> None:
    peer = up.peer(requests_per_second=3)
    for number in range(5):
        peer.asks("put", pv="PV", value=number)
    peer.asks("ping")
    assert peer.gist() == [("error", "rate_limited")] * 2 + ["pong"]
    assert [put.elements[0] for put in up.source["PV"].puts] == [0, 1, 2]


def test_refusals_that_could_be_foreseen_close_the_session_in_the_end(up: World) -> None:
    peer = up.peer(errors_per_second=1)
    up.access.replace(Rules())
    for _ in range(6):
        peer.asks("put", pv="PV", value=1)
    assert peer.transport.closed is TOO_MANY_ERRORS


def test_failures_of_the_ioc_do_not(up: World) -> None:
    peer = up.peer(errors_per_second=1)
    for _ in range(20):
        peer.asks("put", pv="PV", value=1)
        up.source["PV"].complete(PycaError("put_failed"))
    assert peer.gist() == [("error", "put_failed")] * 20
    assert peer.transport.closed is None


def test_nobody_is_told_of_an_outcome_after_the_end(up: World, peer: Peer) -> None:
    peer.asks("put", pv="PV", value=1)
    peer.session.ended()
    up.source["PV"].complete()
    assert peer.hears() == []
    assert len(up.audit.entries) == 1


# -- access rules


@pytest.mark.parametrize("action", ["connect", "get", "info"])
def test_what_may_not_be_read_is_refused_and_not_searched(world: World, peer: Peer, action: str) -> None:
    world.access.replace(NOTHING)
    peer.asks(action, pv="PV", id=1)
    (error,) = peer.hears()
    assert (error["code"], error["action"], error["pvname"], error["id"]) == ("read_denied", action, "PV", 1)
    assert 'access.default is "none"' in error["message"]
    assert world.source.opened == []


def test_of_a_list_only_the_forbidden_ones_are_refused(world: World, peer: Peer) -> None:
    world.access.replace(Rules(rules=[Rule("A", "none")]))
    peer.connects(["A", "B"])
    assert peer.gist() == [("error", "read_denied")]
    assert world.source.opened == ["B"]


def test_access_tells_what_rules_and_ioc_both_allow(world: World, peer: Peer) -> None:
    peer.connects(["PV", "OTHER"], metadata=True)
    world.access.replace(Rules(writes=True, rules=[Rule("PV", "write")]))
    for name in ("PV", "OTHER"):
        world.source[name].bring_up()
    told = {m["pvname"]: (m["read"], m["write"]) for m in peer.hears() if m["msg_type"] == "access"}
    assert told == {"PV": (True, True), "OTHER": (True, False)}


def test_rules_that_change_are_told_at_once(world: World, peer: Peer) -> None:
    plain = world.peer()
    plain.connects("PV")
    peer.connects("PV", metadata=True)
    world.source["PV"].bring_up(1)
    peer.hears()
    plain.hears()
    world.access.replace(READ)
    assert peer.hears() == [{"msg_type": "access", "pvname": "PV", "read": True, "write": False}]
    world.access.replace(READ)
    assert peer.hears() == []
    peer.session.become(Identity(user="anna"))
    assert peer.hears() == [{"msg_type": "access", "pvname": "PV", "read": True, "write": True}]
    world.source["PV"].channel.access_changed(Access(read=True, write=False))
    assert [m["write"] for m in peer.hears()] == [False]
    world.access.replace(Rules())
    assert peer.hears() == []
    assert plain.hears() == []


def test_right_to_read_that_is_lost_ends_the_subscription(world: World, peer: Peer) -> None:
    peer.connects(["PV", "OTHER"])
    world.source["PV"].bring_up(1)
    peer.hears()
    world.access.replace(Rules(rules=[Rule("PV", "none")]))
    since = world.clock.wall()
    assert peer.hears() == [
        {"msg_type": "connection", "pvname": "PV", "conn": False, "reason": "read_denied", "since": since}
    ]
    world.source["PV"].post(2)
    assert peer.hears() == []
    peer.asks("list")
    assert [pv["pvname"] for pv in peer.hears()[0]["pvs"]] == ["OTHER"]


def test_read_that_is_under_way_is_refused_too(up: World, peer: Peer) -> None:
    peer.asks("get", pv="PV")
    up.access.replace(NOTHING)
    up.source["PV"].answer(PycaError("not_connected"))
    assert peer.gist() == [("error", "read_denied")]


def test_info_names_the_rule(up: World, peer: Peer) -> None:
    up.access.replace(READ)
    peer.session.become(Identity(user="anna"))
    peer.asks("info", pv="PV")
    (info,) = peer.hears()
    assert info["access"] == info["allowed"] == {"read": True, "write": True}
    assert info["rule"] == 'access.rule 1 (pv = "PV") allows write'


def test_session_that_ended_is_not_asked_to_look_again(world: World, peer: Peer) -> None:
    assert len(world.access.watchers) == 1
    peer.session.ended()
    assert world.access.watchers == {}
