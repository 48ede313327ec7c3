"""What commands are, and what a set means."""

from typing import Any

import pytest

from pycaserver.core.errors import PycaError
from pycaserver.dialects.evok.command import (
    TARGETS,
    All,
    Filter,
    Full,
    Get,
    Set,
    Simple,
    arguments_of,
    decode,
    scalar,
    timeout_of,
)
from pycaserver.dialects.evok.device import FIELDS, Device, Kind


@pytest.mark.parametrize(
    ("message", "command"),
    [
        (b'{"cmd": "all", "more": 1}', All()),
        (b'{"cmd": "filter", "devices": ["ao"]}', Filter(["ao"])),
        (b'{"cmd": "full", "dev": "ao", "circuit": "1_01"}', Full("ao", "1_01")),
        (b'{"cmd": "get", "dev": "ao", "circuit": 1}', Get("ao", 1)),
        (b'{"cmd": "simple", "dev": "ao", "circuit": "1"}', Simple("ao", "1")),
        (b'{"cmd": "set", "dev": "ao", "circuit": "1", "value": 2}', Set("ao", "1")),
        (b'{"cmd": "full", "cmd": "all"}', All()),
    ],
)
def test_commands(message: bytes, command: object) -> None:
    assert decode(message)[0] == command


def device(kind: Kind) -> Device:
    return Device(kind, "1", 0.0)


@pytest.mark.parametrize("kind", TARGETS)
def test_a_plain_value_goes_to_the_field_of_its_kind(kind: Kind) -> None:
    assert set(TARGETS) == set(FIELDS)
    assert arguments_of({"cmd": "set", "dev": kind, "circuit": "1", "value": 2}, device(kind)) == {TARGETS[kind]: 2}


@pytest.mark.parametrize(
    ("keys", "arguments"),
    [
        ({"value": {"value": 1, "timeout": 2}}, {"value": 1, "timeout": 2}),
        ({"value": 1, "timeout": 2}, {"value": 1, "timeout": 2}),
        ({"mode": "PWM", "pwm_duty": None}, {"mode": "PWM"}),
        ({"value": {"value": 1}, "mode": "PWM"}, {"value": 1, "mode": "PWM"}),
    ],
)
def test_arguments(keys: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert arguments_of({"cmd": "set", "dev": "do", "circuit": "1", **keys}, device("do")) == arguments


def test_a_time_out_is_that_of_an_output_only() -> None:
    arguments = {"value": 1, "timeout": "2.5"}
    assert timeout_of(arguments, device("do")) == 2.5
    assert arguments == {"value": 1}
    watchdog = {"timeout": 5000}
    assert timeout_of(watchdog, device("wd")) is None
    assert watchdog == {"timeout": 5000}


@pytest.mark.parametrize(
    ("kind", "field", "given", "written"),
    [
        ("do", "value", "0", 0), ("do", "value", 2.5, 1), ("led", "value", True, 1), ("ao", "value", "1e1", 10.0),
        ("register", "value", "12", 12), ("ao", "mode", "Current", "Current"), ("ao", "mode", 1, 1),
        ("di", "debounce", "50", 50.0), ("do", "mode", True, 1.0),
    ],
)  # fmt: skip
def test_what_is_written(kind: Kind, field: str, given: Any, written: Any) -> None:
    assert scalar(device(kind), field, given) == written


@pytest.mark.parametrize("given", ["", "on", "inf", "nan", None, [], {}, float("nan"), 10**400])
def test_what_is_no_number_is_refused(given: Any) -> None:
    with pytest.raises(PycaError):
        scalar(device("ao"), "value", given)
