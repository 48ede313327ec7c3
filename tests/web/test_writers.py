"""Who puts over HTTP is bounded like a session, by user or address."""

from typing import Any

import pytest

from pycaserver.core.identity import Identity
from pycaserver.core.messages import Put
from pycaserver.core.services import Services
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


@pytest.fixture
def many() -> Writers:
    world = World()
    limits = FakeLimits(requests_per_second=3)
    return Writers(Services(world.pool, world.clock, world.figures, limits, world.access, world.audit))


def test_too_many_at_once_are_refused_by_address(many: Writers) -> None:
    codes = [code_of(many, NOBODY, "192.0.2.1") for _ in range(5)]
    assert codes[:3].count("rate_limited") == 0
    assert codes[3:] == ["rate_limited"] * 2
    assert code_of(many, NOBODY, "192.0.2.2") != "rate_limited"
    assert code_of(many, ANNA, "192.0.2.1") != "rate_limited"


def test_a_user_is_one_writer_from_everywhere(many: Writers) -> None:
    codes = [code_of(many, ANNA, f"192.0.2.{n}") for n in range(4)]
    assert codes[3] == "rate_limited"


def test_the_table_is_bounded(many: Writers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "WRITERS", 2)
    first = many.of(NOBODY, "192.0.2.1")
    for n in (2, 3):
        many.of(NOBODY, f"192.0.2.{n}")
    assert many.of(NOBODY, "192.0.2.1") is not first
