"""The options of the native protocol's connect."""

import json
from base64 import b64decode
from typing import Any

import numpy as np
import pytest

from pycaserver.core.session import AT_ONCE
from pycaserver.core.values import Access, DbrType, Limits, Metadata
from tests.fakes import FakeSourceChannel, Peer, World

UP, DOWN = ("connection", True), ("connection", False)


def subscribed(world: World, peer: Peer, data: Any = 0.0, **options: Any) -> FakeSourceChannel:
    """The IOC of a PV that the peer is subscribed to, and whose first messages are heard."""
    peer.connects("PV", **options)
    kind = DbrType.CHAR if getattr(data, "dtype", None) == np.uint8 else DbrType.DOUBLE
    world.source["PV"].bring_up(data, type=kind, count=100 if isinstance(data, np.ndarray) else 1)
    peer.hears()
    return world.source["PV"]


# -- metadata


def test_metadata_comes_after_connection_with_all_that_the_ioc_tells(world: World, peer: Peer) -> None:
    peer.connects("PV", metadata=True)
    world.source["PV"].connect(DbrType.DOUBLE, 1, Access(read=True, write=False))
    told = Metadata(
        DbrType.DOUBLE, 1, "mm", 3, display=Limits(0.0, 1.0), control=Limits(2.0, 3.0), warning=Limits(4.0, 5.0),
        alarm=Limits(float("nan"), float("inf")),
    )  # fmt: skip
    world.source["PV"].channel.metadata_changed(told)
    world.source["PV"].post(1.0)
    connection, metadata, access, monitor = peer.hears()
    assert connection["conn"]
    assert metadata == {
        "msg_type": "metadata", "pvname": "PV", "type": "double", "count": 1, "units": "mm", "precision": 3,
        "display": {"low": 0.0, "high": 1.0}, "control": {"low": 2.0, "high": 3.0},
        "warning": {"low": 4.0, "high": 5.0}, "alarm": {"low": "NaN", "high": "Infinity"},
    }  # fmt: skip
    assert access == {"msg_type": "access", "pvname": "PV", "read": True, "write": False}
    assert monitor["msg_type"] == "monitor"


def test_metadata_comes_again_after_a_restart_with_another_type(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, metadata=True)
    ioc.channel.disconnected()
    ioc.bring_up(1, type=DbrType.ENUM, enum_strs=("Off", "On"))
    down, up, metadata, _, monitor = peer.hears()
    assert (down["conn"], up["conn"]) == (False, True)
    assert (metadata["type"], metadata["enum_strs"]) == ("enum", ["Off", "On"])
    assert monitor["text"] == "On"


def test_metadata_comes_again_when_any_of_it_changes_and_only_then(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, metadata=True)
    ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, 1))
    assert peer.gist() == []
    ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, display=Limits(0.0, float("nan"))))
    assert peer.gist() == ["metadata"]
    ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, display=Limits(0.0, float("nan"))))
    assert peer.gist() == []


def test_metadata_that_comes_late_is_told_late(world: World, peer: Peer) -> None:
    peer.connects("PV", metadata=True)
    world.source["PV"].connect(DbrType.LONG, 1)
    world.source["PV"].post(1)
    world.clock.advance(2)
    assert peer.gist() == [UP, "metadata", "access", 1]  # what is known: type and count
    world.source["PV"].channel.metadata_changed(Metadata(DbrType.LONG, 1, units="mm"))
    assert peer.gist() == ["metadata"]


# -- encoding


ARRAY = np.array([1.0, float("nan"), -0.0, 1e300])


def test_arrays_as_base64(world: World, peer: Peer) -> None:
    subscribed(world, peer, ARRAY, encoding="base64").post(ARRAY)
    (message,) = peer.hears()
    assert (message["dtype"], message["count"]) == ("<f8", 4)
    assert b64decode(message["value_b64"]) == ARRAY.tobytes()
    assert "value" not in message


