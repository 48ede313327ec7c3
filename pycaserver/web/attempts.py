"""Attempts: failed log-ins by address. Each costs those that follow a longer wait."""

import math
from collections import OrderedDict
from typing import Final

from msgspec import Struct

from pycaserver.core.clock import Clock
from pycaserver.core.errors import PycaError
from pycaserver.web.proxies import network_of

FREE: Final = 5
"""Failures that cost nothing: people mistype."""
LONGEST_WAIT: Final = 60.0
FORGIVEN_AFTER: Final = 600.0
"""Seconds without a failure after which an address begins anew."""
ADDRESSES: Final = 10_000
KNOWN: Final = 10_000


class _Failures(Struct):
    number: int
    last: float
    wait: float


class Attempts:
    """Who fails waits: one second, then twice as long each time, up to LONGEST_WAIT.

    What has been right from an address is let through at once, so that a program with an old token does not shut out
    the others of its machine. Both tables are bounded; the oldest entry goes.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def check(self, address: str, digest: str) -> None:
        """PycaError(rate_limited) if the address has to wait; digest: the hash of what it presents."""
        failures = self._failures.get(network_of(address))
        if failures is None or (address, digest) in self._known:
            return
        left = failures.last + failures.wait - self._clock.monotonic()
        if left > 0:
            why = f"Too many failed log-ins from this address; the next one counts in {math.ceil(left)} s."
            raise PycaError("rate_limited", why)

    def failed(self, address: str, digest: str) -> None:
        """Count it."""
        network, now = network_of(address), self._clock.monotonic()
        self._known.pop((address, digest), None)
        failures = self._failures.pop(network, None)
        if failures is None or now - failures.last > FORGIVEN_AFTER:
            failures = _Failures(0, now, 0.0)
        number = failures.number + 1
        wait = 0.0 if number <= FREE else min(LONGEST_WAIT, 2.0 ** min(number - FREE - 1, 16))
        self._failures[network] = _Failures(number, now, wait)
        _bound(self._failures, ADDRESSES)

    def succeeded(self, address: str, digest: str) -> None:
        """Remember it."""
        self._known.pop((address, digest), None)
        self._known[address, digest] = None
        _bound(self._known, KNOWN)


def _bound(table: "OrderedDict[str, _Failures] | OrderedDict[tuple[str, str], None]", most: int) -> None:
    while len(table) > most:
        table.popitem(last=False)
