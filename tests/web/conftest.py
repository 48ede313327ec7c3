"""A server without patience, for what happens to peers that ask for too much or give too little."""

from collections.abc import Iterator

import pytest

from tests.iocs import CIOC
from tests.servers import Server

REQUESTS_PER_SECOND = 20


@pytest.fixture(scope="package")
def impatient(types: CIOC) -> Iterator[Server]:
    """All its time limits are a second, and it reads few requests at once."""
    settings = {
        "limits-linger-seconds": 0.1,
        "limits-search-seconds": 0.5,
        "limits-slow-after-seconds": 1,
        "limits-ping-seconds": 1,
        "limits-header-seconds": 1,
        "limits-requests-per-second": REQUESTS_PER_SECOND,
    }
    with Server(types.env(), settings) as server:
        yield server
