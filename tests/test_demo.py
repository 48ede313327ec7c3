"""What the demo shows in each dialect is there."""

from ioc_sim import pv_names
from pycaserver.agreement import disagreements
from pycaserver.demo import PREFIX, SETTINGS, SHOWN, SimulatedIOC, evok_devices
from pycaserver.settings import load


def test_the_settings_make_sense() -> None:
    assert list(disagreements(load(None, {}, {}, SETTINGS))) == []


def test_what_is_looked_at_first_is_offered_first_and_once() -> None:
    names = SimulatedIOC().pv_names
    assert names[: len(SHOWN)] == SHOWN
    assert sorted(names) == sorted(pv_names(PREFIX))


def test_the_devices_of_evok_are_pvs_of_the_simulated_ioc() -> None:
    points = [point for device in evok_devices(PREFIX) for point in device.points.values()]
    assert {point.pv for point in points} <= set(SimulatedIOC().pv_names)
    assert any(point.write for point in points)
