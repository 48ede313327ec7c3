"""Logs: one line per event to standard error, as text or as JSON. Nobody ever waits for who reads them."""

import logging
import os
import select
import sys
import time
from collections import deque
from datetime import UTC, datetime
from typing import Final

import msgspec

MOST_LINES: Final = 10_000
"""That wait while nobody reads the log."""
LAST_SECONDS: Final = 0.5
"""For which the end of the process waits for who reads it."""
_STANDARD_ERROR: Final = 2


class TextFormatter(logging.Formatter):
    """TIME LEVEL LOGGER: message, with line breaks of a trace escaped, so that an event stays one line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = f"{_time(record)} {record.levelname} {record.name}: {_message(self, record)}"
        return line.replace("\n", "\\n").replace("\r", "\\r")


class JsonFormatter(logging.Formatter):
    """The same as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        event = {"time": _time(record), "level": record.levelname.lower(), "logger": record.name}
        return msgspec.json.encode({**event, "message": _message(self, record)}).decode()


FORMATTERS = {"text": TextFormatter, "json": JsonFormatter}


class Handshakes(logging.Filter):
    """Drops what Tornado warns of each failed TLS handshake: any port scan could fill the log with it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        return not str(record.msg).startswith("SSL Error on")


class Malformed(logging.Filter):
    """Keeps what a malformed request held out of the log: Tornado would quote the header, and it may be a token."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True; the reason is left out."""
        if str(record.msg).startswith("Malformed HTTP message") and isinstance(record.args, tuple):
            record.args = (record.args[0], "not told")
        return True


class PatientHandler(logging.Handler):
    """Writes lines to a file descriptor that may be a pipe which nobody reads, or a file on a full disk.

    Then they wait, and the newest are lost. A pipe that is ready takes PIPE_BUF bytes without blocking.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.lost = 0
        """Lines that could not be written, as too many waited."""
        self.broken = False
        """Whether the last attempt to write has failed: the reader is gone, or the disk is full."""
        self._descriptor = descriptor
        self._readiness = select.poll()
        self._readiness.register(descriptor, select.POLLOUT)
        self._waiting: deque[bytes] = deque()
        self._untold = 0

    @property
    def waiting(self) -> int:
        """How many lines wait."""
        return len(self._waiting)

    def emit(self, record: logging.LogRecord) -> None:
        """One more line."""
        try:
            line = _line(self.format(record))
        except Exception:  # whoever logs is not to fail for it
            line = self._own(
                logging.ERROR, "a line of %s could not be formatted: %r", record.name, record.msg, trace=True
            )
        if len(self._waiting) < MOST_LINES:
            self._waiting.append(line)
        else:
            self.lost += 1
            self._untold += 1
        self.catch_up()

    def catch_up(self, seconds: float = 0.0) -> None:
        """Write what waits, as far as the reader takes it within so many seconds."""
        with self.lock:  # type: ignore[union-attr]
            until = time.monotonic() + seconds
            while self._waiting and self._readiness.poll(max(0.0, 1000 * (until - time.monotonic()))):
                self._write()
                if self.broken:
                    return

    def flush(self) -> None:
        """The process ends."""
        self.catch_up(LAST_SECONDS)

    def _write(self) -> None:
        line = self._waiting[0]
        try:
            written = os.write(self._descriptor, line[: select.PIPE_BUF])
        except OSError:
            self.broken = True
            return
        self.broken = False
        self._waiting.popleft()
        if written < len(line):
            self._waiting.appendleft(line[written:])
        elif self._untold and not self._waiting:
            self._waiting.append(
                self._own(logging.WARNING, "%d lines were lost here: nobody read the log", self._untold)
            )
            self._untold = 0

    def _own(self, level: int, message: str, *args: object, trace: bool = False) -> bytes:
        """A line about the log itself."""
        record = logging.LogRecord(__name__, level, "", 0, message, args, sys.exc_info() if trace else None)
        return _line(self.format(record))


def set_up(level: str, form: str) -> None:
    """Send all logs of the process to standard error in that form ("text" or "json")."""
    handler = PatientHandler(_STANDARD_ERROR)
    handler.setFormatter(FORMATTERS[form]())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("pycaserver.audit").setLevel(min(logging.INFO, logging.getLogger().level))  # puts are on record
    logging.getLogger("tornado.general").addFilter(Handshakes())
    logging.getLogger("tornado.general").addFilter(Malformed())


def catch_up() -> int:
    """Write what waits, as far as it is read now; how many lines have been lost since the start."""
    handlers = _patient_handlers()
    for handler in handlers:
        handler.catch_up()
    return sum(handler.lost for handler in handlers)


def is_unread() -> bool:
    """Whether lines cannot be written, or so many wait that further ones may soon be lost."""
    return any(handler.broken or handler.waiting > MOST_LINES // 2 for handler in _patient_handlers())


def finish() -> None:
    """The process ends: what waits is written, if that can be done soon."""
    for handler in _patient_handlers():
        handler.flush()


def _patient_handlers() -> list[PatientHandler]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, PatientHandler)]


def _line(text: str) -> bytes:
    return f"{text}\n".encode(errors="backslashreplace")


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _message(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    text = record.getMessage()
    return f"{text}\n{formatter.formatException(record.exc_info)}" if record.exc_info else text
