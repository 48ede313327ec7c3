"""The object of a device, made of its PVs."""

import json
from typing import Any

import numpy as np
import pytest

from pycaserver.core.values import DbrType, Limits, Metadata, Texts
from pycaserver.dialects.evok.circuit import Circuit
from pycaserver.dialects.evok.device import Device, Kind, Mode, Point, Profile
from tests.fakes import READ_WRITE, World


class Bench:
    """One device."""

    def __init__(self, device: Device, profile: Profile = "v3") -> None:
        self.world = World()
        self.changes = 0
        self.circuit = Circuit(device, profile, self.world.pool, self.changed)

    def changed(self, circuit: Circuit) -> None:
        self.changes += 1

    def bring_up(self, name: str, data: Any, metadata: Metadata | None = None) -> None:
        metadata = metadata or Metadata(DbrType.DOUBLE, 1)
        source = self.world.source[name]
        source.channel.connected(metadata.type, metadata.count, "ioc", READ_WRITE)
        source.channel.metadata_changed(metadata)
        source.post(data)

    def object(self, *denied: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.circuit.encoded(lambda name: name not in denied))
        return found


ENUM = Metadata(DbrType.ENUM, 1, enum_strs=("Voltage", "Current"))


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("ro", "value"),
        ("do", "value pending mode modes"),
        ("di", "value debounce counter_modes counter_mode counter mode modes"),
        ("ai", "value unit mode modes range"),
        ("ao", "mode modes value unit range"),
        ("temp", "address value lost time"),
        ("led", "value"),
        ("wd", "value"),
        ("register", "value"),
    ],
)
def test_what_an_object_has_at_least(kind: Kind, keys: str) -> None:
    found = Bench(Device(kind, "1", Point("A"))).object()
    assert list(found) == ["dev", "circuit", *keys.split()]
    assert found["value"] is None
    assert "glob_dev_id" in Bench(Device(kind, "1", Point("A")), "v2").object()


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("do", 1, 1), ("do", 3.7, 1), ("do", -1, 1), ("do", 0.0, 0), ("led", float("nan"), None), ("di", "On", None),
        ("ao", 3, 3.0), ("ai", float("inf"), None), ("ai", 5e-324, 5e-324), ("register", 7.9, 7),
        ("register", -7.9, -7),
        ("ai", np.array([1.5, 2.5]), 1.5), ("register", np.array([5, 6]), 5), ("ai", np.array([]), None),
        ("ai", ["a"], None), ("ai", Texts(np.array(["1"], "S40")), None),
        ("temp", 21.5, 21.5), ("wd", 2, 1),
    ],
)  # fmt: skip
def test_what_value_is(kind: Kind, data: Any, value: Any) -> None:
    bench = Bench(Device(kind, "1", Point("A")))
    bench.bring_up("A", data)
    found = bench.object()["value"]
    assert (found, type(found)) == (value, type(value))


def test_unit_and_range_are_those_of_the_pv() -> None:
    bench = Bench(Device("ai", "1", Point("A")))
    bench.bring_up("A", 1.0, Metadata(DbrType.DOUBLE, 1, units="mA", display=Limits(4.0, 20.0)))
    found = bench.object()
    assert (found["unit"], found["range"]) == ("mA", [4.0, 20.0])
    assert found["modes"] == {"Simple": {"value": 0, "unit": "mA", "range": [4.0, 20.0]}}


@pytest.mark.parametrize("display", [None, Limits(float("nan"), 1.0)])
def test_without_limits_the_range_is_null(display: Limits | None) -> None:
    bench = Bench(Device("ai", "1", Point("A")))
    bench.bring_up("A", 1.0, Metadata(DbrType.DOUBLE, 1, display=display))
    assert bench.object()["range"] is None


def test_the_modes_are_the_states_of_the_modes_pv() -> None:
    bench = Bench(Device("ai", "1", Point("A"), unit="V", range=(0.0, 10.0), mode=Point("M")))
    bench.bring_up("M", 1, ENUM)
    found = bench.object()
    assert found["mode"] == "Current"
    assert found["modes"] == {"Voltage": {"value": 0}, "Current": {"value": 1, "unit": "V", "range": [0, 10]}}
    output = Bench(Device("do", "1", 0.0, mode=Point("M")))
    output.bring_up("M", 0, ENUM)
    assert output.object()["modes"] == ["Voltage", "Current"]


