"""sources/stat.py"""

from dataclasses import fields

import pytest

from pycaserver.core.figures import Figures
from pycaserver.sources.stat import FIGURES
from tests.fakes import Peer
from tests.sources.conftest import OwnWorld


def test_a_figure_is_told_once_a_second(world: OwnWorld, peer: Peer) -> None:
    peer.connects("stat://faults", metadata=True)
    world.clock.advance(0)
    world.figures.faults = 2
    world.clock.advance(1)
    values = [message for message in peer.hears() if message["msg_type"] == "monitor"]
    assert [(value["value"], value["severity"]) for value in values] == [(0, "NO_ALARM"), (2, "MAJOR")]


def test_times_have_units_and_counts_are_exact(world: OwnWorld, peer: Peer) -> None:
    world.figures.updates_merged_in = 2**60 + 1
    peer.connects(["stat://loop_lag", "stat://updates_merged_in", "stat://bytes_out"])
    world.clock.advance(0)
    told = {message["pvname"]: message for message in peer.hears() if message["msg_type"] == "monitor"}
    assert told["stat://loop_lag"]["units"] == "s"
    assert told["stat://bytes_out"]["units"] == "B"
    assert told["stat://updates_merged_in"]["value"] == 2**60 + 1


def test_the_uptime_goes_on(world: OwnWorld, peer: Peer) -> None:
    world.clock.advance(5)
    peer.asks("get", pv="stat://uptime")
    world.clock.advance(0)
    assert peer.hears()[-1]["value"] == 5


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_can_be_read(world: OwnWorld, peer: Peer, name: str) -> None:
    peer.asks("get", pv=f"stat://{name}")
    world.clock.advance(0)
    (answer,) = peer.hears()
    assert answer["msg_type"] == "get"
    assert isinstance(answer["value"], int | float)


def test_channels_are_counted_by_their_state(world: OwnWorld, peer: Peer) -> None:
    peer.connects(["PV", "stat://channels", "stat://channels_searching", "stat://channels_connected"])
    world.clock.advance(1)
    told = {message["pvname"]: message["value"] for message in peer.hears() if message["msg_type"] == "monitor"}
    assert told == {"stat://channels": 4, "stat://channels_searching": 1, "stat://channels_connected": 3}


def test_no_figure_is_left_out() -> None:
    assert {field.name for field in fields(Figures)} <= set(FIGURES) | {"loop_lag_seconds"}


def test_others_are_refused_with_those_there_are(peer: Peer) -> None:
    peer.connects("stat://nope")
    (error,) = peer.hears()
    assert error["code"] == "invalid_pv_name"
    assert all(name in error["message"] for name in FIGURES)
