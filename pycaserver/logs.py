"""Logs: one line per event to standard error, as text or as JSON."""

import logging
from datetime import UTC, datetime

import msgspec


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


def set_up(level: str, form: str) -> None:
    """Send all logs of the process to standard error in that form ("text" or "json")."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATTERS[form]())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("tornado.general").addFilter(Handshakes())
    logging.getLogger("tornado.general").addFilter(Malformed())


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _message(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    text = record.getMessage()
    return f"{text}\n{formatter.formatException(record.exc_info)}" if record.exc_info else text
