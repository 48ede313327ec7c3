"""EPICS databases and access rules for the C IOC of the tests."""

from collections.abc import Iterable
from pathlib import Path

DIRECTORY = Path(__file__).parent
LARGE_COUNT = 100_000


def types_database() -> str:
    """The text of types.db; its record $(P)large is empty until `fill("$(P)large", large_values())` is executed."""
    return (DIRECTORY / "types.db").read_text("ascii")


def large_values() -> list[float]:
    """What $(P)large holds: LARGE_COUNT doubles 0, 0.5, 1, ..."""
    return [0.5 * index for index in range(LARGE_COUNT)]


def fill(name: str, values: Iterable[float]) -> str:
    """The iocsh command that writes an array; a JSON constant in a database file holds some 200 elements at most."""
    return f"dbpf {name} '[{','.join(map(repr, values))}]'"


def counters(count: int, scan: str = ".1 second") -> str:
    """`count` records $(P)count0, $(P)count1, ... that count up at the rate of the menu choice `scan`.

    They stand still while $(P)run is 0.
    """
    fields = f'field(PINI, "YES") field(SCAN, "{scan}") field(INPA, "$(P)run") field(CALC, "VAL+A")'
    run = 'record(longout, "$(P)run") { field(VAL, "1") field(UDF, "0") }\n'
    return run + "".join(f'record(calc, "$(P)count{index}") {{ {fields} }}\n' for index in range(count))
