"""A session beside a server that is none: what it says wrongly is found, what it says rightly passes."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.servers import Server
from tests.stress.model import Broken, Gap, Ledger, Merge
from tests.stress.plan import Script, Step, make
from tests.stress.report import Violation
from tests.stress.run import Round
from tests.stress.session import Session
from tests.timing import scaled

STEPS = [Step(0.0, "connect", {"pv": ["n0"]}), Step(0.0, "ping", {}), Step(0.0, "get", {"pv": ["n0"]})]
Say = Callable[[dict[str, Any]], Awaitable[None]]


class Spoken(Script):
    """A script of these few steps."""

    def steps(self) -> Any:
        return iter(STEPS)


def connection(conn: bool = True, **more: object) -> dict[str, Any]:
    return {"msg_type": "connection", "pvname": "P:n0", "conn": conn, **more}


def value(number: float, **more: object) -> dict[str, Any]:
    return {"msg_type": "monitor", "pvname": "P:n0", "value": number, "count": 1, "timestamp": 0.0, **more}


PONG = {"msg_type": "pong", "id": 2}
GOT = {**value(7), "msg_type": "get", "id": 3}
BEGUN = (connection(id=1), value(5))
Said = Sequence[dict[str, Any] | int]
"""Messages, and perhaps a close code."""


async def hear(said: Said, ledger: Ledger) -> list[str]:
    """What the session misses in the end; raises Broken."""
    told = asyncio.Event()

    async def peer(socket: ServerConnection) -> None:
        for _ in STEPS:
            await socket.recv()
        for message in said:
            await (socket.close(message) if isinstance(message, int) else socket.send(json.dumps(message)))
        told.set()
        await socket.wait_closed()

    async with serve(peer, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/monitor"
        session = Session(Spoken("reader0", "reader", 1, 0.0, 1, 1.0), ledger, url, "P:", "own0")
        await session.run(asyncio.get_running_loop().time())
        await asyncio.wait_for(told.wait(), scaled(10))
        deadline = asyncio.get_running_loop().time() + scaled(0.15)
        while (missing := session.missing({"P:n0": 7.0}, 5.0)) and asyncio.get_running_loop().time() < deadline:
            await session.watch_over()
            await asyncio.sleep(0.01)
        await session.watch_over()
        await session.close()
        return missing


def test_a_server_that_says_all_of_it_misses_nothing() -> None:
    ledger = Ledger()
    assert asyncio.run(hear([*BEGUN, PONG, value(6), value(7), GOT], ledger)) == []
    assert ledger.counted == 2
    assert not ledger.gaps


BROKEN: dict[str, tuple[Said, str]] = {
    "a duplicate stream": ([*BEGUN, value(5)], "twice: a duplicate stream"),
    "an older value": ([*BEGUN, value(6), value(5)], "out of order"),
    "a value too early": ([value(5)], "not connected"),
    "a PV nobody asked for": ([{**value(5), "pvname": "P:n1"}], "never asked for"),
    "an answer twice": ([PONG, PONG], "not asked, or twice"),
    "an error for nothing": ([{"msg_type": "error", "code": "bad_json", "message": ""}], "about nothing"),
    "an error without cause": ([{"msg_type": "error", "code": "internal", "message": "", "id": 2}], "internal"),
    "a close": ([*BEGUN, 1011], "closed with 1011"),
}


@pytest.mark.parametrize(("said", "what"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_said_wrongly_is_found(said: Said, what: str) -> None:
    with pytest.raises(Broken, match=what):
        asyncio.run(hear(said, Ledger()))


MISSING: dict[str, tuple[Said, str]] = {
    "the last value": ([*BEGUN, value(6), PONG, GOT], "n0 has 6, not 7.0"),
    "the connection": ([*BEGUN, value(6), value(7), connection(False), PONG, GOT], "n0 is not connected"),
    "an answer": ([*BEGUN, value(6), value(7), PONG], "3, 'P:n0'"),
}


@pytest.mark.parametrize(("said", "what"), MISSING.values(), ids=MISSING.keys())
def test_what_is_not_said_is_missing(said: Said, what: str) -> None:
    missing = asyncio.run(hear(said, Ledger()))
    assert any(what in each for each in missing), missing


def test_a_lost_value_is_a_gap_until_the_ioc_owns_up() -> None:
    ledger = Ledger()
    asyncio.run(hear([*BEGUN, value(7), PONG, GOT], ledger))
    assert ledger.gaps == [Gap("P:n0", 5, 7, 0)]


def test_a_merged_value_wants_an_explanation() -> None:
    ledger = Ledger()
    asyncio.run(hear([*BEGUN, value(7, coalesced=1), PONG, GOT], ledger))
    assert [(merge.pv, merge.merged) for merge in ledger.merges] == [("P:n0", 1)]


@pytest.mark.parametrize("late", [0.0, 0.5])
def test_only_a_busy_machine_explains_what_was_merged(late: float) -> None:
    async def explain() -> int:
        round = Round(make(1, 1), SimpleNamespace(prefix="P:"), SimpleNamespace(monitor_url=""), 1, {})  # type: ignore[arg-type]
        now = time.monotonic()
        round.ledger.merges = [Merge("P:n0", 3, now - 5), Merge("P:n0", 1, now)]
        round._strain.note(now - 6, late)
        round.explain_merges()
        assert [merge.merged for merge in round.ledger.merges] == [1]  # of this one nobody knows yet
        return round.merged_late

    if late:
        assert asyncio.run(explain()) == 3
    else:
        with pytest.raises(Violation, match="3 values of P:n0 merged for a session that reads all"):
            asyncio.run(explain())


@pytest.mark.parametrize(("replaced", "merged"), [(1, 1), (0, None)])
def test_what_the_ioc_has_not_merged_was_lost(replaced: int, merged: int | None) -> None:
    async def answer(pv: str) -> int:
        return replaced

    ioc: Any = SimpleNamespace(prefix="P:", incarnation=0, replaced=answer)

    async def explain() -> int:
        round = Round(make(1, 1), ioc, server, 1, {})
        round.ledger.step("P:n0", 5)
        round.ledger.gap("P:n0", 5, 7, 0)
        await round.explain_gaps()
        return round.merged_by_ioc

    with Server({}) as server:
        if merged is None:
            with pytest.raises(Violation, match=r"lost for everybody, .* and the server's history has \[\]"):
                asyncio.run(explain())
        else:
            assert asyncio.run(explain()) == merged


def test_subscriptions_that_begin_may_lose_something_seldom() -> None:
    async def answer(pv: str) -> int:
        return 0

    ioc: Any = SimpleNamespace(prefix="P:", incarnation=0, replaced=answer)

    async def explain(round: Round, pv: str) -> None:
        round.ledger.gap(pv, 5, 7, 0)
        await round.explain_gaps()

    with Server({}) as server:
        round = Round(make(1, 1), ioc, server, 1, {})
        for pv in ("P:n0", "P:n1"):
            asyncio.run(explain(round, pv))
        assert round.lost_at_first == 2
        with pytest.raises(Violation, match="lost for everybody"):
            asyncio.run(explain(round, "P:n2"))
