"""One contract for all dialects: subscribe, update, disconnection, refused write, bad input, NaN, array, slow peer."""

import gc
from weakref import ref

import numpy as np
import pytest

from pycaserver.core import piecework
from pycaserver.core.access import AccessControl, Rules
from pycaserver.core.requests import MEBIBYTE
from pycaserver.core.values import LARGE, DbrType, Elements, Texts
from pycaserver.dialects.encoding import BASE64_PIECE, JSON_PIECE
from tests.dialects import evok_row, native_row, pvws_row, rtoc_row, xovac_row
from tests.dialects.contract import Row, Speaker
from tests.fakes import World

ROWS = {
    "native": native_row.ROW,
    "pvws": pvws_row.ROW,
    "rtoc": rtoc_row.ROW,
    "evok": evok_row.ROW,
    "xovac": xovac_row.ROW,
}

BAD_MESSAGES = (b"", b"\0", b"\xff\xfe", b"[]", b"{}", b"null", b"[" * 5000, b'{"type": 1}', b"x" * 2000)


@pytest.fixture(params=ROWS.values(), ids=ROWS.keys())
def row(request: pytest.FixtureRequest) -> Row:
    found: Row = request.param
    return found


@pytest.fixture
def speaker(row: Row, world: World) -> Speaker:
    speaker = Speaker(row, world)
    speaker.says(row.subscribe)
    return speaker


def test_subscriber_is_told_the_value_and_each_change(world: World, speaker: Speaker) -> None:
    world.source["PV"].bring_up(1.5)
    first = speaker.hears()
    world.source["PV"].post(2.5)
    assert (first[-1:], speaker.hears()) == ([1.5], [2.5])


def test_the_newest_value_is_told_last(world: World, row: Row, speaker: Speaker) -> None:
    world.source["PV"].bring_up(1.5)
    speaker.hears()
    world.source["PV"].post(2.5, 3.5)
    assert speaker.hears() == ([3.5] if row.merges else [2.5, 3.5])


def test_second_subscriber_is_told_what_is_known(world: World, row: Row, speaker: Speaker) -> None:
    world.source["PV"].bring_up(1.5)
    second = Speaker(row, world)
    second.says(row.subscribe)
    assert second.hears()[-1:] == [1.5]


def test_disconnection_and_return_are_told(world: World, speaker: Speaker) -> None:
    world.source["PV"].bring_up(1.5)
    speaker.hears()
    world.source["PV"].channel.disconnected()
    gone = speaker.hears()
    world.source["PV"].bring_up(2.5)
    assert (gone, speaker.hears()[-1:]) == (["gone"], [2.5])


def test_write_reaches_the_ioc(world: World, row: Row, speaker: Speaker) -> None:
    world.source["PV"].bring_up(1.5)
    speaker.hears()
    speaker.says(row.write)
    assert [put.elements.tolist() for put in world.source["PV"].puts] == [[5.0]]
    world.source["PV"].complete()
    assert "error" not in speaker.hears()
    assert [entry.pv for entry in world.audit.entries] == ["PV"]


def test_refused_write_is_told_and_recorded(row: Row) -> None:
    world = World(access=AccessControl(Rules(writes=False)))
    speaker = Speaker(row, world)
    speaker.says(row.subscribe)
    world.source["PV"].bring_up(1.5)
    speaker.hears()
    speaker.says(row.write)
    assert speaker.hears() == (["error"] if row.tells_errors else [])
    assert world.figures.errors.total() == 1
    assert world.source["PV"].puts == []
    assert [entry.pv for entry in world.audit.entries] == ["PV"]


@pytest.mark.parametrize("message", BAD_MESSAGES, ids=range(len(BAD_MESSAGES)))
def test_bad_input_harms_nobody(world: World, row: Row, speaker: Speaker, message: bytes) -> None:
    speaker.says(message)
    world.source["PV"].bring_up(1.5)
    assert speaker.hears()[-1:] == [1.5]
    assert world.figures.faults == 0


def test_bad_input_is_told(world: World, row: Row, speaker: Speaker) -> None:
    speaker.hears()
    speaker.says(row.bad)
    assert speaker.hears() == (["error"] if row.tells_errors else [])
    assert world.figures.errors.total() == 1


def test_nan_is_told(world: World, row: Row, speaker: Speaker) -> None:
    world.source["PV"].bring_up(1.5)
    speaker.hears()
    world.source["PV"].post(float("nan"))
    assert speaker.hears() == [row.nan]


def test_array_is_told(world: World, row: Row, speaker: Speaker) -> None:
    world.source["PV"].bring_up(np.array([1.5, 2.5, 3.5]), count=3)
    assert speaker.hears()[-1:] == row.arrays([[1.5, 2.5, 3.5]])


NUMBERS = np.arange(2 * LARGE) + 0.5


@pytest.mark.parametrize("data", [NUMBERS, Texts(NUMBERS.astype("S40"))], ids=["numbers", "texts"])
def test_large_array_is_told_in_many_turns(
    world: World, row: Row, speaker: Speaker, data: Elements, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But where a dialect tells its first element only, and that as a number."""
    monkeypatch.setattr(piecework, "TURN_SECONDS", 0)
    type = DbrType.STRING if isinstance(data, Texts) else DbrType.DOUBLE
    world.source["PV"].bring_up(data, type=type, count=len(data))
    told, turns = row.arrays([data.tolist()]), 0
    if isinstance(told[0], list):
        while not speaker.told:
            world.clock.run_one()
            turns += 1
        assert turns >= 2 * LARGE // JSON_PIECE or turns >= data.nbytes // BASE64_PIECE
    assert speaker.hears()[-1:] == (["gone"] if isinstance(told[0], str) else told)
    assert world.figures.faults == 0


def test_json_that_would_take_long_is_refused(world: World, row: Row, speaker: Speaker) -> None:
    speaker.hears()
    speaker.says(b"{" + b"," * MEBIBYTE)  # is no JSON either, but that is not looked at
    assert speaker.hears() == (["error"] if row.tells_errors else [])
    assert world.figures.errors == {"bad_request": 1}


def test_slow_peer_is_owed_little_and_told_the_newest(world: World, row: Row, speaker: Speaker) -> None:
    world.source["PV"].bring_up(0.0)
    speaker.hears()
    speaker.transport.reading = False
    for number in range(20_000):
        world.source["PV"].post(float(number))
        world.clock.advance(row.seconds if number % 100 == 0 else 0.0)
    assert speaker.session.outbox.backlog <= 2 * 65536 + 4096
    speaker.reads_all()
    assert speaker.hears()[-1] == 19_999.0
    assert speaker.transport.closed is None


def test_session_that_ends_leaves_nothing_behind(world: World, row: Row, speaker: Speaker) -> None:
    world.source["PV"].bring_up(1.5)
    speaker.session.ended()
    world.clock.advance(100.0)
    assert (world.source["PV"].closed, world.source["PV"].channel.subscribers) == (not row.lasting, 0)
    assert world.clock.pending == 0
    assert world.figures.sessions == 0


def test_an_ended_session_is_free_without_the_garbage_collector(world: World, row: Row) -> None:
    speaker = Speaker(row, world)
    speaker.says(row.subscribe)
    world.source["PV"].bring_up(1.5)
    speaker.says(row.write)
    world.source["PV"].complete()
    speaker.says(row.bad)
    world.source["PV"].post(2.5, 3.5)
    assert speaker.hears()
    session = ref(speaker.session)
    gc.disable()
    try:
        speaker.session.ended()
        world.clock.advance(60)
        del speaker
        assert session() is None
    finally:
        gc.enable()
