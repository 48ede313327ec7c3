"""Who puts over HTTP is bounded like a session, by user or address."""

from typing import Any

import pytest

from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.requests import Put
from pycaserver.core.session import ERROR_BURST_SECONDS
from pycaserver.web import writers
from pycaserver.web.writers import Writers
from tests.fakes import FakeLimits, World

ANNA = Identity(user="anna", means="token")
NOBODY = Identity()


def code_of(of: Writers, identity: Identity, address: str) -> str | None:
    """Put once; the error code of the answer, None while there is none."""
    answers: list[Any] = []
    of.of(identity, address).begin(Put(pv="PV", value=1.0), identity, answers.append)
    return answers[0].code if answers else None


def is_turned_away(of: Writers, identity: Identity, address: str) -> bool:
    """Whether a put would not even be begun now."""
    try:
        of.of(identity, address).check()
    except PycaError as error:
        assert error.code == "rate_limited"
        return True
    return False


@pytest.fixture
def many(world: World) -> Writers:
    return Writers(world.services(FakeLimits(requests_per_second=3, errors_per_second=2)))


def test_too_many_at_once_are_refused_by_address(many: Writers) -> None:
    codes = [code_of(many, NOBODY, "192.0.2.1") for _ in range(5)]
    assert codes[:3].count("rate_limited") == 0
    assert codes[3:] == ["rate_limited"] * 2
    assert code_of(many, NOBODY, "192.0.2.2") != "rate_limited"
    assert code_of(many, ANNA, "192.0.2.1") != "rate_limited"


def test_a_user_is_one_writer_from_everywhere(many: Writers) -> None:
    codes = [code_of(many, ANNA, f"192.0.2.{n}") for n in range(4)]
    assert codes[3] == "rate_limited"


def test_after_too_many_refusals_no_put_is_begun_for_a_while(world: World) -> None:
    many = Writers(world.services(FakeLimits(errors_per_second=2)))
    world.audit.trouble = "The disk is full."
    for _ in range(2 * ERROR_BURST_SECONDS + 1):
        assert not is_turned_away(many, NOBODY, "192.0.2.1")
        assert code_of(many, NOBODY, "192.0.2.1") == "write_disabled"
    assert [is_turned_away(many, NOBODY, "192.0.2.1") for _ in range(100)] == [True] * 100
    assert world.figures.puts_turned_away == 100
    assert not is_turned_away(many, NOBODY, "192.0.2.2")
    assert not is_turned_away(many, ANNA, "192.0.2.1")
    world.clock.advance(0.5)
    assert not is_turned_away(many, NOBODY, "192.0.2.1")


def test_puts_beyond_the_budget_are_mistakes(many: Writers, world: World) -> None:
    """Each of them is a line in the audit."""
    begun = 0
    while not is_turned_away(many, NOBODY, "192.0.2.1"):
        code_of(many, NOBODY, "192.0.2.1")
        begun += 1
    assert begun == 3 + 2 * ERROR_BURST_SECONDS + 1
    assert [entry.outcome for entry in world.audit.entries] == ["rate_limited"] * (begun - 3)


def test_the_table_is_bounded(many: Writers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "WRITERS", 2)
    first = many.of(NOBODY, "192.0.2.1")
    for n in (2, 3):
        many.of(NOBODY, f"192.0.2.{n}")
    assert many.of(NOBODY, "192.0.2.1") is not first
