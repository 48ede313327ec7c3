"""The protocol of PV Web Socket, message by message, and what a client knows after merging them."""

import json
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.access import AccessControl, Rules
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.values import Access, DbrType, Limits, Metadata
from pycaserver.dialects.pvws import PvwsSession, decode
from pycaserver.sections import Pvws
from tests.fakes import FRAMINGS, WALL_START, FakeLimits, FakeTransport, World
from tests.pvws_client import Merger

READ_ONLY = Access(read=True, write=False)


class Client(Merger):
    """One session, and what its client knows."""

    def __init__(self, world: World, **settings: Any) -> None:
        super().__init__()
        self.transport = FakeTransport()
        self._clock = world.clock
        services = world.services(FakeLimits())
        self.session = PvwsSession(services, self.transport, FRAMINGS[0], Identity(), None, Pvws(**settings))
        self._heard = 0

    def says(self, type: str, **keys: Any) -> None:
        self.session.receive(json.dumps({"type": type, **keys}).encode())

    def hears(self) -> list[dict[str, Any]]:
        """The messages since the last time; updates have been merged too."""
        self._clock.run()
        pieces, self._heard = self.transport.taken[self._heard :], len(self.transport.taken)
        messages = [json.loads(piece[1:]) for piece in pieces]
        for message in messages:
            if message["type"] == "update":
                self.merge(dict(message))
        return messages

    def reads_all(self) -> None:
        self.transport.reading = True
        self.transport.take(self.transport.unsent)
        self.session.outbox.on_room()


@pytest.fixture
def client(world: World) -> Client:
    client = Client(world)
    client.says("subscribe", pvs=["PV"])
    return client


def test_transcript_of_a_number(world: World, client: Client) -> None:
    start = {"seconds": int(WALL_START), "nanos": 0}
    assert client.hears() == [{"type": "update", "pv": "PV", "readonly": True, **start}]
    source = world.source["PV"]
    source.connect()
    metadata = Metadata(DbrType.DOUBLE, 1, "mA", 2, display=Limits(0, 10), alarm=Limits(float("nan"), 9))
    source.channel.metadata_changed(metadata)
    source.post(1.5, nanos=7)
    source.post(2.5, 2.5, severity=1)
    first, second, third = client.hears()
    assert list(first.items()) == [
        ("type", "update"), ("pv", "PV"), ("vtype", "VDouble"), ("units", "mA"), ("description", ""), ("precision", 2),
        ("min", 0.0), ("max", 10.0), ("warn_low", "NaN"), ("warn_high", "NaN"), ("alarm_low", "NaN"),
        ("alarm_high", 9.0), ("severity", "NONE"), ("value", 1.5), ("readonly", False), ("seconds", 1447799204),
        ("nanos", 7),
    ]  # fmt: skip
    stamp = {"seconds": 1447799204, "nanos": 0}
    assert second == {"type": "update", "pv": "PV", "severity": "MINOR", "value": 2.5, **stamp}
    assert third == {"type": "update", "pv": "PV", "value": 2.5, **stamp}


KINDS: list[tuple[Any, dict[str, Any], str, dict[str, Any], dict[str, Any]]] = [
    (1.5, {}, "VDouble", {"value": 1.5}, {"value": "NaN"}),
    (3, {"type": DbrType.LONG}, "VInt", {"value": 3}, {"value": "NaN"}),
    (1, {"type": DbrType.ENUM, "enum_strs": ("Off", "On")}, "VEnum", {"value": 1, "text": "On"},
     {"value": "NaN", "text": ""}),
    ("x", {"type": DbrType.STRING}, "VString", {"text": "x"}, {"text": ""}),
    (["x", "y"], {"type": DbrType.STRING, "count": 2}, "VStringArray", {"value": ["x", "y"]}, {"value": []}),
    (np.array([1.5, 2.5]), {"count": 2}, "VDoubleArray", {"value": [1.5, 2.5]}, {"value": []}),
    (np.array([1, 2], "i2"), {"type": DbrType.SHORT, "count": 2}, "VShortArray", {"value": [1, 2]}, {"value": []}),
    (np.array([65, 255], "u1"), {"type": DbrType.CHAR, "count": 2}, "VByteArray", {"value": [65, -1]}, {"value": []}),
    (np.array([1, 2], "u2"), {"type": DbrType.ENUM, "count": 2}, "VDoubleArray", {"value": [1, 2]}, {"value": []}),
    (np.array([2**40], "i8"), {"count": 2}, "VDoubleArray", {"value": [2**40]}, {"value": []}),
    (np.array([1, 2], ">i4"), {"type": DbrType.LONG, "count": 2}, "VIntArray", {"value": [1, 2]}, {"value": []}),
]  # fmt: skip


