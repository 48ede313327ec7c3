"""The machine's network interfaces, which all tests share: browsers drop connections when one comes or goes."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = Path(tempfile.gettempdir()) / f"pycaserver-tests-{os.getuid()}.network"


@contextmanager
def interfaces_stay() -> Iterator[None]:
    """No test changes them meanwhile; for many at a time."""
    with _locked(fcntl.LOCK_SH):
        yield


@contextmanager
def interfaces_change() -> Iterator[None]:
    """No test relies on them meanwhile."""
    with _locked(fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(how: int) -> Iterator[None]:
    with _LOCK.open("w") as file:
        fcntl.flock(file, how)
        yield
