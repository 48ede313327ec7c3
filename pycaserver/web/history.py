"""GET /api/pv/NAME/history: the samples that the server has of a PV."""

from typing import Final

import msgspec

from pycaserver.core.errors import PycaError
from pycaserver.core.past import check_history, history_answer
from pycaserver.core.requests import History
from pycaserver.core.rights import Rights
from pycaserver.web.handlers import Guarded

HISTORY_KEYS: Final = ("since", "seconds", "points")


class PVHistory(Guarded):
    """GET /api/pv/NAME/history."""

    def get(self, name: str) -> None:
        """The history message: oldest first; empty if the PV is not in use."""
        try:
            request = self._request(name)
            check_history(Rights(self.site.access, self.identity), request)
        except PycaError as error:
            error.pvname = name
            raise
        self.finish_json(msgspec.json.encode(history_answer(self.site.services, request)))

    def _request(self, name: str) -> History:
        present = set(self.request.query_arguments)
        if unknown := sorted(present - {*HISTORY_KEYS}):
            raise PycaError("bad_request", f"There is no option `{unknown[0]}` here.")
        given = {key: self.get_query_argument(key) for key in present}
        try:
            return msgspec.convert({"pv": name, **given}, History, strict=False)
        except msgspec.ValidationError as error:
            raise PycaError("bad_request", f"{error}.".replace("`$.", "`")) from None
