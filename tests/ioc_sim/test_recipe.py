"""The furnace and its recipe."""

from collections.abc import Iterator

import pytest
from caproto import ErrorResponseReceived

from tests.ioc_sim.conftest import Client
from tests.timing import wait_for

FOREVER = 1000.0


@pytest.fixture(autouse=True)
def _idle(client: Client) -> Iterator[None]:
    yield
    client.write("RECIPE:ABORT", 1)
    client.write("SETPOINT", 20.0)


def load(client: Client, temperatures: list[float], durations: list[float]) -> None:
    client.write("RECIPE:TEMPERATURES", temperatures)
    client.write("RECIPE:DURATIONS", durations)


def test_temperature_follows_the_set_point(client: Client) -> None:
    client.write("SETPOINT", 90.0)
    wait_for(lambda: client.value("T1") > 80.0, 15.0, "T1 near its set point")
    wait_for(lambda: client.alarm("T1") == ("HIHI", "MAJOR_ALARM"), what="the alarm of T1")


def test_recipe_steps_through_its_temperatures_and_ends(client: Client) -> None:
    load(client, [31.0, 42.0, 23.0], [0.05, 0.05, 0.05])
    events = client.follow(
        "SETPOINT", lambda events: events[-1].data[0] == 23.0, first=lambda: client.write("RECIPE:RUNNING", 1)
    )
    assert [float(event.data[0]) for event in events[1:]] == [31.0, 42.0, 23.0]
    wait_for(lambda: client.value("RECIPE:RUNNING") == 0, what="the end of the recipe")
    assert client.value("RECIPE:STEP") == 0


@pytest.mark.parametrize(("name", "value"), [("RECIPE:ABORT", 1), ("RECIPE:RUNNING", 0)])
def test_recipe_can_be_stopped(client: Client, name: str, value: int) -> None:
    load(client, [40.0, 50.0], [FOREVER, FOREVER])
    client.write("RECIPE:RUNNING", 1)
    wait_for(lambda: client.value("RECIPE:STEP") == 1, what="the first step")
    assert client.value("RECIPE:RUNNING") == 1
    wait_for(lambda: client.value("T1") > 30.0, 15.0, "T1 driven by the recipe")
    client.write(name, value)
    assert client.value("RECIPE:RUNNING") == 0
    assert client.value("RECIPE:STEP") == 0
    assert client.value("RECIPE:ABORT") == 0
    assert client.value("SETPOINT") == 40.0


def test_starting_twice_is_starting_once(client: Client) -> None:
    load(client, [40.0, 50.0], [FOREVER, FOREVER])
    client.write("RECIPE:RUNNING", 1)
    wait_for(lambda: client.value("SETPOINT") == 40.0, what="the first step")
    client.write("SETPOINT", 35.0)
    client.write("RECIPE:RUNNING", 1)
    assert client.value("RECIPE:STEP") == 1
    assert client.value("SETPOINT") == 35.0


@pytest.mark.parametrize(
    ("temperatures", "durations"),
    [([30.0, 40.0], [1.0]), ([30.0, 400.0], [1.0, 1.0]), ([30.0], [-1.0]), ([30.0], [float("nan")]), ([], [])],
    ids=["lengths differ", "too hot", "negative duration", "no duration", "empty"],
)
def test_what_is_no_recipe_does_not_start(client: Client, temperatures: list[float], durations: list[float]) -> None:
    load(client, temperatures, durations)
    with pytest.raises(ErrorResponseReceived):
        client.write("RECIPE:RUNNING", 1)
    assert client.value("RECIPE:RUNNING") == 0