def test_arrays_as_binary_frames(world: World, peer: Peer) -> None:
    subscribed(world, peer, ARRAY, encoding="binary").post(ARRAY)
    (message,) = peer.hears()
    payload = message["binary"]
    length = int.from_bytes(payload[:4], "little")
    header = json.loads(payload[4 : 4 + length])
    assert (4 + length) % 8 == 0
    assert (header["msg_type"], header["pvname"], header["dtype"], header["count"]) == ("monitor", "PV", "<f8", 4)
    assert "value" not in header
    assert np.frombuffer(payload, "<f8", offset=4 + length).tobytes() == ARRAY.tobytes()


@pytest.mark.parametrize(("dtype", "name"), [("u1", "|u1"), ("i2", "<i2"), ("i4", "<i4"), ("f4", "<f4")])
def test_the_type_of_the_elements_is_told_as_numpy_writes_it(world: World, peer: Peer, dtype: str, name: str) -> None:
    subscribed(world, peer, np.zeros(3, dtype), encoding="base64").post(np.ones(3, dtype))
    (message,) = peer.hears()
    assert message["dtype"] == name
    assert np.frombuffer(b64decode(message["value_b64"]), name).tolist() == [1, 1, 1]


def test_two_encodings_of_one_pv_side_by_side(world: World, peer: Peer) -> None:
    other = world.peer()
    ioc = subscribed(world, peer, ARRAY)
    other.connects("PV", encoding="base64")
    other.hears()
    ioc.post(np.array([1.0, 2.0]))
    assert peer.hears()[0]["value"] == [1.0, 2.0]
    assert "value_b64" in other.hears()[0]


# -- max_rate


def test_max_rate_lets_the_newest_win(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, max_rate=0.5)
    ioc.post(1.0, 2.0, 3.0)
    world.clock.advance(0.9)
    assert peer.gist() == []
    world.clock.advance(0.2)
    (message,) = peer.hears()
    assert (message["value"], message["coalesced"]) == (3.0, 2)


def test_max_rate_delivers_the_last_value(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, max_rate=10)
    for number in range(100):
        ioc.post(float(number))
        world.clock.advance(0.013)
    world.clock.advance(0.2)
    messages = peer.hears()
    assert messages[-1]["value"] == 99.0
    assert len(messages) <= 10 * (1 + 1.3) + 1
    assert sum(1 + message.get("coalesced", 0) for message in messages) == 100


def test_max_rate_delays_nothing_that_is_slower(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, max_rate=10)
    for number in (1.0, 2.0, 3.0):
        world.clock.advance(0.11)
        ioc.post(number)
        assert peer.gist() == [number]


def test_max_rate_costs_no_value_that_comes_late(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, max_rate=4)
    ioc.post(1.0, 2.0, 3.0, 4.0)  # just as it begins
    assert peer.gist() == [1.0, 2.0, 3.0, 4.0]
    world.clock.advance(0.6)
    ioc.post(5.0, 6.0, 7.0)
    assert peer.gist() == [5.0, 6.0]
    world.clock.advance(0.2)
    assert peer.gist() == [7.0]


def test_max_rate_lets_through_one_seconds_worth_at_once(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, max_rate=4)
    world.clock.advance(60.0)
    ioc.post(*map(float, range(30)))
    assert peer.gist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    world.clock.advance(0.25)
    assert peer.gist() == [29.0]


# -- deadband


def test_deadband_keeps_small_changes_back(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, 10.0, deadband=1.0)
    ioc.post(10.5, 10.9, 9.1, 11.0, 11.5, 12.5, 12.0)
    assert peer.gist() == [11.0, 12.5]


def test_deadband_is_measured_from_what_was_sent(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, 0.0, deadband=1.0)
    ioc.post(*(number * 0.25 for number in range(1, 13)))
    assert peer.gist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("alarm", [{"severity": 1}, {"status": 3}, {"severity": 2, "status": 4}], ids=repr)
def test_deadband_always_lets_alarm_changes_through(world: World, peer: Peer, alarm: dict[str, int]) -> None:
    ioc = subscribed(world, peer, 10.0, deadband=1.0)
    ioc.post(10.1, **alarm)
    ioc.post(10.2, **alarm)
    ioc.post(10.3)
    assert peer.gist() == [10.1, 10.3]


@pytest.mark.parametrize("data", ["text", float("nan"), None, float("inf")], ids=repr)
def test_deadband_keeps_nothing_back_that_has_no_distance(world: World, peer: Peer, data: Any) -> None:
    ioc = subscribed(world, peer, 1.0, deadband=1.0)
    ioc.post(data)
    assert len(peer.hears()) == 1


