"""logs.py: one event, one line."""

import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pycaserver.audit import AuditTrail
from pycaserver.core.audit import AuditEntry
from pycaserver.core.figures import Figures
from pycaserver.core.identity import Identity
from pycaserver.logs import FORMATTERS, MOST_LINES, PatientHandler, catch_up, finish, is_unread, set_up
from pycaserver.settings import Log
from tests.disks import largest_file

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
    logging.getLogger("pycaserver.audit").setLevel(logging.NOTSET)


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
def test_events_of_the_level_and_above_go_to_standard_error(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    set_up("warning", form)
    logging.getLogger("pycaserver.part").info("quiet")
    logging.getLogger("pycaserver.part").warning("loud")
    logging.getLogger("tornado.access").error("of a library")
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "loud" in lines[0]
    assert "of a library" in lines[1]


@pytest.mark.usefixtures("logging_restored")
def test_a_malformed_request_is_not_quoted(capfd: pytest.CaptureFixture[str]) -> None:
    """Tornado's own line, which has the header that was wrong."""
    set_up("debug", "text")
    log = logging.getLogger("tornado.general")
    log.info("Malformed HTTP message from %s: %s", "192.0.2.7", "Invalid header value 'Bearer s3cret\x01'")
    log.info("something else: %s", "told")
    first, second = capfd.readouterr().err.splitlines()
    assert "192.0.2.7" in first and "s3cret" not in first
    assert second.endswith("something else: told")


@pytest.mark.usefixtures("logging_restored")
def test_warnings_become_events(capfd: pytest.CaptureFixture[str]) -> None:
    set_up("info", "json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("odd", stacklevel=1)
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["logger"] == "py.warnings"


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.usefixtures("logging_restored")
def test_what_the_settings_allow_can_be_set_up(level: str, form: str) -> None:
    Log(level=level, format=form)
    set_up(level, form)
    assert logging.getLogger().level == getattr(logging, level.upper())


class Pipe:
    """A handler that writes into a pipe."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.handler = PatientHandler(self.writer)
        self.handler.setFormatter(logging.Formatter("%(message)s"))
        os.set_blocking(self.reader, False)

    def log(self, message: str) -> None:
        self.handler.handle(record(message))

    def read(self) -> str:
        """All that is in the pipe now."""
        pieces = []
        while True:
            try:
                pieces.append(os.read(self.reader, 1 << 20))
            except BlockingIOError:
                return b"".join(pieces).decode()

    def read_all(self) -> list[str]:
        """All lines, those too that wait."""
        pieces = [self.read()]
        while pieces[-1]:
            self.handler.catch_up()
            pieces.append(self.read())
        return "".join(pieces).splitlines()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    for end in (pipe.reader, pipe.writer):
        with suppress(OSError):
            os.close(end)


def test_a_line_is_written_at_once(pipe: Pipe) -> None:
    pipe.log("one")
    assert pipe.read() == "one\n"


def test_lines_that_nobody_reads_wait_in_order(pipe: Pipe) -> None:
    lines = [f"{number} {'x' * 300}" for number in range(1000)]
    for line in lines:
        pipe.log(line)
    assert pipe.read_all() == lines
    assert pipe.handler.lost == 0


def test_a_long_line_comes_whole(pipe: Pipe) -> None:
    pipe.log("x" * 300_000)
    pipe.log("y")
    assert pipe.read_all() == ["x" * 300_000, "y"]


def test_what_is_too_much_is_counted_and_told(pipe: Pipe) -> None:
    line = "x" * 99
    for _ in range(MOST_LINES + 5000):
        pipe.log(line)
    lost = pipe.handler.lost
    assert 0 < lost < 5000
    *lines, last = pipe.read_all()
    assert lines == [line] * (MOST_LINES + 5000 - lost)
    assert last == f"{lost} lines were lost here: nobody read the log"
    pipe.log("further")
    assert pipe.read_all() == ["further"]


def test_the_end_waits_a_moment_for_who_reads(pipe: Pipe) -> None:
    for _ in range(1000):
        pipe.log("x" * 300)
    found: list[int] = []
    os.set_blocking(pipe.reader, True)
    reader = threading.Thread(target=lambda: found.extend(len(os.read(pipe.reader, 301)) for _ in range(1000)))
    reader.start()
    pipe.handler.flush()
    reader.join()
    assert found == [301] * 1000


def test_a_reader_that_is_gone_is_no_failure_and_known(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is logged waits as if somebody might read it yet."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [pipe.handler])
    pipe.log("one")
    assert not is_unread()
    os.close(pipe.reader)
    for _ in range(MOST_LINES + 3):
        pipe.log("two")
    assert pipe.handler.lost == 3
    assert is_unread()
    pipe.handler.flush()


def test_lines_for_which_the_disk_has_no_room_are_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "log"
    handler = PatientHandler(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    handler.setFormatter(logging.Formatter("%(message)s"))
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    with largest_file(30):
        for number in range(10):
            handler.handle(record(f"line {number}"))
        assert is_unread() and handler.waiting > 0
    catch_up()
    assert not is_unread()
    assert file.read_text().splitlines() == [f"line {number}" for number in range(10)]
    assert handler.lost == 0


@pytest.mark.parametrize("level", ["warning", "error"])
@pytest.mark.usefixtures("logging_restored")
def test_puts_are_on_record_whatever_the_level(level: str, capfd: pytest.CaptureFixture[str]) -> None:
    set_up(level, "text")
    AuditTrail("", Figures()).record(
        AuditEntry(1, NOON, Identity("anna"), "SIM:A", 2, "allowed", "access.rule 1", "ok")
    )
    assert '"put":1,' in capfd.readouterr().err


@pytest.mark.usefixtures("logging_restored")
def test_what_waits_is_written_at_the_end(pipe: Pipe) -> None:
    logging.basicConfig(handlers=[pipe.handler], force=True)
    for _ in range(1000):
        pipe.log("x" * 99)
    os.set_blocking(pipe.reader, True)
    found: list[int] = []
    reader = threading.Thread(target=lambda: found.extend(len(os.read(pipe.reader, 100)) for _ in range(1000)))
    reader.start()
    finish()
    reader.join()
    assert found == [100] * 1000


def test_a_log_that_nobody_reads_is_known(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [pipe.handler, logging.NullHandler()])
    for _ in range(MOST_LINES + 2000):
        pipe.log("x" * 99)
    assert is_unread() and catch_up() == pipe.handler.lost > 0
    pipe.read_all()
    assert not is_unread()


def test_a_record_that_cannot_be_formatted_harms_nobody(pipe: Pipe) -> None:
    pipe.handler.handle(record("%d", "no number"))
    pipe.log("further")
    told, *trace, further = pipe.read().splitlines()
    assert told == "a line of pycaserver.part could not be formatted: '%d'"
    assert trace and further == "further"
