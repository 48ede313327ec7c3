"""The reference page of the client has all that its type declarations have, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_docs import first_column, section

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/javascript-client.md"
DECLARATIONS = (ROOT / "static/pycaserver.d.ts").read_text()

CODES = re.compile(r'new PVError\(\s*"(\w+)"|(?:fail|Fail)\([^"\n]*"(\w+)",')


def members(name: str) -> list[str]:
    """Those of an interface or class, each once."""
    block = re.search(
        rf"^export (?:interface|class) {name}\b[^{{]*\{{(.*?)^\}}", DECLARATIONS, re.MULTILINE | re.DOTALL
    )
    assert block, name
    return list(dict.fromkeys(re.findall(r"^  (?:readonly )?(\w+)\??[:(]", block[1], re.MULTILINE)))


def codes() -> Iterator[str]:
    """Those that the client's modules make themselves."""
    for path in (ROOT / "static/client").glob("*.js"):
        for found in CODES.findall(path.read_text()):
            yield from filter(None, found)


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("## `new PVClient(url, options)`", members("ClientOptions")),
        ("### Update", [*members("Update"), "live", "connected", "disconnected", "searching", "stale", "error"]),
        ("## Errors", ["disconnected", "timeout", "bad_frame"]),
    ],
)
def test_tables(heading: str, names: list[str]) -> None:
    assert sorted(name.strip('"') for name in first_column(section(PAGE, heading))) == sorted(names)


def test_options_of_monitor() -> None:
    table = section(PAGE, "## Watching").split("### Update")[0]
    assert sorted(first_column(table)) == sorted(members("MonitorOptions"))


def test_every_method_is_told() -> None:
    inherited = {"addEventListener", "removeEventListener", "constructor"}
    page = PAGE.read_text()
    assert [name for name in members("PVClient") if name not in inherited and not re.search(rf"`{name}\b", page)] == []


def test_every_code_of_our_own_is_told() -> None:
    table = {*first_column(section(PAGE, "## Errors")), "rate_limited"}
    assert set(codes()) == table