def test_deadband_does_not_concern_arrays(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, np.zeros(2), deadband=100)
    ioc.post(np.ones(2), np.ones(2))
    assert peer.gist() == [[1.0, 1.0]] * 2


# -- first, max_count, reduce, as, nanos


def test_max_count_is_the_first_elements(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, np.zeros(9), max_count=3)
    ioc.post(np.arange(9.0), np.arange(2.0))
    first, second = peer.hears()
    assert (first["value"], first["count"]) == ([0.0, 1.0, 2.0], 3)
    assert (second["value"], second["count"]) == ([0.0, 1.0], 2)


def test_max_count_of_strings(world: World, peer: Peer) -> None:
    subscribed(world, peer, ["x"], max_count=2).post(["a", "b", "c"])
    (message,) = peer.hears()
    assert (message["value"], message["count"]) == (["a", "b"], 2)


def test_first_and_max_count_are_a_window(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, np.zeros(9), first=2, max_count=3)
    ioc.post(np.arange(9.0), np.arange(4.0), np.arange(1.0))
    whole, short, beyond = peer.hears()
    assert (whole["value"], whole["count"], whole["first"]) == ([2.0, 3.0, 4.0], 3, 2)
    assert (short["value"], short["count"], short["first"]) == ([2.0, 3.0], 2, 2)
    assert (beyond["value"], beyond["count"], beyond["first"]) == ([], 0, 2)


def test_first_of_strings(world: World, peer: Peer) -> None:
    subscribed(world, peer, ["x"], first=1).post(["a", "b", "c"])
    (message,) = peer.hears()
    assert (message["value"], message["count"], message["first"]) == (["b", "c"], 2, 1)


@pytest.mark.parametrize("first", [0, None])
def test_a_window_from_the_beginning_is_not_told(world: World, peer: Peer, first: int | None) -> None:
    subscribed(world, peer, np.zeros(2), first=first).post(np.ones(2))
    (message,) = peer.hears()
    assert "first" not in message


def test_first_leaves_scalars_and_text_alone(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, 0.0, first=1, **{"as": "string"})
    ioc.post(1.5, "text", np.frombuffer(b"text\0", np.uint8))
    messages = peer.hears()
    assert [message["value"] for message in messages] == [1.5, "text", "text"]
    assert all("first" not in message for message in messages)


def test_the_window_is_cut_before_it_is_reduced(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, np.zeros(9), first=3, max_count=6, reduce={"points": 2}, encoding="base64")
    ioc.post(np.array([99.0, 99.0, 99.0, 1.0, 5.0, 3.0, -2.0, 0.0, 7.0, 99.0]))
    (message,) = peer.hears()
    assert b64decode(message["value_b64"]) == np.array([1.0, 5.0, -2.0, 7.0]).tobytes()
    assert (message["first"], message["count"], message["reduced"]) == (3, 6, 2)


def test_reduce_sends_an_envelope(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, np.zeros(9), reduce={"points": 2})
    ioc.post(np.array([1.0, 5.0, 3.0, -2.0, 0.0, 7.0]))
    (message,) = peer.hears()
    assert (message["value"], message["count"], message["reduced"]) == ([1.0, 5.0, -2.0, 7.0], 6, 2)


def test_reduce_goes_with_every_encoding(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, np.zeros(9), reduce={"points": 1}, encoding="base64")
    ioc.post(np.array([1.0, 5.0, 3.0]))
    (message,) = peer.hears()
    assert b64decode(message["value_b64"]) == np.array([1.0, 5.0]).tobytes()


def test_a_char_waveform_as_one_string(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, np.zeros(1, np.uint8), **{"as": "string"})
    ioc.post(np.frombuffer(b"long \xb0C string\0rest", np.uint8))
    (message,) = peer.hears()
    assert (message["value"], message["count"]) == ("long °C string", 19)


def test_an_enum_as_its_state_string(world: World, peer: Peer) -> None:
    peer.connects("PV", **{"as": "string"})
    world.source["PV"].bring_up(1, type=DbrType.ENUM, enum_strs=("Off", "On"))
    message = peer.hears()[-1]
    assert (message["value"], message["text"]) == ("On", "On")


