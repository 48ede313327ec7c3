"""Writers: who puts over HTTP. A program is bounded by its user or address, as a session is by itself."""

from collections import OrderedDict
from typing import Final

from pycaserver.core.budget import Budget
from pycaserver.core.identity import Identity
from pycaserver.core.messages import Put
from pycaserver.core.puts import Answer, Puts
from pycaserver.core.services import Services
from pycaserver.web.proxies import network_of

WRITERS: Final = 10_000


class Writer:
    """One user, or the anonymous ones of one address."""

    def __init__(self, services: Services) -> None:
        rate = services.limits.requests_per_second
        self._budget = Budget(services.clock, rate, rate)
        self._puts = Puts(services)

    def begin(self, request: Put, identity: Identity, answer: Answer) -> None:
        """Carry the put out, or refuse it as rate_limited; answer is called exactly once."""
        self._puts.begin(request, identity, answer, over_budget=self._budget.spend() > 0)


class Writers:
    """All of them, the least recent one going when there are too many."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._writers: OrderedDict[tuple[str, str], Writer] = OrderedDict()

    def of(self, identity: Identity, address: str) -> Writer:
        """The one of that user, or of that address."""
        key = ("user", identity.user) if identity.user else ("address", network_of(address))
        writer = self._writers.pop(key, None) or Writer(self._services)
        self._writers[key] = writer
        if len(self._writers) > WRITERS:
            self._writers.popitem(last=False)
        return writer
