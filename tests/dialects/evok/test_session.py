"""Evok's protocol as a peer sees it: commands, events after ticks, filters, puts, what is refused in silence."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.access import Rule, Rules
from pycaserver.core.errors import TOO_MANY_ERRORS, PycaError
from pycaserver.core.identity import Identity
from tests.dialects.evok.house import DEVICES, TICK, EvokPeer, House
from tests.fakes import FakePut, World

DO = {"dev": "do", "circuit": "1_01", "value": 0, "pending": False, "mode": "Simple", "modes": ["Simple"]}


def puts(house: House, name: str) -> list[Any]:
    """What has come to the IOC and has no outcome yet."""
    return [put.elements[0] for put in house.world.source[name].puts]


def refused(house: House) -> dict[str, int]:
    return {code: count for code, count in house.world.figures.errors.items() if count}


# -- asking


def test_nothing_is_sent_on_open(peer: EvokPeer) -> None:
    assert peer.hears() == []


def test_all_lists_every_device_in_the_order_of_evok(peer: EvokPeer) -> None:
    peer.asks("all")
    (objects,) = peer.hears()
    assert [each["dev"] for each in objects] == ["ro", "do", "di", "ai", "ao", "led", "register"]
    assert objects[1] == {**DO, "modes": ["Simple"], "alias": "lamp"}


@pytest.mark.parametrize("cmd", ["full", "get", "simple"])
@pytest.mark.parametrize(
    ("dev", "circuit"), [("do", "1_01"), ("output", "1_01"), ("digitaloutput", "1_01"), ("do", "lamp")]
)
def test_one_device_is_answered_by_its_object(peer: EvokPeer, cmd: str, dev: str, circuit: str) -> None:
    peer.asks(cmd, dev=dev, circuit=circuit)
    assert peer.hears() == [{**DO, "alias": "lamp"}]


def test_the_profile_v2_says_relay_and_input() -> None:
    peer = House(profile="v2").peer()
    peer.asks("all")
    (objects,) = peer.hears()
    said = [(each["dev"], each.get("relay_type"), each["glob_dev_id"]) for each in objects[:3]]
    assert said == [("relay", "physical", 1), ("relay", "digital", 1), ("input", None, 1)]
    peer.asks("full", dev="relay", circuit="1_01")
    assert peer.hears()[0]["relay_type"] == "digital"


# -- events


def test_a_change_is_told_after_a_tick_as_a_list_of_full_objects(house: House, peer: EvokPeer) -> None:
    house.post("DO", 1)
    house.world.clock.advance(TICK * 0.9)
    assert not peer.transport.taken
    assert peer.hears() == [[{**DO, "value": 1, "alias": "lamp"}]]


def test_changes_of_one_tick_come_together_the_newest_of_each_device(house: House, peer: EvokPeer) -> None:
    house.post("AI", 1.0, 2.0)
    house.post("DO", 1)
    house.post("AI", 3.0)
    assert peer.values() == [[("ai", "1_01", 3.0), ("do", "1_01", 1)]]


def test_what_did_not_change_is_not_told(house: House, peer: EvokPeer) -> None:
    house.post("DO", 1, 0)
    house.post("RO", 0.0)
    assert peer.hears() == []
    house.post("RO", 1.0)
    assert peer.values() == [[("ro", "2_01", 1)]]
    house.post("RO", 7.0)  # is 1 too
    assert peer.hears() == []


def test_what_all_has_told_is_not_told_again(house: House, peer: EvokPeer) -> None:
    house.post("DO", 1)
    peer.asks("all")
    assert len(peer.hears()) == 1


def test_a_disconnection_is_null_and_a_new_connection_a_value(house: House, peer: EvokPeer) -> None:
    house.world.source["AI"].channel.disconnected()
    ((told,),) = peer.hears()
    assert (told["value"], told["unit"], told["range"]) == (None, None, None)
    house.bring_up("AI")
    ((told,),) = peer.hears()
    assert (told["value"], told["unit"], told["range"]) == (0.0, "mA", [4.0, 20.0])


@pytest.mark.parametrize("data", [float("nan"), float("inf"), float("-inf"), [], "text"])
def test_what_is_no_number_is_null(house: House, peer: EvokPeer, data: Any) -> None:
    house.post("AO", data)
    assert peer.values() == [[("ao", "1_01", None)]]


# -- the filter


@pytest.mark.parametrize(
    ("devices", "told"),
    [
        (["do", "ao"], {"do"}),
        (["relay", "ao"], {"ro"}),
        (["digitaloutput", "nonsense"], {"do"}),
        (["relay", "led", "input", "ro", "do", "di"], {"do", "ro"}),
        ([], set()),
        (["nonsense"], {"ai"}),
        (["default"], {"ai"}),
        (["default", "do"], {"ai", "do", "ro"}),
    ],
)
def test_a_filter_names_what_is_told(house: House, peer: EvokPeer, devices: list[str], told: set[str]) -> None:
    peer.asks("filter", devices=["ai"])
    peer.asks("filter", devices=devices)
    for name in ("DO", "RO", "AI"):
        house.post(name, 1)
    lists = peer.values()
    assert {dev for each in lists for dev, _, _ in each} == told
    assert refused(house) == {}


def test_relay_in_the_filter_of_the_profile_v2_is_both() -> None:
    house = House(profile="v2")
    peer = house.peer()
    peer.asks("filter", devices=["relay", "ao"])
    for name in ("DO", "RO", "AI", "DI"):
        house.post(name, 1)
    assert peer.values() == [[("relay", "1_01", 1), ("relay", "2_01", 1)]]


def test_all_does_not_mind_the_filter(peer: EvokPeer) -> None:
    peer.asks("filter", devices=[])
    peer.asks("all")
    assert len(peer.hears()[0]) == len(DEVICES)


# -- setting


@pytest.mark.parametrize(
    ("keys", "pv", "elements"),
    [
        ({"dev": "do", "circuit": "1_01", "value": 1}, "DO", 1),
        ({"dev": "output", "circuit": "lamp", "value": "1"}, "DO", 1),
        ({"dev": "do", "circuit": "1_01", "value": True}, "DO", 1),
        ({"dev": "do", "circuit": "1_01", "value": {"value": 1}}, "DO", 1),
        ({"dev": "relay", "circuit": "2_01", "value": 5}, "RO", 1.0),
        ({"dev": "ao", "circuit": "1_01", "value": "2.5"}, "AO", 2.5),
        ({"dev": "register", "circuit": "1_0", "value": 70000}, "REGISTER", 70000),
        ({"dev": "di", "circuit": "1_01", "value": 50}, "DEBOUNCE", 50.0),
        ({"dev": "di", "circuit": "1_01", "debounce": "60"}, "DEBOUNCE", 60.0),
        ({"dev": "ai", "circuit": "1_01", "value": "Current"}, "MODE", 1),
        ({"dev": "ai", "circuit": "1_01", "mode": "Current", "value": None}, "MODE", 1),
    ],
    ids=str,
)
def test_a_set_is_a_put(house: House, peer: EvokPeer, keys: dict[str, Any], pv: str, elements: Any) -> None:
    peer.asks("set", **keys)
    assert puts(house, pv) == [elements]
    house.world.source[pv].complete()
    assert peer.hears() == []
    assert [entry.outcome for entry in house.world.audit.entries] == ["ok"]


def test_the_setter_hears_of_the_change_too(house: House, peer: EvokPeer) -> None:
    peer.asks("set", dev="do", circuit="1_01", value=1)
    house.world.source["DO"].complete()
    house.post("DO", 1)
    assert peer.values() == [[("do", "1_01", 1)]]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", "bad_json"),
        ("{", "bad_json"),
        ("[" * 60_000, "bad_json"),
        (b'{"cmd": "all\xff"}', "bad_json"),
        ('{"cmd": NaN}', "bad_json"),
        ("[]", "bad_request"),
        ("{}", "bad_request"),
        ('{"cmd": 1}', "bad_request"),
        ('{"cmd": "__init__"}', "unknown_action"),
        ('{"cmd": "filter"}', "bad_request"),
        ('{"cmd": "filter", "devices": "ao"}', "bad_request"),
        ('{"cmd": "full", "dev": "do"}', "bad_request"),
        ('{"cmd": "full", "dev": "do", "circuit": "9_99"}', "bad_request"),
        ('{"cmd": "full", "dev": "owbus", "circuit": "1"}', "bad_request"),
        ('{"cmd": "set", "dev": "do", "circuit": "1_01"}', "bad_request"),
        ('{"cmd": "set", "dev": "do", "circuit": "1_01", "value": null}', "bad_request"),
        ('{"cmd": "set", "dev": "do", "circuit": "1_01", "value": "on"}', "bad_request"),
        ('{"cmd": "set", "dev": "do", "circuit": "1_01", "value": [1]}', "bad_request"),
        ('{"cmd": "set", "dev": "do", "circuit": "1_01", "value": {"value": {}}}', "bad_request"),
        ('{"cmd": "set", "dev": "do", "circuit": "1_01", "value": 1, "alias": "x"}', "bad_request"),
        ('{"cmd": "set", "dev": "do", "circuit": "1_01", "timeout": 1}', "bad_request"),
        ('{"cmd": "set", "dev": "do", "circuit": "1_01", "value": 1, "timeout": 0}', "bad_request"),
        ('{"cmd": "set", "dev": "do", "circuit": "1_01", "value": 1, "timeout": 1e300}', "bad_request"),
        ('{"cmd": "set", "dev": "ao", "circuit": "1_01", "value": "nan"}', "bad_request"),
        ('{"cmd": "set", "dev": "ao", "circuit": "1_01", "value": 1%s}' % ("0" * 5000), "bad_json"),
        ('{"cmd": "set", "dev": "register", "circuit": "1_0", "value": 0.5}', "bad_request"),
        ('{"cmd": "set", "dev": "register", "circuit": "1_0", "value": 1e12}', "bad_value"),
        ('{"cmd": "set", "dev": "di", "circuit": "1_01", "debounce": [1]}', "bad_request"),
        ('{"cmd": "set", "dev": "ai", "circuit": "1_01", "value": "Ohm"}', "bad_value"),
        ('{"cmd": "set", "dev": "led", "circuit": "1_01", "value": 1}', "bad_request"),
        ('{"cmd": "set", "dev": "di", "circuit": "1_01", "counter": 0}', "bad_request"),
    ],
    ids=lambda given: ascii(given)[:80],
)
def test_a_mistake_is_counted_and_the_connection_kept(
    house: House, peer: EvokPeer, message: str | bytes, code: str
) -> None:
    peer.says(message)
    assert refused(house) == {code: 1}
    assert house.world.figures.faults == 0
    assert peer.hears() == []
    assert not any(channel.puts for channel in house.world.source.channels.values())
    assert peer.transport.closed is None
    peer.asks("get", dev="do", circuit="1_01")
    assert peer.hears()


def test_a_set_with_one_bad_field_sets_none(house: House, peer: EvokPeer) -> None:
    peer.asks("set", dev="do", circuit="1_01", value={"value": 1, "pwm_duty": 50})
    assert puts(house, "DO") == []


def test_errors_are_logged_once_of_each_code(peer: EvokPeer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            peer.asks("fly")
        peer.says("{")
    assert len(caplog.records) == 2


def test_one_mistake_after_another_closes(peer: EvokPeer) -> None:
    for _ in range(101):
        peer.says("{")
    assert peer.transport.closed is TOO_MANY_ERRORS


def test_a_put_that_the_rules_refuse_is_recorded_and_the_connection_kept(house: House, peer: EvokPeer) -> None:
    house.world.access.replace(Rules(writes=True, default="read"))
    peer.asks("set", dev="do", circuit="1_01", value=1)
    assert puts(house, "DO") == []
    assert refused(house) == {"write_denied": 1}
    assert [(entry.pv, entry.decision) for entry in house.world.audit.entries] == [("DO", "refused")]
    assert peer.hears() == []
    assert peer.transport.closed is None


def test_refused_puts_use_up_the_budget_of_errors(house: House, peer: EvokPeer) -> None:
    house.world.access.replace(Rules(writes=False))
    for _ in range(101):
        peer.asks("set", dev="do", circuit="1_01", value=1)
    assert peer.transport.closed is TOO_MANY_ERRORS


def test_beyond_the_request_budget_sets_are_refused(house: House) -> None:
    peer = house.peer(requests_per_second=1)
    for _ in range(2):
        peer.asks("set", dev="do", circuit="1_01", value=1)
    assert len(puts(house, "DO")) == 1
    assert refused(house) == {"rate_limited": 1}


# -- a set with a time-out


def set_for(house: House, peer: EvokPeer, seconds: float, **keys: Any) -> None:
    peer.asks("set", dev="do", circuit="1_01", value=1, timeout=seconds, **keys)


def complete(house: House, value: int | None = None, error: PycaError | None = None) -> FakePut:
    """The IOC has done the oldest put, and posts the value."""
    put = house.world.source["DO"].complete(error)
    if value is not None:
        house.post("DO", value)
    return put


def test_a_time_out_undoes_what_was_set_and_pending_says_so(house: House, peer: EvokPeer) -> None:
    set_for(house, peer, 2)
    complete(house, 1)
    assert [[(each["value"], each["pending"]) for each in told] for told in peer.hears()] == [[(1, True)]]
    house.world.clock.advance(2)
    assert puts(house, "DO") == [0]
    complete(house, 0)
    assert [[(each["value"], each["pending"]) for each in told] for told in peer.hears()][-1] == [(0, False)]
    assert [entry.new for entry in house.world.audit.entries] == [1, 0]


def test_it_is_undone_even_if_the_peer_has_gone_at_once(house: House, peer: EvokPeer) -> None:
    set_for(house, peer, 2)
    peer.session.ended()
    complete(house, 1)
    house.world.clock.advance(2)
    assert puts(house, "DO") == [0]


def test_a_later_set_stands_in_the_place_of_the_time_out(house: House, peer: EvokPeer) -> None:
    set_for(house, peer, 2)
    complete(house, 1)
    house.peer().asks("set", dev="do", circuit="1_01", value=1)
    complete(house, 1)
    house.world.clock.advance(3)
    assert puts(house, "DO") == []
    assert not house.board.find("do", "1_01").pending  # type: ignore[union-attr]


def test_a_refused_set_leaves_the_time_out_as_it_is(house: House, peer: EvokPeer) -> None:
    set_for(house, peer, 2)
    complete(house, 1)
    peer.asks("set", dev="do", circuit="1_01", value=1)
    complete(house, error=PycaError("put_failed"))
    house.world.clock.advance(2)
    assert puts(house, "DO") == [0]


def test_what_was_refused_is_not_undone(house: House, peer: EvokPeer) -> None:
    house.world.access.replace(Rules(writes=False))
    set_for(house, peer, 2)
    house.world.access.replace(Rules(writes=True, default="write"))
    house.world.clock.advance(3)
    assert puts(house, "DO") == []


def test_what_may_have_been_set_is_undone(house: House, peer: EvokPeer) -> None:
    set_for(house, peer, 10)
    house.world.clock.advance(5)  # the IOC does not answer
    assert refused(house) == {"put_timeout": 1}
    house.world.clock.advance(10)
    assert puts(house, "DO") == [1, 0]


def test_an_undoing_that_fails_is_a_warning(house: House, peer: EvokPeer, caplog: pytest.LogCaptureFixture) -> None:
    set_for(house, peer, 2)
    complete(house, 1)
    house.world.access.replace(Rules(writes=False))
    house.world.clock.advance(2)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert [entry.decision for entry in house.world.audit.entries] == ["allowed", "refused"]


# -- rights


class Gatekeeper:
    """An identity is needed."""

    locked = True

    def authenticate(self, token: str) -> Identity:
        raise AssertionError("Evok has no words for it")


def test_without_a_needed_identity_nothing_is_told(house: House) -> None:
    gate = Gatekeeper()
    peer = house.peer(gate)
    peer.asks("all")
    house.post("DO", 1)
    assert peer.hears() == []
    assert refused(house) == {"unauthenticated": 1}
    gate.locked = False
    assert peer.values() == [[("do", "1_01", 1)]]


def test_what_may_not_be_read_is_null_and_its_changes_are_no_events() -> None:
    world = World()
    world.access.replace(Rules(writes=True, default="write", rules=[Rule("DO", "none")]))
    house = House(world)
    peer = house.peer()
    peer.asks("get", dev="do", circuit="1_01")
    assert [each["value"] for each in peer.hears()] == [None]
    house.post("DO", 1)
    assert peer.hears() == []


def test_changed_rules_are_told_at_once(house: House, peer: EvokPeer) -> None:
    house.post("DO", 1)
    assert peer.values() == [[("do", "1_01", 1)]]
    house.world.access.replace(Rules(writes=True, default="write", rules=[Rule("DO", "none")]))
    assert peer.values() == [[("do", "1_01", None)]]


# -- a slow peer


def test_a_slow_peer_gets_the_newest_object_of_each_device(house: House) -> None:
    peer, quick = house.peer(), house.peer()
    peer.transport.reading = False
    for number in range(1, 3001):
        house.post("AI", float(number))
        house.post("AO", float(number))
        house.world.clock.advance(TICK)
    waiting = peer.transport.unsent + peer.session.outbox.backlog
    assert waiting < 2 * 262144
    assert house.world.figures.updates_merged > 1000
    assert peer.transport.closed is None
    assert len(quick.hears()) == 3000
    peer.transport.reading = True
    peer.takes(peer.transport.unsent)
    lists = peer.values()
    assert lists[-1] == [("ai", "1_01", 3000.0), ("ao", "1_01", 3000.0)]
    assert len(lists) < 3000


def test_asking_again_and_again_without_reading_closes(house: House, peer: EvokPeer) -> None:
    peer.transport.reading = False
    for _ in range(3000):
        peer.asks("all")
        house.world.clock.advance(0.01)
    assert peer.transport.closed is not None


def test_nothing_is_left_of_sessions_that_have_ended(house: House) -> None:
    for _ in range(100):
        peer = house.peer()
        peer.transport.reading = False
        peer.asks("all")
        house.post("AI", 1.0)
        peer.session.ended()
    house.world.clock.advance(1)
    assert not house.board.listeners
    assert house.world.clock.pending == 0
    house.post("AI", 2.0)
    assert house.world.clock.pending == 0  # nobody is there to be told


# -- fuzzing

NAMES = st.sampled_from(["do", "ro", "relay", "ai", "x", "", "default"]) | st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
COMMANDS = st.fixed_dictionaries(
    {"cmd": st.sampled_from(["all", "filter", "set", "full", "get", "simple"])},
    optional={
        "dev": NAMES | JSON, "circuit": st.just("1_01") | JSON, "value": JSON, "timeout": JSON,
        "devices": st.lists(NAMES, max_size=3) | JSON, "mode": JSON, "debounce": JSON,
    },
)  # fmt: skip


@given(st.lists(st.binary(max_size=40) | (JSON | COMMANDS).map(json.dumps).map(str.encode), max_size=5))
def test_no_message_whatever_makes_a_fault(messages: list[bytes]) -> None:
    house = House()
    peer = house.peer()
    for message in messages:
        peer.says(message)
    peer.hears()
    assert house.world.figures.faults == 0
    peer.asks("get", dev="led", circuit="1_01")
    assert peer.hears()[-1]["dev"] == "led"