def test_other_values_stay_what_they_are_as_string(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, 0.0, **{"as": "string"})
    ioc.post(1.5, "text", np.array([1.0, 2.0]))
    assert peer.gist() == [1.5, "text", [1.0, 2.0]]


def test_nanos_carries_the_stamp_as_two_integers(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer, nanos=True)
    ioc.post(1.0, seconds=1_700_000_000, nanos=123_456_789)
    (message,) = peer.hears()
    assert (message["seconds"], message["nanos"]) == (1_700_000_000, 123_456_789)


# -- batch


def test_batch_puts_all_that_is_due_into_one_frame(world: World, peer: Peer) -> None:
    peer.asks("options", batch=True)
    (answer,) = peer.hears()
    assert answer["batch"] is True
    ioc = subscribed(world, peer)
    written = len(peer.transport.taken)
    ioc.post(1.0, 2.0, 3.0)
    assert peer.gist() == [1.0, 2.0, 3.0]
    assert len(peer.transport.taken) == written + 1


def test_batch_can_be_taken_back_and_keeps_subscriptions(world: World, peer: Peer) -> None:
    ioc = subscribed(world, peer)
    for batch in (True, True, False, None):
        peer.asks("options", **({} if batch is None else {"batch": batch}))
        assert peer.hears()[0]["batch"] is bool(batch)
        ioc.post(1.0)
        assert peer.gist() == [1.0]


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("reason", ["rate", "pause"])
def test_a_value_owed_when_batch_changes_is_framed_right(world: World, peer: Peer, batch: bool, reason: str) -> None:
    peer.asks("options", batch=not batch)
    ioc = subscribed(world, peer, max_rate=0.5 if reason == "rate" else None)
    if reason == "pause":
        peer.asks("pause")
    ioc.post(1.0, 2.0)
    peer.asks("options", batch=batch)
    peer.asks("resume")
    world.clock.advance(2)
    assert [gist for gist in peer.gist() if gist != "options"] == [2.0]


def test_batch_of_many_subscriptions_changes_in_pieces(world: World) -> None:
    """Meanwhile the others in their groups get their values as ever, and what is told is framed as it was asked for."""
    peer, other, third = (world.peer(subscriptions_per_session=1000) for _ in range(3))
    names = [f"PV{number}" for number in range(2 * AT_ONCE + 1)]
    for each in (peer, other):
        each.connects(names)
    for name in names:
        world.source[name].bring_up(1.0)
    for each in (peer, other):
        each.hears()
    peer.session.receive(b'{"action":"options","batch":true}')
    assert peer.session.busy
    work = world.pool.fanout.piecework
    work._step(work._jobs[0])
    *_, ended, lost, first, second = names
    peer.session.receive(json.dumps({"action": "disconnect", "pv": ended}).encode())
    third.session.receive(json.dumps({"action": "connect", "pv": [first, second]}).encode())
    for name in (first, second):
        world.source[name].post(2.0, 3.0)
    world.source[lost].channel.disconnected()
    assert not peer.session.outbox.open
    assert other.gist() == [2.0, 3.0, 2.0, 3.0, ("connection", False)]
    assert peer.gist() == ["options", ("connection", False), 3.0, 3.0]
    assert (peer.session.outbox.open, peer.session.busy, world.figures.faults) == (True, False, 0)
    world.source["PV0"].post(4.0)
    assert peer.gist() == [4.0]


def test_batch_that_changes_as_the_session_ends_leaves_nothing(world: World) -> None:
    peer = world.peer(subscriptions_per_session=1000)
    peer.connects([f"PV{number}" for number in range(2 * AT_ONCE + 1)])
    peer.session.receive(b'{"action":"options","batch":true}')
    peer.session.ended()
    world.clock.advance(60)
    assert not world.pool.states()
    assert world.figures.faults == 0


def test_batch_is_no_option_of_connect(peer: Peer) -> None:
    peer.connects("PV", batch=True)
    (error,) = peer.hears()
    assert (error["code"], error["pvname"]) == ("bad_request", "PV")
