"""A healthy IOC beside each fault, and places where faults happen."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import counters
from tests.iocs import CIOC
from tests.servers import Server
from tests.system.faults.watch import Neighbour, held, wait_until_held

DISK_MEGABYTES = 2


@pytest.fixture(scope="package")
def counting() -> Iterator[CIOC]:
    """The IOC that nothing happens to: five records that count up at 10 Hz."""
    with CIOC(counters(5)) as ioc:
        yield ioc


@pytest.fixture
def undisturbed(server: Server, counting: CIOC) -> Iterator[Neighbour]:
    """A session on that IOC misses nothing during the test, and the server keeps nothing of it."""
    before = held(server)
    with Neighbour(server, f"{counting.prefix}count0") as neighbour:
        yield neighbour
    wait_until_held(server, before)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes, to be filled."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