@pytest.mark.parametrize(("data", "keys", "vtype", "shown", "cleared"), KINDS)
def test_what_a_client_knows_of_each_type(
    world: World, client: Client, data: Any, keys: dict[str, Any], vtype: str, shown: dict[str, Any],
    cleared: dict[str, Any],
) -> None:  # fmt: skip
    """With its value, after a disconnection, and after the return."""
    for _ in range(2):
        world.source["PV"].bring_up(data, **keys)
        assert client.hears()[-1]["vtype"] == vtype
        known = client.values["PV"]
        assert shown.items() <= known.items() and (known["severity"], known["readonly"]) == ("NONE", False)
        world.source["PV"].channel.disconnected()
        client.hears()
        assert cleared.items() <= known.items() and (known["severity"], known["readonly"]) == ("INVALID", True)


def test_after_a_merge_severity_is_the_newest(world: World, client: Client) -> None:
    """Alarms come and go while the client reads nothing, and another reads everything."""
    other = Client(world)
    other.says("subscribe", pvs=["PV"])
    world.source["PV"].bring_up(0.0)
    client.hears()
    client.transport.reading = False
    for number in range(3000):
        world.source["PV"].post(float(number), severity=number // 7 % 3)
        world.clock.run()
    client.reads_all()
    for severity in (1, 1, 0, 2):
        world.source["PV"].post(7.0, severity=severity)
        for each in (client, other):
            each.hears()
            assert each.values["PV"]["severity"] == ("NONE", "MINOR", "MAJOR")[severity]


@given(st.lists(st.tuples(st.sampled_from(["post", "stop", "read", "lose", "join"]), st.integers(0, 3)), max_size=40))
def test_whatever_happens_clients_know_the_newest(steps: list[tuple[str, int]]) -> None:
    world = World()
    clients = [Client(world), Client(world, throttle_ms=100)]
    for each in clients:
        each.says("subscribe", pvs=["PV"])
    world.source["PV"].bring_up(0.0)
    for serial, (step, severity) in enumerate(steps, 1):
        if step == "post":
            for _ in range(severity * 400 + 1):
                world.source["PV"].post(float(serial), severity=severity)
        elif step == "stop":
            clients[0].transport.reading = False
        elif step == "read":
            clients[0].reads_all()
        elif step == "lose":
            world.source["PV"].channel.disconnected()
            world.source["PV"].bring_up(float(serial))
        else:
            clients.append(Client(world))
            clients[-1].says("subscribe", pvs=["PV"])
        world.clock.run()
    clients[0].reads_all()
    world.clock.advance(1.0)
    latest = world.source["PV"].channel.latest
    assert latest is not None
    for each in clients:
        each.hears()
        known = each.values["PV"]
        assert (known["value"], known["severity"]) == (
            latest.data,
            ("NONE", "MINOR", "MAJOR", "INVALID")[latest.severity],
        )
        assert (known["readonly"], known["vtype"]) == (False, "VDouble")


def test_readonly_follows_the_ioc_and_the_rules(world: World, client: Client) -> None:
    world.source["PV"].bring_up(1.5, access=READ_ONLY)
    client.hears()
    assert client.values["PV"]["readonly"] is True
    world.source["PV"].channel.access_changed(Access(read=True, write=True))
    assert [message["readonly"] for message in client.hears()] == [False]
    world.access.replace(Rules(writes=False))
    assert [(message["value"], message["readonly"]) for message in client.hears()] == [(1.5, True)]


def test_metadata_that_change_are_told(world: World, client: Client) -> None:
    world.source["PV"].bring_up(1.5, units="V")
    client.hears()
    world.source["PV"].channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, units="A"))
    assert [message["units"] for message in client.hears()] == ["A"]


