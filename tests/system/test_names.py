"""No spelling of a name leads past an access rule: a C IOC is asked what it takes for which record."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pycaserver.core.names import split_pv_name
from tests.iocs import CIOC
from tests.servers import Server

DATABASE = """
record(ao, "$(P)a") { field(VAL, "1") field(DESC, "text") field(PINI, "YES") }
record(waveform, "$(P)w") { field(FTVL, "DOUBLE") field(NELM, "4") }
"""
ONE = (
    "a", "a.", "a.VAL", 'a.{"dbnd":{"abs":1}}', "a.{dbnd:{abs:1}}", 'a.VAL{"dbnd":{"abs":1}}', 'a.{"ts":{}}', "a.DESC",
    "a.DESC$", 'a.DESC${"ts":{}}', "a.PROC", "a.RTYP", "w.[0:2]", "w.VAL[0:2]", 'w.[0:2]{"ts":{}}',
)  # fmt: skip
"""What a C IOC takes for those records."""
OTHER = (
    "a$", 'a{"dbnd":{"abs":1}}', "a{dbnd:{abs:1}}", "a.val", "a..VAL", "a.VAL.DESC", "a.VAL {}", "a.VAL{}x", "a .VAL",
    "A", "w[0:2]", "w$", "w.[0:2]x", "a.VAL\\", "a/.VAL", "a,VAL", "./a", "a%2eVAL",
)  # fmt: skip
"""What it takes for a record that it does not have, or for nothing."""


@pytest.fixture(scope="module")
def ioc() -> Iterator[CIOC]:
    with CIOC(DATABASE) as ioc:
        yield ioc


def ask(ioc: CIOC, file: Path, spellings: tuple[str, ...], scheme: str = "") -> dict[str, str]:
    """What a server with that settings file answers to a read of each: "get", or an error code."""
    with Server(ioc.env(), {"config": file, "limits-search-seconds": 1}) as server, server.client() as client:
        for spelling in spellings:
            client.send(action="get", pv=scheme + ioc.prefix + spelling, id=spelling)
        answers = [client.wait() for _ in spellings]
    return {answer["id"]: answer.get("code", answer["msg_type"]) for answer in answers}


def test_what_the_ioc_takes_for_a_record_the_rules_do_too(ioc: CIOC, tmp_path: Path) -> None:
    file = tmp_path / "pycaserver.toml"
    file.write_text("")
    assert ask(ioc, file, ONE) == dict.fromkeys(ONE, "get")
    assert {split_pv_name(spelling)[0] for spelling in ONE} == {"a", "w"}
    assert ask(ioc, file, ONE, "ca://") == dict.fromkeys(ONE, "get")
    assert set(ask(ioc, file, OTHER).values()) == {"not_found"}


def test_no_spelling_leads_past_a_rule(ioc: CIOC, tmp_path: Path) -> None:
    file = tmp_path / "pycaserver.toml"
    file.write_text("".join(f'[[access.rule]]\npv = "{ioc.prefix}{record}"\nallow = "none"\n' for record in "aw"))
    assert ask(ioc, file, ONE) == dict.fromkeys(ONE, "read_denied")
    assert ask(ioc, file, ONE, "ca://") == dict.fromkeys(ONE, "read_denied")
    assert "get" not in ask(ioc, file, OTHER).values()
    assert "get" not in ask(ioc, file, OTHER, "ca://").values()
