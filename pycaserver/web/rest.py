"""GET /api/pv: one-shot reads over HTTP, and the names that the service offers."""

import asyncio

import msgspec

from pycaserver.core.channel import Channel
from pycaserver.core.errors import PycaError
from pycaserver.core.messages import Error
from pycaserver.core.oneshot import OneShot
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.rights import Rights
from pycaserver.core.values import PVValue
from pycaserver.web.framing import PLAIN
from pycaserver.web.handlers import Guarded
from pycaserver.web.query import READ_KEYS, Query, query_of
from pycaserver.web.site import Site


class ReadPV(Guarded):
    """GET /api/pv/NAME and /api/pv?name=A&name=B; without a name, those that the settings offer."""

    def initialize(self, site: Site) -> None:
        """Tornado hands the site over."""
        super().initialize(site)
        self._pending: list[tuple[OneShot, asyncio.Future[bytes | PycaError]]] = []

    async def get(self, name: str | None = None) -> None:
        """The get message, an error with its status, or for several names a list of both with status 200."""
        names = [name] if name is not None else self._names()
        if not names:
            self.finish_json(msgspec.json.encode({"names": list(self.site.pv_names)}))
            return
        query = query_of(self, READ_KEYS, but=() if name is not None else ("name",))
        answers = await asyncio.gather(*(self.read(each, query) for each in names))
        if name is None:
            self.finish_json(b"[" + b",".join(map(_body, answers)) + b"]")
        elif isinstance(answers[0], PycaError):
            raise answers[0]
        else:
            self.finish_json(answers[0])

    def on_connection_close(self) -> None:
        """Nobody waits for the answer any more."""
        for one_shot, answer in self._pending:
            one_shot.cancel()
            if not answer.done():
                answer.set_result(b"")  # for nobody; get has to end

    def _names(self) -> list[str]:
        """As they were given: get_query_arguments would make a space of a NUL."""
        names = [self.decode_argument(raw, "name") for raw in self.request.query_arguments.get("name", ())]
        most = self.site.limits.subscriptions_per_session
        if len(names) > most:
            raise PycaError("too_many_subscriptions", f"limits.subscriptions_per_session is {most}, for reads too.")
        return names

    def body_of(self, channel: Channel, value: PVValue, options: SubscriptionOptions) -> bytes:
        """The answer with that reading."""
        body = self.site.native.answer(channel, value, options, None, PLAIN)
        assert isinstance(body, bytes)  # query_of refuses binary
        return body

    async def read(self, name: str, query: Query) -> bytes | PycaError:
        """What body_of makes of a fresh reading, or why there is none."""
        answer: asyncio.Future[bytes | PycaError] = asyncio.get_running_loop().create_future()
        options = SubscriptionOptions().replaced_by(query)

        def done(channel: Channel, result: PVValue | PycaError | None) -> None:
            result = rights.denial(name) or result
            if isinstance(result, PycaError):
                result.pvname = name
                answer.set_result(result)
            elif result is not None:
                answer.set_result(self.body_of(channel, result, options))

        rights = Rights(self.site.access, self.identity)
        try:
            rights.check_read(name)
            one_shot = OneShot(self.site.pool, name, read=True)
        except PycaError as error:
            error.pvname = error.pvname or name
            return error
        self._pending.append((one_shot, answer))
        one_shot.start(self.site.clock, query.timeout, done)
        return await answer


def _body(answer: bytes | PycaError) -> bytes:
    if isinstance(answer, bytes):
        return answer
    return msgspec.json.encode(Error.of(answer))