def test_throttle_keeps_the_newest_and_tells_only_changes(world: World) -> None:
    client = Client(world, throttle_ms=1000, array_throttle_ms=3000)
    client.says("subscribe", pvs=["PV", "ARRAY"])
    world.source["PV"].bring_up(0.0)
    world.source["ARRAY"].bring_up(np.zeros(2), count=2)
    client.hears()
    for number in range(1, 40):
        world.source["PV"].post(float(number))
        world.source["ARRAY"].post(np.full(2, float(number)))
        world.clock.advance(0.125)
    messages = client.hears()
    assert [message["value"] for message in messages if message["pv"] == "PV"] == [1.0, 8.0, 16.0, 24.0, 32.0]
    assert all("vtype" not in message for message in messages)
    arrays = [np.frombuffer(b64decode(message["b64dbl"]))[0] for message in messages if message["pv"] == "ARRAY"]
    assert arrays == [16.0]


def test_duplicates_are_ignored_and_clear_is_silent(world: World, client: Client) -> None:
    world.source["PV"].bring_up(1.5)
    client.hears()
    client.says("monitor", pvs=["PV", "PV"])
    client.says("list")
    assert client.hears() == [{"type": "list", "pvs": ["PV"]}]
    client.says("clear", pvs=["PV", "ANOTHER"])
    client.says("list")
    assert client.hears() == [{"type": "list", "pvs": []}]


def test_refusals(client: Client, world: World) -> None:
    client.hears()
    client.says("write", pv="OTHER", value=1)
    client.says("subscribe", pvs=["two words\n"])
    client.says("nonsense")
    client.says("write", pv="PV", value=None)
    world.clock.advance(10.0)
    client.says("write", pv="PV", value=1)
    messages = [message["message"] for message in client.hears()]
    assert messages[0] == "Cannot write unknown PV OTHER" and messages[4].startswith("Channel not connected.")
    assert world.figures.errors == {"bad_request": 3, "invalid_pv_name": 1, "not_found": 1}


def test_read_denied_is_told(world: World) -> None:
    world.access = AccessControl(Rules(default="none"))
    client = Client(world)
    client.says("subscribe", pvs=["PV"])
    assert [message["type"] for message in client.hears()] == ["error"]


def test_write_of_true_is_one(world: World, client: Client) -> None:
    world.source["PV"].bring_up(0.0)
    client.says("write", pv="PV", value=True)
    assert [put.elements.tolist() for put in world.source["PV"].puts] == [[1.0]]


def test_ping_is_a_control_frame_and_only_for_those_who_read(world: World, client: Client) -> None:
    client.hears()
    client.says("ping")
    assert (client.transport.pings, client.hears()) == (1, [])
    client.session.outbox.open = False
    client.says("ping")
    assert client.transport.pings == 1


def test_echo_is_identical(client: Client) -> None:
    text = '{"x": [1.50, "\u00e9"],  "type":"echo"}'.encode()
    client.hears()
    client.session.receive(text)
    client.hears()
    assert client.transport.taken[-1] == b"T" + text


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_decoder_takes_or_refuses(data: bytes) -> None:
    try:
        decode(data)
    except PycaError as error:
        assert error.code in ("bad_json", "bad_request")


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda it: st.lists(it, max_size=3))


@given(st.dictionaries(st.sampled_from(["type", "pv", "pvs", "value"]), JSON | st.sampled_from(["subscribe", "write"])))
def test_session_survives_any_object(message: dict[str, Any]) -> None:
    world = World()
    client = Client(world)
    client.session.receive(json.dumps(message).encode())
    assert world.figures.faults == 0
