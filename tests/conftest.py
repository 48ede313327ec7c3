"""One C IOC with records of every type, and one server in front of it, for all tests that need no more."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.fakes import Peer, World
from tests.iocs import CIOC, types_ioc
from tests.servers import WRITABLE, Server

OFFERED = ("ai", "mbbi", "nowhere")
OFFERED_ONLY = {"connected": 2, "searching": 0, "disconnected": 1}
"""The channels by state when nobody asks for any but those."""
LISTED_HOST = "epics.example.org"
LISTED_ORIGIN = "https://panel.example.org"


def pytest_configure() -> None:
    """Shells have what they start in the background ignore SIGINT, and with it all that the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.load_profile("ci")  # hypothesis' own: the same examples every time, and no deadline


@pytest.fixture
def world() -> World:
    """What a test that needs no process begins with."""
    return World()


@pytest.fixture
def peer(world: World) -> Peer:
    return world.peer()


@pytest.fixture(scope="session")
def types() -> Iterator[CIOC]:
    """Records of every type (databases/types.db)."""
    with types_ioc() as ioc:
        yield ioc


@pytest.fixture(scope="session")
def server(types: CIOC) -> Iterator[Server]:
    """Searches and lingers shortly, lists a host and an origin, offers three PVs, of which one does not exist."""
    settings = {
        "limits-linger-seconds": 0.1,
        "limits-search-seconds": 0.5,
        "pvs-names": ",".join(types.prefix + name for name in OFFERED),
        "allowed-hosts": LISTED_HOST,
        "allowed-origins": LISTED_ORIGIN,
        **WRITABLE,
    }
    with Server(types.env(), settings) as server:
        yield server
