"""The beamline: what it does by itself, and what the shutter, the energy and the valve do to it."""

from collections.abc import Iterator

import numpy as np
import pytest

from ioc_sim import views
from ioc_sim.beamline import FULL, LEAST
from tests.ioc_sim.conftest import Client
from tests.timing import wait_for


@pytest.fixture(autouse=True)
def _as_before(client: Client) -> Iterator[None]:
    yield
    for name, value in (("SHUTTER", "Open"), ("ENERGY", 8.0), ("VALVE", "Closed")):
        client.write(name, value)


def test_current_moves_between_its_bounds(client: Client) -> None:
    currents = [float(event.data[0]) for event in client.follow("CURRENT", lambda events: len(events) >= 3)]
    assert len(set(currents)) == len(currents)
    assert all(LEAST - 1.0 < current < FULL + 1.0 for current in currents)


def test_closed_shutter_leaves_no_flux(client: Client) -> None:
    wait_for(lambda: client.value("FLUX") > 1e12, what="flux")
    client.write("SHUTTER", "Closed")
    wait_for(lambda: client.value("FLUX") == 0.0, what="no flux")
    wait_for(lambda: np.max(client.read("CAMERA").data) < 200, what="a dark camera")
    client.write("SHUTTER", "Open")
    wait_for(lambda: np.max(client.read("CAMERA").data) > 2000, what="a bright camera")


def test_energy_follows_and_takes_flux_away(client: Client) -> None:
    best = wait_for(lambda: client.value("FLUX"), what="flux")
    client.write("ENERGY", 8.3)
    wait_for(lambda: client.value("ENERGY:RBV") == 8.3, what="the energy")
    client.write("ENERGY", 11.0)
    wait_for(lambda: client.value("FLUX") < 0.97 * best, 15.0, "less flux")


def test_open_valve_spoils_the_vacuum_behind_it_only(client: Client) -> None:
    client.write("VALVE", "Open")
    wait_for(lambda: client.alarm("GAUGE2") == ("HIHI", "MAJOR_ALARM"), 30.0, "the alarm of GAUGE2")
    assert client.alarm("GAUGE1") == ("NO_ALARM", "NO_ALARM")
    client.write("VALVE", "Closed")
    wait_for(lambda: client.alarm("GAUGE2") != ("HIHI", "MAJOR_ALARM"), 30.0, "the end of the alarm")


def test_camera_has_its_size(client: Client) -> None:
    pixels = client.read("CAMERA").data
    assert pixels.shape == (client.value("CAMERA:WIDTH") * client.value("CAMERA:HEIGHT"),)
    assert pixels.dtype.newbyteorder("=") == np.int16


def test_spectrum_has_its_channels(client: Client) -> None:
    assert client.read("SPECTRUM").data.shape == (views.CHANNELS,)
    wait_for(lambda: client.read("SPECTRUM").data.sum() > 0, what="counts")


def test_spectrum_grows_until_it_begins_anew() -> None:
    noise = np.random.default_rng(1)
    first = views.counted(noise, np.full(views.CHANNELS, views.ENOUGH, np.int32), 1.0)
    second = views.counted(noise, first, 1.0)
    assert np.max(first) < views.ENOUGH
    assert (second >= first).all() and second.sum() > first.sum()
    assert (views.counted(noise, second, 0.0) == second).all(), "without light"


def test_scope_has_a_million_points(client: Client) -> None:
    assert client.read("SCOPE").data.shape == (views.SCOPE_POINTS,)
    wait_for(lambda: np.max(np.abs(client.read("SCOPE").data)) > 0.3, what="a burst")
