"""Whatever a peer says, in any dialect: no fault of the server, no message but finished ones, and it goes on."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dialects.contract import Row, Speaker
from tests.dialects.test_contract import ROWS
from tests.fakes import World

WORDS = (
    "PV", "sim://sine", "loc://x(1)", "pva://x", "", " ", "\0", "\ud800", "NaN", "Infinity", "ü", "a" * 1100,
    "type", "pvs", "pv", "value", "subscribe", "monitor", "clear", "list", "write", "ping", "echo",
    "cmd", "dev", "circuit", "devices", "all", "full", "filter", "set", "ao", "1_01", "default", "mode",
    "action", "connect", "disconnect", "get", "put", "options", "info", "history", "events", "pause", "resume", "id",
    "subscribe", "unsubscribe", "signal", "event", "D.S", "sname", "dname", "x", "y", "c", "append", "latest",
    "connect_pv", "disconnect_pv", "name", "recipe", "batch", "encoding", "metadata", "max_rate", "reduce", "points",
)  # fmt: skip
NUMBERS = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([0, -1, 2**63, 10**400, 1e308])
SCALARS = st.sampled_from(WORDS) | NUMBERS | st.booleans() | st.none()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=12,
)


def mutated(message: bytes) -> st.SearchStrategy[bytes]:
    """The message with a value replaced, a key left out, or one more."""
    said = json.loads(message)
    if isinstance(said, list):
        return st.builds(
            lambda index, value: written([*said[:index], value, *said[index + 1 :]]), st.integers(0, 3), VALUES
        )
    keys = st.sampled_from([*said, *WORDS])
    replaced = st.builds(lambda key, value: written({**said, key: value}), keys, VALUES)
    return replaced | st.builds(lambda key: written({k: v for k, v in said.items() if k != key}), keys)


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


def messages(row: Row) -> st.SearchStrategy[bytes]:
    return st.one_of(
        mutated(row.subscribe),
        mutated(row.write),
        VALUES.map(written),
        st.binary(max_size=60),
        st.text(max_size=30).map(lambda text: text.encode()),
        st.sampled_from([row.subscribe, row.write, row.bad, b"[" * 5000, b'{"a":' * 5000]),
    )


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@settings(max_examples=60)
@given(data=st.data())
def test_any_messages(row: Row, data: st.DataObject) -> None:
    world = World()
    speaker = Speaker(row, world, errors_per_second=1000.0)
    for message in data.draw(st.lists(messages(row), max_size=8)):
        speaker.says(message)
        world.clock.advance(0.01)
        if data.draw(st.booleans()) and "PV" in world.source.channels and not world.source["PV"].closed:
            world.source["PV"].bring_up(1.5)
    assert world.figures.faults == 0
    assert all(piece[:1] in (b"T", b"B") for piece in speaker.transport.taken)
    speaker.session.ended()
    world.clock.advance(60)
    assert world.figures.sessions == 0
