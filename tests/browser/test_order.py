"""Which rows the page's table has, and in which order."""

from typing import Any

import pytest

from tests.browser.live_page import LivePage
from tests.browser.test_modules import blank, call

__all__ = ["blank"]

READINGS: list[tuple[str, int, Any]] = [  # name, rank, value; None: not live
    ("P10", 0, 3),
    ("P9", 2, 20.5),
    ("P1", 4, None),
    ("Q", 1, "text"),
    ("R", 0, 3),
]
LIVE = {"timestamp": 1, "severity": "NO_ALARM", "status": "NO_ALARM", "condition": "live", "text": None}


def reading(index: int, name: str, rank: int, value: Any) -> dict[str, Any]:
    """As readings.js keeps it; the time is that of `index`, the alarm of P9 is HIHI."""
    alarm = {"severity": "MAJOR", "status": "HIHI"} if rank == 2 else {}
    update = None if value is None else LIVE | alarm | {"value": value, "timestamp": 100 - index}
    return {"name": name, "index": index, "rank": rank, "update": update}


def order(live: LivePage, filter: str = "", trouble: bool = False, by: str = "added", down: bool = False) -> str:
    given = [reading(index, *row) for index, row in enumerate(READINGS)]
    layout = {"filter": filter, "trouble": trouble, "sort": {"by": by, "down": down}}
    return " ".join(call(live, "js/order", "m.order(x[0], x[1])", [given, layout]))


@pytest.mark.parametrize(
    ("by", "down", "names"),
    [
        ("added", False, "P10 P9 P1 Q R"),
        ("added", True, "R Q P1 P9 P10"),
        ("name", False, "P1 P9 P10 Q R"),
        ("name", True, "R Q P10 P9 P1"),
        ("value", False, "P10 R P9 Q P1"),
        ("value", True, "P9 P10 R Q P1"),
        ("state", True, "P1 P9 Q P10 R"),
        ("time", False, "P1 R Q P9 P10"),
    ],
)
def test_sorting(blank: LivePage, by: str, down: bool, names: str) -> None:
    assert order(blank, by=by, down=down) == names


@pytest.mark.parametrize(
    ("words", "names"),
    [("p1", "P10 P1"), ("hihi", "P9"), ("p major", "P9"), ("searching", "P1"), ("  ", "P10 P9 P1 Q R"), ("alarm", "")],
)
def test_filtering(blank: LivePage, words: str, names: str) -> None:
    assert order(blank, filter=words) == names


def test_only_what_is_in_alarm_or_not_live(blank: LivePage) -> None:
    assert order(blank, trouble=True) == "P9 P1 Q"
