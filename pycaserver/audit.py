"""The audit on disk, as JSON lines, or in the log. A put that could not be recorded is not let through."""

import errno
import logging
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Final

from pycaserver.core.audit import AuditEntry, line
from pycaserver.core.errors import PycaError
from pycaserver.core.figures import Figures

log = logging.getLogger(__name__)

MIN_FREE_BYTES: Final = 1 << 20
"""With less on the disk no put is let through: those in flight still have to be recorded."""
MAX_WAITING: Final = 1000
"""Lines kept while the file cannot be written."""
_MODE: Final = 0o640
_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK


class AuditTrail:
    """The audit of the settings: audit.file, or the log."""

    def __init__(self, path: str, figures: Figures, is_log_unread: Callable[[], bool] = lambda: False) -> None:
        """A file that cannot be written is no error here: puts are refused until it can."""
        self._figures = figures
        self._is_log_unread = is_log_unread
        self.path = path
        self._file = LineFile(Path(path)) if path else None
        if self._file and (why := self._file.trouble()):
            log.error("audit.file %s: %s; puts are refused until it can be written", path, why)

    def ready(self) -> None:
        """PycaError(write_disabled) if a line could not be written now. It is tried anew each time."""
        why = self._file.trouble() if self._file else "nobody reads the log" if self._is_log_unread() else ""
        if why:
            raise PycaError("write_disabled", f"Puts cannot be recorded, so there are none: {why}.")

    def record(self, entry: AuditEntry) -> None:
        """Write the entry; what the file does not take goes to the log, and to the file later."""
        text = line(entry)
        if self._file is None:
            log.info("%s", text.decode())
        elif why := self._file.append(text):
            self._figures.audit_failures += 1
            log.error("not yet in %s (%s): %s", self._file.path, why, text.decode())

    def catch_up(self) -> None:
        """Write what waits, if the file can be written again."""
        if self._file and self._file.waiting:
            self._file.trouble()

    def replace(self, path: str) -> None:
        """Go on in that file, opened anew, or in the log if it is ""."""
        self.path = path
        old, self._file = self._file, LineFile(Path(path)) if path else None
        if old:
            if old.trouble() and self._file:
                self._file.waiting = old.waiting
            old.close()


def check_file(path: str) -> None:
    """OSError if no line could be written to that audit.file now."""
    if path:
        file = LineFile(Path(path))
        why = file.trouble()
        file.close()
        if why:
            raise OSError(f"audit.file {path}: {why}")


class LineFile:
    """A file to which lines are appended. Another file at its path, after a rotation, is noticed and continued in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.waiting: deque[bytes] = deque()
        """Lines that could not be written yet; at most MAX_WAITING, further ones are in the log only."""
        self._descriptor = -1
        self._is_torn = False
        """The last line was written in part."""

    def trouble(self) -> str:
        """Why no line could be written now; "" if one could."""
        try:
            self._open()
            space = os.fstatvfs(self._descriptor)
            if space.f_bavail * space.f_frsize < MIN_FREE_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._write_waiting()
        except OSError as error:
            return error.strerror or "it cannot be written"
        return ""

    def append(self, text: bytes) -> str:
        """Write the line, after those that wait; why it must wait, or "" if it is written."""
        if len(self.waiting) >= MAX_WAITING and self.trouble():
            return "too many lines wait"
        self.waiting.append(text)
        try:
            self._open()
            self._write_waiting()
        except OSError as error:
            return error.strerror or "it cannot be written"
        return ""

    def close(self) -> None:
        """Give the file back; the next line opens it again."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> None:
        if self._descriptor >= 0 and not self._was_moved():
            return
        self.close()
        self._descriptor = os.open(self.path, _FLAGS, _MODE)
        opened = os.fstat(self._descriptor)
        if not S_ISREG(opened.st_mode):
            self.close()
            raise OSError(errno.EINVAL, "it is no regular file")
        self._is_torn = opened.st_size > 0 and os.pread(self._descriptor, 1, opened.st_size - 1) != b"\n"

    def _was_moved(self) -> bool:
        try:
            there, ours = os.stat(self.path), os.fstat(self._descriptor)
        except FileNotFoundError:
            return True
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def _write_waiting(self) -> None:
        while self.waiting:
            self._write(self.waiting[0])
            self.waiting.popleft()

    def _write(self, text: bytes) -> None:
        data = (b"\n" if self._is_torn else b"") + text + b"\n"
        written = os.write(self._descriptor, data)
        if written < len(data):  # the disk filled up: the line comes again, whole, on a line of its own
            self._is_torn = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._is_torn = False
