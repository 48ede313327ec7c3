"""What a client reads: types, values, metadata, time stamps, descriptions."""

import math
import time
from typing import Any

import numpy as np
import pytest
from caproto import ErrorResponseReceived

from ioc_sim import signals
from ioc_sim.group import DESCRIPTIONS, SimulatedIOC
from tests.ioc_sim.conftest import Client
from tests.timing import scaled

VALUES = [
    ("DOUBLE", "DOUBLE", [1.5]),
    ("FLOAT", "FLOAT", [0.25]),
    ("LONG", "LONG", [70000]),
    ("SHORT", "INT", [-300]),
    ("CHAR", "CHAR", [65]),
    ("STRING", "STRING", [b"Hello"]),
    ("ENUM", "ENUM", [1]),
    ("LONG_STRING", "CHAR", list(signals.LONG_STRING.encode())),
    ("LATIN1", "STRING", [b"Gr\xfc\xdfe, 20 \xb0C"]),
    ("ARRAY", "DOUBLE", [1.0, 2.0, 3.0, 4.0]),
    ("EMPTY", "DOUBLE", []),
    ("INF", "DOUBLE", [math.inf]),
    ("MINUS_INF", "DOUBLE", [-math.inf]),
    ("READ_ONLY", "DOUBLE", [42.0]),
    ("IMAGE:WIDTH", "LONG", [320]),
    ("IMAGE:HEIGHT", "LONG", [240]),
    ("VALVE", "ENUM", [0]),
]


@pytest.mark.parametrize(("name", "data_type", "value"), VALUES, ids=[name for name, *_ in VALUES])
def test_type_and_value(client: Client, name: str, data_type: str, value: list[Any]) -> None:
    response = client.read(name)
    assert response.data_type.name == data_type
    assert list(response.data) == value


def test_not_a_number(client: Client) -> None:
    assert math.isnan(client.value("NAN"))


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_every_pv_has_a_description_and_a_time_stamp_of_this_process(client: Client, name: str) -> None:
    assert client.value(f"{name}.DESC").decode() == DESCRIPTIONS[name]
    age = time.time() - client.read(name, "time").metadata.timestamp
    assert -1.0 < age < scaled(600.0)


def test_analogue_metadata(client: Client) -> None:
    metadata = client.read("DOUBLE", "control").metadata
    assert (metadata.units, metadata.precision) == (b"V", 3)
    assert (metadata.lower_disp_limit, metadata.upper_disp_limit) == (-10.0, 10.0)
    assert (metadata.lower_alarm_limit, metadata.lower_warning_limit) == (-9.0, -8.0)
    assert (metadata.upper_warning_limit, metadata.upper_alarm_limit) == (8.0, 9.0)
    assert (metadata.lower_ctrl_limit, metadata.upper_ctrl_limit) == (-10.0, 10.0)


def test_units_in_latin_1(client: Client) -> None:
    assert client.read("T1", "control").metadata.units == b"\xb0C"


def test_enum_strings(client: Client) -> None:
    assert tuple(client.read("STATE", "control").metadata.enum_strings) == (b"Off", b"Standby", b"On", b"Fault")


def test_image_is_a_moving_picture(client: Client) -> None:
    first, second = (event.data for event in client.follow("IMAGE", lambda events: len(events) >= 2)[:2])
    assert first.dtype == np.uint8
    assert first.shape == second.shape == (signals.IMAGE_WIDTH * signals.IMAGE_HEIGHT,)
    assert not np.array_equal(first, second)


def test_a_value_beyond_a_limit_has_its_alarm(client: Client) -> None:
    client.write("DOUBLE", 8.5)
    assert client.alarm("DOUBLE") == ("HIGH", "MINOR_ALARM")
    assert client.alarm("FLOAT") == ("NO_ALARM", "NO_ALARM")
    client.write("DOUBLE", 1.5)
    assert client.alarm("DOUBLE") == ("NO_ALARM", "NO_ALARM")


def test_arrays_and_texts_can_be_written(client: Client) -> None:
    client.write("ARRAY", [5.0, 6.0])
    assert list(client.read("ARRAY").data) == [5.0, 6.0]
    client.write("ARRAY", [1.0, 2.0, 3.0, 4.0])
    client.write("LONG_STRING", b"short")
    assert bytes(client.read("LONG_STRING").data) == b"short"
    client.write("LONG_STRING", signals.LONG_STRING.encode())


@pytest.mark.parametrize(("name", "value"), [("READ_ONLY", 1.0), ("COUNTER", 0), ("AO", 10.5), ("AO", math.nan)])
def test_refused_writes(client: Client, name: str, value: float) -> None:
    with pytest.raises(ErrorResponseReceived):
        client.write(name, value)
    assert client.value(name) != value


def test_the_table_of_the_class_lists_the_pvs() -> None:
    assert set(SimulatedIOC("X:").pvdb) == {f"X:{name}" for name in DESCRIPTIONS}


@pytest.mark.parametrize("sentence", DESCRIPTIONS.values())
def test_sentences_fit_into_a_string_pv(sentence: str) -> None:
    assert sentence.endswith(".")
    assert 5 < len(sentence.encode("latin-1")) <= 39
