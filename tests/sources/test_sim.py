"""sources/sim.py"""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.errors import PycaError
from pycaserver.core.values import DbrType
from pycaserver.sources.functions import FUNCTIONS
from pycaserver.sources.sim import MOST_COST, PARAMETERS, signal_of
from tests.fakes import WALL_START, Peer
from tests.sources.conftest import OwnWorld

FASTEST = PARAMETERS["update_seconds"].least
LARGEST = int(PARAMETERS["elements"].most)


def why_refused(name: str) -> str:
    with pytest.raises(PycaError) as caught:
        signal_of(name)
    assert caught.value.code == "invalid_pv_name"
    return caught.value.message


def test_a_page_sees_a_simulated_pv(world: OwnWorld, peer: Peer) -> None:
    peer.connects("sim://ramp(0,10,1,0.5)", metadata=True)
    world.clock.advance(0)
    connection, metadata, access, monitor = peer.hears()
    assert connection == {"msg_type": "connection", "pvname": "sim://ramp(0,10,1,0.5)", "conn": True}
    assert (metadata["type"], metadata["units"], metadata["display"]) == ("double", "a.u.", {"low": 0, "high": 10})
    assert (access["read"], access["write"]) == (True, False)
    assert monitor["value"] == WALL_START / 0.5 % 11
    world.clock.advance(1)
    assert [message["value"] for message in peer.hears()] == [(WALL_START / 0.5 + n) % 11 for n in (1, 2)]


def test_a_late_joiner_sees_what_the_others_see(world: OwnWorld, peer: Peer) -> None:
    late = world.peer()
    peer.connects("sim://noise")
    world.clock.advance(2.5)
    late.connects("sim://noise")
    assert late.hears()[-1] == peer.hears()[-1]


def test_get_and_info_and_put(world: OwnWorld, peer: Peer) -> None:
    peer.asks("get", pv="sim://const(3)")
    peer.asks("info", pv="sim://const(3)")
    peer.asks("put", pv="sim://const(3)", value=4)
    world.clock.advance(0)
    read, info, put = peer.hears()
    assert read["value"] == 3
    assert (info["type"], info["host"], info["access"]) == ("int64", "sim", {"read": True, "write": False})
    assert put["code"] == "no_write_access"
    assert [entry.outcome for entry in world.audit.entries] == ["no_write_access"]


def test_alarms_are_told(world: OwnWorld, peer: Peer) -> None:
    peer.connects("sim://ramp(0,10,1,1)")
    world.clock.advance(11)
    alarms = {(m["value"], m["severity"], m["status"]) for m in peer.hears() if m["msg_type"] == "monitor"}
    assert {(0, "MAJOR", "LOLO"), (1, "MINOR", "LOW"), (5, "NO_ALARM", "NO_ALARM"), (10, "MAJOR", "HIHI")} <= alarms


@pytest.mark.parametrize("name", ["sim://nope", "sim://sine(1)", "sim://sine<VDouble>", "sim://const"])
def test_a_name_that_means_nothing_leaves_nothing_behind(world: OwnWorld, peer: Peer, name: str) -> None:
    peer.connects(name)
    (error,) = peer.hears()
    assert (error["code"], error["pvname"]) == ("invalid_pv_name", name)
    assert list(world.pool) == []
    assert world.clock.pending == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_form_of_every_function(name: str) -> None:
    assert signal_of(name).update == signal_of(f"{name}()").update == FUNCTIONS[name].defaults["update_seconds"]
    given = {"min": -2, "max": 3, "step": 0.5, "steps": 8, "elements": 12, "update_seconds": 0.25}
    for form in FUNCTIONS[name].forms:
        signal = signal_of(f"{name}({','.join(str(given.get(key, 1.5)) for key in form)})")
        assert signal.update == 0.25
        assert signal.metadata.count == (12 if "elements" in form else signal_of(name).metadata.count)
        signal.at(7_000_000_000)


@pytest.mark.parametrize(
    ("name", "kind", "count", "data"),
    [
        ("const(9007199254740993)", DbrType.INT64, 1, 9007199254740993),
        ("const(1.5)", DbrType.DOUBLE, 1, 1.5),
        ("const(1, 2.5)", DbrType.DOUBLE, 2, [1.0, 2.5]),
        ("const(1, 2)", DbrType.INT64, 2, [1, 2]),
        ('const("text")', DbrType.STRING, 1, "text"),
        ('const("a", "b")', DbrType.STRING, 2, ["a", "b"]),
    ],
)
def test_constants(name: str, kind: DbrType, count: int, data: Any) -> None:
    signal = signal_of(name)
    assert (signal.metadata.type, signal.metadata.count) == (kind, count)
    value: Any = signal.at(5)
    assert (value.tolist() if hasattr(value, "tolist") else value) == data


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nope", "there are sine, ramp"),
        ("Sine", "no sim://Sine"),
        ("sine(1,2)", "(min, max, update_seconds) or (min, max, steps, update_seconds)"),
        ("sine(2,1,1)", "max must be greater than min"),
        ("sine(1,1,1)", "max must be greater than min"),
        ("sine(0,1,0)", "update_seconds must be a number from 0.01 to 3600"),
        ("sine(0,1,0.001)", "update_seconds"),
        ("sine(0,NaN,1)", "max must be a number"),
        ("sine(0,Infinity,1)", "max must be a number"),
        ("sine(0,1e999,1)", "max must be a number"),
        ('sine(0,"1",1)', "max must be a number"),
        ("sine(0,1,2.5,1)", "steps must be a whole number"),
        ("sinewave(1,10,10001,1)", "elements must be a number from 2 to 10000"),
        ("ramp(0,1,0,1)", "step must be"),
        ("const()", "one or more numbers"),
        ('const(1,"a")', "one or more numbers"),
        ('const("' + "a" * 40 + '")', "too long"),
    ],
)
def test_the_error_says_what_is_wrong(name: str, why: str) -> None:
    assert why in why_refused(name)


def test_what_they_cost_together_is_bounded(world: OwnWorld, peer: Peer) -> None:
    dearest = [f"sim://noisewave(0,{top},{FASTEST},{LARGEST})" for top in range(1, 4)]
    world.pool.acquire(dearest[0])
    with pytest.raises(PycaError) as caught:
        world.pool.acquire(dearest[1])
    assert caught.value.code == "too_many_subscriptions"
    assert len(list(world.pool)) == 1


def test_what_is_closed_costs_nothing_any_more(world: OwnWorld) -> None:
    most = int(MOST_COST * FASTEST / 101)
    for _ in range(3):
        channels = [world.pool.acquire(f"sim://noise(0,{top},{FASTEST})") for top in range(1, most + 1)]
        with pytest.raises(PycaError):
            world.pool.acquire(f"sim://noise(-1,0,{FASTEST})")
        for channel in channels:
            world.pool.release(channel)
        world.clock.advance(6)


NUMBERS = st.sampled_from(["0", "1", "-1", "0.01", "2", "3.5", "10000", "1e12", "-1e12", "1e-9", "1e999", "NaN", '"a"'])


@given(st.sampled_from([*FUNCTIONS, "const"]), st.lists(NUMBERS, max_size=6))
def test_any_arguments_make_a_signal_or_a_sentence(name: str, arguments: list[str]) -> None:
    try:
        signal = signal_of(f"{name}({','.join(arguments)})")
    except PycaError as error:
        assert error.code == "invalid_pv_name"
        assert re.search(r"\w", error.message)
    else:
        for number in (0, 1, 17_000_000_000, 170_000_000_000):
            signal.at(number)
