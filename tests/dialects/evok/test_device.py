"""What of the mappings makes sense."""

from typing import get_args

import msgspec
import pytest

from pycaserver.dialects.evok.device import FIELDS, NAMES, SPOKEN, Device, Kind, Mode, Point, Profile, problems_of
from tests.dialects.evok.house import DEVICES


def wrong(*devices: Device, profile: Profile = "v3") -> list[tuple[int, str]]:
    return list(problems_of(devices, profile))


def test_the_tables_know_all_kinds_and_fields() -> None:
    assert set(FIELDS) == set(get_args(Kind))
    computed = {"pending", "lost", "time"}
    assert {name for names in FIELDS.values() for name in names} - computed < set(Device.__struct_fields__)
    for profile in get_args(Profile):
        assert set(NAMES[profile]) > set(FIELDS)
        spoken = {keys["dev"] for keys in SPOKEN[profile].values()}
        assert spoken <= set(NAMES[profile])


def test_the_devices_of_these_tests_make_sense() -> None:
    assert wrong(*DEVICES) == wrong(*DEVICES, profile="v2") == []


@pytest.mark.parametrize(
    ("second", "profile", "taken"),
    [
        (Device("do", "1", 0.0), "v3", True),
        (Device("do", "2", 0.0, alias="1"), "v3", True),
        (Device("do", "lamp", 0.0), "v3", True),
        (Device("do", "2", 0.0, alias="lamp"), "v3", True),
        (Device("ro", "1", 0.0), "v3", False),
        (Device("ro", "1", 0.0), "v2", True),  # both are called relay
    ],
)
def test_no_two_devices_have_one_name(second: Device, profile: Profile, taken: bool) -> None:
    problems = wrong(Device("do", "1", 0.0, alias="lamp"), second, profile=profile)
    assert [number for number, _ in problems] == [2] * taken
    assert all("is evok.device 1 already" in sentence for _, sentence in problems)


@pytest.mark.parametrize(
    ("device", "named"),
    [
        (Device("led", "1", 0.0, unit="V"), "unit"),
        (Device("do", "1", 0.0, counter=Point("A")), "counter"),
        (Device("ao", "1", Point(" A")), "value"),
        (Device("ao", "1", Point("")), "value"),
        (Device("ao", "1", 0.0, modes=["A"]), "modes"),
        (Device("do", "1", 0.0, modes={"A": Mode()}), "modes"),
    ],
)
def test_fields_that_make_no_sense_are_named(device: Device, named: str) -> None:
    ((number, sentence),) = wrong(device)
    assert (number, sentence.split(":")[0]) == (1, named)


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"dev": "do", "circuit": "1"},
        {"dev": "do", "circuit": "", "value": 0},
        {"dev": "relais", "circuit": "1", "value": 0},
        {"dev": "do", "circuit": "1", "value": "A:PV"},
        {"dev": "do", "circuit": "1", "value": {"pv": "A", "writes": True}},
        {"dev": "do", "circuit": "1", "value": {"write": True}},
        {"dev": "ao", "circuit": "1", "value": 0, "range": [0]},
        {"dev": "ao", "circuit": "1", "value": 0, "colour": "red"},
    ],
    ids=str,
)
def test_tables_of_the_wrong_form_are_refused(table: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table, Device)