def test_what_is_given_is_what_is_said() -> None:
    modes = {"Voltage": Mode(value=0, unit="V", range=(0.0, 10.0)), "Disabled": Mode(value=1)}
    device = Device("ao", "1", 2.5, alias="x", unit="V", mode="Voltage", modes=modes, glob_dev_id=2, range=(0.0, 10.0))
    found = Bench(device).object()
    assert found["modes"] == {"Voltage": {"value": 0, "unit": "V", "range": [0, 10]}, "Disabled": {"value": 1}}
    assert (found["value"], found["alias"], found["glob_dev_id"]) == (2.5, "x", 2)


def test_other_fields_may_be_pvs() -> None:
    bench = Bench(Device("di", "1", Point("A"), counter=Point("C"), debounce=Point("D"), counter_mode=Point("M")))
    bench.bring_up("C", 12, Metadata(DbrType.LONG, 1))
    bench.bring_up("D", float("nan"))
    bench.bring_up("M", 1, ENUM)
    found = bench.object()
    assert (found["counter"], found["debounce"], found["counter_mode"]) == (12, None, "Current")


WORD = np.frombuffer(b"Current\0rest", "u1")


@pytest.mark.parametrize(
    ("field", "data", "said"),
    [
        ("range", np.array([4.0, 20.0, 7.0]), [4.0, 20.0]), ("range", np.array([4.0, np.nan]), [4.0, None]),
        ("range", np.array([]), []), ("mode", WORD, "Current"), ("unit", WORD, "Current"), ("unit", ["V", "A"], "V"),
        ("unit", Texts(np.array(["V", "A"], "S40")), "V"),
        ("mode", np.array([1, 0]), "Current"), ("mode", np.array([]), None), ("glob_dev_id", WORD, ord("C")),
        ("glob_dev_id", np.arange(1_000_000), 0),
    ],
)  # fmt: skip
def test_of_an_array_a_field_is_the_first_element_its_text_or_a_range(field: str, data: Any, said: Any) -> None:
    bench = Bench(Device("ai", "1", 1.0, **{field: Point("F")}))  # type: ignore[arg-type]
    bench.bring_up("F", data, Metadata(DbrType.ENUM, 10, enum_strs=("Voltage", "Current")) if field == "mode" else None)
    assert bench.object()[field] == said


def test_a_thermometer_says_when_and_whether_it_is_lost() -> None:
    bench = Bench(Device("temp", "28", Point("A")))
    assert bench.object()["lost"] is True
    bench.bring_up("A", 20.0)
    found = bench.object()
    assert (found["lost"], found["time"]) == (False, 1_447_799_204.0)
    assert Bench(Device("temp", "28", 20.0)).object()["lost"] is False


def test_what_may_not_be_read_is_null_for_that_peer_only() -> None:
    bench = Bench(Device("ai", "1", Point("A"), mode=Point("M")))
    bench.bring_up("A", 1.0, Metadata(DbrType.DOUBLE, 1, units="mA", display=Limits(4.0, 20.0)))
    bench.bring_up("M", 0, ENUM)
    hidden, shown = bench.object("A"), bench.object()
    assert (hidden["value"], hidden["unit"], hidden["range"], hidden["mode"]) == (None, None, None, "Voltage")
    assert shown["value"] == 1.0
    assert bench.object("M")["modes"] == {}


def test_changes_of_value_metadata_and_connection_are_told() -> None:
    bench = Bench(Device("ai", "1", Point("A")))
    bench.bring_up("A", 1.0, Metadata(DbrType.DOUBLE, 1, units="V"))
    before = bench.changes
    bench.world.source["A"].post(2.0)
    assert bench.changes > before and bench.object()["value"] == 2.0
    bench.world.source["A"].channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, units="mA"))
    assert bench.object()["unit"] == "mA"
    bench.world.source["A"].channel.disconnected()
    assert bench.object()["value"] is None


def test_after_close_the_channels_close() -> None:
    bench = Bench(Device("ai", "1", Point("A")))
    bench.circuit.close()
    bench.world.clock.advance(10)
    assert bench.world.source["A"].closed
