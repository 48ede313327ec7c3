"""Writers: who puts over HTTP. A program is bounded by its user or address, as a session is by itself."""

from collections import OrderedDict
from typing import Final

from pycaserver.core.budget import Budget
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import PutAnswer
from pycaserver.core.puts import PEERS_FAULTS, Answer, Puts
from pycaserver.core.requests import Put
from pycaserver.core.services import Services
from pycaserver.core.session import ERROR_BURST_SECONDS
from pycaserver.web.proxies import network_of

WRITERS: Final = 10_000
_FAULTS: Final = PEERS_FAULTS | {"rate_limited"}
"""No socket is read more slowly here, so that puts beyond the budget count as mistakes."""


class Writer:
    """One user, or the anonymous ones of one address."""

    def __init__(self, services: Services) -> None:
        requests, errors = services.limits.requests_per_second, services.limits.errors_per_second
        self._budget = Budget(services.clock, requests, requests)
        self._errors = Budget(services.clock, errors, errors * ERROR_BURST_SECONDS)
        self._figures = services.figures
        self._puts = Puts(services)

    def check(self) -> None:
        """PycaError(rate_limited) after too many mistakes: then no put is begun, for each is a line on the disk."""
        if (wait := self._errors.spend(0)) > 0:
            self._figures.puts_turned_away += 1
            why = f"More mistakes than limits.errors_per_second; nothing was sent. Try again in {wait:.2f} seconds."
            raise PycaError("rate_limited", why)

    def count_error(self) -> None:
        """The peer made a mistake."""
        self._errors.spend()

    def begin(self, request: Put, identity: Identity, answer: Answer) -> None:
        """Carry the put out, or refuse it as rate_limited; answer is called exactly once."""

        def told(result: PutAnswer | PycaError) -> None:
            if isinstance(result, PycaError) and result.code in _FAULTS:
                self.count_error()
            answer(result)

        self._puts.begin(request, identity, told, over_budget=self._budget.spend() > 0)


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
