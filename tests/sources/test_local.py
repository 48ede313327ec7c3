"""sources/local.py"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.access import Rules
from pycaserver.core.errors import PycaError
from pycaserver.core.values import DbrType
from pycaserver.sources.local import ELEMENTS, KINDS, MOST, STRINGS, definition_of
from pycaserver.sources.notation import spelling_of
from tests.fakes import WALL_START, Peer
from tests.sources.conftest import OwnWorld


def definition(text: str) -> tuple[DbrType, int, tuple[str, ...], Any]:
    metadata, data = definition_of(spelling_of(text))
    return metadata.type, metadata.count, metadata.enum_strs, data.tolist() if isinstance(data, np.ndarray) else data


def why_refused(text: str) -> str:
    with pytest.raises(PycaError) as caught:
        definition(text)
    assert caught.value.code == "invalid_pv_name"
    return caught.value.message


def values(peer: Peer) -> list[Any]:
    return [message["value"] for message in peer.hears() if message["msg_type"] == "monitor"]


@pytest.mark.parametrize(
    ("text", "type", "count", "states", "data"),
    [
        ("x", DbrType.DOUBLE, 1, (), 0.0),
        ("x()", DbrType.DOUBLE, 1, (), 0.0),
        ("x(42)", DbrType.DOUBLE, 1, (), 42.0),
        ("x(3.8, 2)", DbrType.DOUBLE, ELEMENTS, (), [3.8, 2.0]),
        ('x("Hello")', DbrType.STRING, 1, (), "Hello"),
        ('x("a", "b")', DbrType.STRING, STRINGS, (), ["a", "b"]),
        ("x<VLong>(9007199254740993)", DbrType.INT64, 1, (), 9007199254740993),
        ("x<VInt>(-1)", DbrType.LONG, 1, (), -1),
        ("x<VBoolean>", DbrType.ENUM, 1, ("false", "true"), 0),
        ('x<VBoolean>("true")', DbrType.ENUM, 1, ("false", "true"), 1),
        ("x<VString>", DbrType.STRING, 1, (), ""),
        ('x<VEnum>("a", "b")', DbrType.ENUM, 1, ("a", "b"), 0),
        ('x<VEnum>(1, "a", "b")', DbrType.ENUM, 1, ("a", "b"), 1),
        ("x<VDoubleArray>", DbrType.DOUBLE, ELEMENTS, (), []),
        ("x<VDoubleArray>(1)", DbrType.DOUBLE, ELEMENTS, (), [1.0]),
        ("x<VLongArray>(9007199254740993)", DbrType.INT64, ELEMENTS, (), [9007199254740993]),
        ("x<VStringArray>", DbrType.STRING, STRINGS, (), []),
    ],
)
def test_types_and_initial_values(text: str, type: DbrType, count: int, states: tuple[str, ...], data: Any) -> None:
    assert definition(text) == (type, count, states, data)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x<VTable>", "there are VDouble"),
        ('x(1, "a")', "numbers or texts"),
        ("x<VDouble>(1, 2)", "one value"),
        ('x<VDouble>("a")', "takes numbers"),
        ("x<VLong>(1.5)", "no integer"),
        ("x<VInt>(4294967296)", "outside"),
        ("x<VString>(1)", "is a string"),
        ('x("' + "a" * 40 + '")', "too long"),
        ("x<VEnum>", "1 to 16 states"),
        ("x<VEnum>(1)", "1 to 16 states"),
        ('x<VEnum>("a", 1)', "1 to 16 states"),
        ('x<VEnum>(2, "a", "b")', "outside 0 to 1"),
        ("x<VEnum>(" + ",".join(['"a"'] * 17) + ")", "1 to 16 states"),
        ("x<VBoolean>(2)", "outside 0 to 1"),
    ],
)
def test_the_error_says_what_is_wrong(text: str, why: str) -> None:
    assert why in why_refused(text)


def test_all_sessions_share_it(world: OwnWorld, peer: Peer) -> None:
    other = world.peer()
    peer.connects("loc://x(1.5)")
    other.connects("loc://x")
    world.clock.advance(0)
    assert (values(peer), values(other)) == ([1.5], [1.5])
    other.asks("put", pv="loc://x", value=2.5, id=7)
    assert values(peer) == [2.5]
    monitor, put = other.hears()
    assert (monitor["value"], monitor["timestamp"]) == (2.5, WALL_START)
    assert (put["ok"], put["id"]) == (True, 7)


def test_a_put_is_recorded_with_the_value_before(world: OwnWorld, peer: Peer) -> None:
    peer.asks("put", pv='loc://x<VEnum>("a", "b")', value="b")
    world.clock.advance(0)
    (entry,) = world.audit.entries
    assert (entry.pv, entry.old, entry.new, entry.outcome) == ('loc://x<VEnum>("a", "b")', 0, "b", "ok")


def test_a_put_without_waiting(world: OwnWorld, peer: Peer) -> None:
    peer.asks("put", pv="loc://x", value=1, wait=False)
    world.clock.advance(0)
    assert peer.hears()[-1]["sent"]
    assert [entry.outcome for entry in world.audit.entries] == ["sent"]


def test_a_put_without_the_right_changes_nothing(world: OwnWorld, peer: Peer) -> None:
    world.access.replace(Rules())
    peer.connects("loc://x(1)", metadata=True)
    peer.asks("put", pv="loc://x(1)", value=2)
    world.clock.advance(1)
    messages = {message["msg_type"]: message for message in peer.hears()}
    assert messages["error"]["code"] == "write_disabled"
    assert not messages["access"]["write"]
    assert messages["monitor"]["value"] == 1


@pytest.mark.parametrize(
    ("name", "bad"), [("loc://x", "a"), ("loc://x<VLong>", 1.5), ("loc://x<VLong>", 2**63), ('loc://x("")', 1)]
)
def test_a_value_that_does_not_fit_is_refused(world: OwnWorld, peer: Peer, name: str, bad: Any) -> None:
    peer.asks("put", pv=name, value=bad)
    world.clock.advance(0)
    assert peer.gist() == [("error", "bad_value")]


def test_integers_of_64_bits_are_exact(world: OwnWorld, peer: Peer) -> None:
    peer.connects("loc://x<VLong>")
    peer.asks("put", pv="loc://x<VLong>", value=-(2**63))
    world.clock.advance(0)
    assert values(peer)[-1] == -(2**63)


def test_arrays_may_be_of_any_length_up_to_the_most(world: OwnWorld, peer: Peer) -> None:
    name = "loc://x<VDoubleArray>"
    peer.connects(name)
    world.clock.advance(0)
    for value in ([1.5, 2], [3], 4, [0] * (ELEMENTS + 1)):
        peer.asks("put", pv=name, value=value)
    world.clock.advance(0)
    told = peer.hears()
    assert [message["value"] for message in told if message["msg_type"] == "monitor"] == [[], [1.5, 2], [3], [4]]
    assert [message["code"] for message in told if message["msg_type"] == "error"] == ["bad_value"]


def test_a_read_gives_the_newest_value(world: OwnWorld, peer: Peer) -> None:
    peer.connects("loc://x")
    peer.asks("put", pv="loc://x", value=3)
    peer.asks("get", pv="loc://x")
    world.clock.advance(0)
    assert [message["value"] for message in peer.hears() if message["msg_type"] == "get"] == [3]


def test_it_ends_with_its_last_channel_and_begins_anew(world: OwnWorld, peer: Peer) -> None:
    peer.connects(["loc://x(1)", "loc://x"])
    peer.asks("put", pv="loc://x", value=5)
    world.clock.advance(0)
    peer.asks("disconnect", pv="loc://x(1)")
    world.clock.advance(6)
    peer.asks("get", pv="loc://x(1)")
    world.clock.advance(0)
    assert peer.hears()[-1]["value"] == 5
    peer.asks("disconnect", pv="loc://x")
    world.clock.advance(6)
    peer.asks("get", pv="loc://x(1)")
    world.clock.advance(0)
    assert peer.hears()[-1]["value"] == 1


def test_a_bare_name_waits_to_be_told_what_it_is(world: OwnWorld, peer: Peer) -> None:
    peer.connects("loc://x", metadata=True)
    world.clock.advance(0)
    assert peer.gist() == [("connection", True), "metadata", "access", 0]
    world.peer().connects('loc://x("text")')
    assert peer.gist() == [("connection", False), ("connection", True), "metadata", "access", "text"]


def test_a_bare_name_and_an_initial_value_of_the_same_type(world: OwnWorld, peer: Peer) -> None:
    peer.connects("loc://x")
    world.clock.advance(0)
    world.peer().connects("loc://x(3)")
    assert peer.gist() == [("connection", True), 0, 3]


def test_what_has_been_written_is_not_told_anew(world: OwnWorld, peer: Peer) -> None:
    peer.connects("loc://x")
    peer.asks("put", pv="loc://x", value=5)
    world.clock.advance(0)
    peer.connects(["loc://x(3)", 'loc://x("text")'])
    world.clock.advance(0)
    heard = peer.hears()
    assert {m["value"] for m in heard if m["msg_type"] == "monitor" and m["pvname"] == "loc://x(3)"} == {5}
    assert [m["message"] for m in heard if m["msg_type"] == "error"] == [
        "This PV is open as another one, of type DOUBLE."
    ]


def test_a_refused_name_leaves_nothing_behind(world: OwnWorld, peer: Peer) -> None:
    peer.connects(["loc://x<VLong>(1)", 'loc://x("text")'])
    world.clock.advance(0)
    peer.asks("disconnect", pv="loc://x<VLong>(1)")
    world.clock.advance(6)
    peer.connects('loc://x("text")')
    world.clock.advance(0)
    assert peer.hears()[-1]["value"] == "text"


def test_their_number_is_bounded(world: OwnWorld) -> None:
    channels = [world.pool.acquire(f"loc://{number}") for number in range(MOST)]
    world.pool.acquire("loc://0(0)")
    with pytest.raises(PycaError) as caught:
        world.pool.acquire("loc://more")
    assert caught.value.code == "too_many_subscriptions"
    world.pool.release(channels[-1])
    world.clock.advance(6)
    world.pool.acquire("loc://more")


def test_what_a_peer_keeps_of_its_array_does_not_change_the_pv(world: OwnWorld) -> None:
    channel = world.pool.acquire("loc://x<VDoubleArray>")
    channel._source_channel.monitor()  # type: ignore[union-attr]
    world.clock.advance(0)
    elements = np.array([1.0, 2.0])
    channel.put(elements, _Events(), wait=True)
    elements[0] = 9
    assert channel.latest is not None
    assert isinstance(channel.latest.data, np.ndarray)
    assert channel.latest.data.tolist() == [1.0, 2.0]
    assert not channel.latest.data.flags.writeable


class _Events:
    def refusal(self) -> None: ...

    def sent(self) -> None: ...

    def done(self, old: object, error: object) -> None: ...


@given(st.sampled_from(["", *(f"<{kind}>" for kind in KINDS)]), st.lists(st.sampled_from(["0", "1", "-1", "1.5", "1e30",
       '"a"', '"b"', "NaN", "9223372036854775807", "1e999"]), max_size=18))  # fmt: skip
def test_any_definition_is_right_or_refused(type: str, arguments: list[str]) -> None:
    try:
        metadata, data = definition_of(spelling_of(f"x{type}({','.join(arguments)})"))
    except PycaError as error:
        assert error.code == "invalid_pv_name"
    else:
        assert isinstance(data, np.ndarray | list) == (metadata.count > 1)
