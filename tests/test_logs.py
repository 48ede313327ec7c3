"""logs.py: one event, one line."""

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pycaserver.logs import FORMATTERS, set_up
from pycaserver.settings import Log

NOON = 1_700_000_000.25


def record(message: str, *args: object, level: int = logging.INFO, exc_info: Any = None) -> logging.LogRecord:
    made = logging.LogRecord("pycaserver.part", level, "part.py", 1, message, args, exc_info)
    made.created = NOON
    return made


def failure() -> Any:
    try:
        raise ValueError("first line\nsecond line")
    except ValueError:
        return sys.exc_info()


def formatted(form: str, made: logging.LogRecord) -> str:
    return FORMATTERS[form]().format(made)


@pytest.fixture
def logging_restored() -> Iterator[None]:
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level


def test_text() -> None:
    line = formatted("text", record("%d sessions", 3, level=logging.WARNING))
    assert line == "2023-11-14T22:13:20.250+00:00 WARNING pycaserver.part: 3 sessions"


def test_json() -> None:
    event = json.loads(formatted("json", record("%d sessions", 3, level=logging.WARNING)))
    assert event.pop("time") == "2023-11-14T22:13:20.250+00:00"
    assert event == {"level": "warning", "logger": "pycaserver.part", "message": "3 sessions"}


@pytest.mark.parametrize("form", FORMATTERS)
def test_a_trace_is_part_of_its_event(form: str) -> None:
    line = formatted(form, record("it failed", exc_info=failure()))
    assert "\n" not in line
    for part in ("it failed", "Traceback", "ValueError: first line", "second line", "test_logs.py"):
        assert part in line


@settings(derandomize=True)
@given(st.text(st.characters(codec="utf-8")))
@example("harmless\rforged")
def test_a_message_cannot_begin_another_line(message: str) -> None:
    json_line = formatted("json", record("%s", message))
    assert json.loads(json_line)["message"] == message
    for line in (json_line, formatted("text", record("%s", message))):
        assert not {"\n", "\r"} & set(line)


@pytest.mark.parametrize("form", FORMATTERS)
@pytest.mark.usefixtures("logging_restored")
def test_events_of_the_level_and_above_go_to_standard_error(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up("warning", form)
    logging.getLogger("pycaserver.part").info("quiet")
    logging.getLogger("pycaserver.part").warning("loud")
    logging.getLogger("tornado.access").error("of a library")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert "loud" in lines[0]
    assert "of a library" in lines[1]


@pytest.mark.usefixtures("logging_restored")
def test_a_malformed_request_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tornado's own line, which has the header that was wrong."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up("debug", "text")
    log = logging.getLogger("tornado.general")
    log.info("Malformed HTTP message from %s: %s", "192.0.2.7", "Invalid header value 'Bearer s3cret\x01'")
    log.info("something else: %s", "told")
    first, second = stream.getvalue().splitlines()
    assert "192.0.2.7" in first and "s3cret" not in first
    assert second.endswith("something else: told")


@pytest.mark.usefixtures("logging_restored")
def test_warnings_become_events(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up("info", "json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("odd", stacklevel=1)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["logger"] == "py.warnings"


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.usefixtures("logging_restored")
def test_what_the_settings_allow_can_be_set_up(level: str, form: str) -> None:
    Log(level=level, format=form)
    set_up(level, form)
    assert logging.getLogger().level == getattr(logging, level.upper())
