"""Complaints: what libca has to say becomes events of the log; by itself it writes to standard error, as it likes."""

import logging
from ctypes import CFUNCTYPE, c_char_p, c_void_p
from functools import cache

from epics import ca

log = logging.getLogger(__name__)


def _log(_: int | None, text: bytes | None) -> None:
    """On a thread of libca."""
    for line in (text or b"").decode("utf-8", "replace").splitlines():
        if line.strip():
            log.warning("Channel Access: %s", line.strip())


_listener = CFUNCTYPE(None, c_void_p, c_char_p)(_log)


@cache
def hear() -> None:
    """From now on, once libca is loaded; nothing changes with a libca that has no such listeners."""
    try:
        add, console = ca.libca.errlogAddListener, ca.libca.eltc
    except AttributeError:
        return
    add(_listener, None)
    console(0)
