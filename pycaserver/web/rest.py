"""GET /api/pv: one-shot reads over HTTP, and the names that the service offers."""

import asyncio
from collections.abc import Sequence
from itertools import chain, islice

import msgspec

from pycaserver.core.answers import MOST_BYTES
from pycaserver.core.channel import Channel
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.messages import Error
from pycaserver.core.oneshot import OneShot
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Frame, LongFrame
from pycaserver.core.rights import Rights
from pycaserver.core.values import PVValue, size_of
from pycaserver.web.framing import PLAIN
from pycaserver.web.handlers import Guarded
from pycaserver.web.query import READ_KEYS, Query, query_of
from pycaserver.web.site import Site


class ReadPV(Guarded):
    """GET /api/pv/NAME and /api/pv?name=A&name=B; without a name, those that the settings offer."""

    def initialize(self, site: Site) -> None:
        """Tornado hands the site over."""
        super().initialize(site)
        self._pending: list[tuple[OneShot, asyncio.Future[Frame | PycaError]]] = []
        self._bytes = 0
        """Of the arrays that have come; all are kept until the last one has."""

    async def get(self, name: str | None = None) -> None:
        """The get message, an error with its status, or for several names a list of both with status 200."""
        names = [name] if name is not None else self._names()
        if not names:
            self.finish_json(msgspec.json.encode({"names": list(self.site.pv_names)}))
            return
        query = query_of(self, READ_KEYS, but=() if name is not None else ("name",))
        distinct = list(dict.fromkeys(names))
        answer_of = dict(
            zip(distinct, await asyncio.gather(*(self.read(each, query) for each in distinct)), strict=True)
        )
        answers = [answer_of[each] for each in names]
        if name is None:
            bodies = chain.from_iterable((b",", *parts_of(answer)) for answer in answers)
            await self.finish_parts([b"[", *islice(bodies, 1, None), b"]"])
        elif isinstance(answers[0], PycaError):
            raise answers[0]
        else:
            await self.finish_parts(parts_of(answers[0]))

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

    def encoder(self, options: SubscriptionOptions) -> ValueEncoder:
        """What makes the body of the answer."""
        return self.site.native.answer_encoder(options, None, PLAIN)

    async def read(self, name: str, query: Query) -> Frame | PycaError:
        """What the encoder makes of a fresh reading, or why there is none."""
        answer: asyncio.Future[Frame | PycaError] = asyncio.get_running_loop().create_future()
        options = SubscriptionOptions().replaced_by(query)

        def done(channel: Channel, result: PVValue | PycaError | None) -> None:
            result = rights.denial(name) or self._excess(result) or result
            if isinstance(result, PycaError):
                result.pvname = name
                answer.set_result(result)
            elif result is not None:
                self._encode(channel, result, options, answer)

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

    def _excess(self, result: PVValue | PycaError | None) -> PycaError | None:
        """The error in the place of a value for which there is no room."""
        size = size_of(result.data) if isinstance(result, PVValue) else 0
        if self._bytes and self._bytes + size > MOST_BYTES:
            return PycaError("rate_limited", f"The other arrays of this request have {MOST_BYTES} bytes already.")
        self._bytes += size
        return None

    def _encode(
        self,
        channel: Channel,
        value: PVValue,
        options: SubscriptionOptions,
        answer: "asyncio.Future[Frame | PycaError]",
    ) -> None:
        encode = self.encoder(options)

        def made() -> None:
            if not answer.done():  # the peer may be gone
                answer.set_result(encode(channel, value, 0))

        pieces = encode.prepare(channel, value)
        if pieces is None:
            made()
        else:
            self.site.pool.fanout.piecework.begin(pieces, made)


def parts_of(answer: Frame | PycaError) -> Sequence[bytes | memoryview]:
    """The body of an answer."""
    if isinstance(answer, PycaError):
        return [msgspec.json.encode(Error.of(answer))]
    return answer.parts if isinstance(answer, LongFrame) else [answer]
