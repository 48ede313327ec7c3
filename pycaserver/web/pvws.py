"""What PV Web Socket serves beside its WebSocket: what it is and who uses it, one reading, and its browser code."""

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from tornado.web import MissingArgumentError

from pycaserver.core.channel import Channel
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Frame, LongFrame
from pycaserver.core.rights import Rights
from pycaserver.core.values import PVValue, Texts, is_large
from pycaserver.dialects.encoding import json_list, json_pieces, spliced
from pycaserver.dialects.prepared import PreparingEncoder
from pycaserver.dialects.pvws import PvwsSession
from pycaserver.dialects.updates import whole
from pycaserver.web.handlers import STATUS_OF, Guarded, GuardedStatic
from pycaserver.web.hub import Peer
from pycaserver.web.query import Query
from pycaserver.web.rest import ReadPV, parts_of

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


class Info(Guarded):
    """GET /pvws/info: since when it runs, and what it is; nothing of its environment."""

    open_to_all = True

    def get(self) -> None:
        """Asked by clients that want to know whether this is such a server."""
        started = time.strftime(TIME_FORMAT, time.localtime(self.site.started))
        self.finish_json(msgspec.json.encode({"start_time": started, "server": f"pycaserver {self.site.version}"}))


class ForAdministrators(Guarded):
    """What shows names and addresses."""

    def prepare(self) -> None:
        """403 for others."""
        super().prepare()
        if not self.site.access.rules.is_administrator(self.identity):
            raise PycaError("forbidden", "Only those may see this whom access.administrators names.")


class Summary(ForAdministrators):
    """GET /pvws/summary: the sessions of this protocol, and how many PVs each has."""

    def get(self) -> None:
        """A list under `sockets`."""
        self.finish_json(msgspec.json.encode({"sockets": [_summary(*each) for each in self._sessions()]}))

    def _sessions(self) -> list[tuple[Peer, PvwsSession]]:
        return [(peer, peer.session) for peer in self.site.hub if isinstance(peer.session, PvwsSession)]


class Sockets(Summary):
    """GET /pvws/socket: the same with the PVs."""

    def get(self) -> None:
        """A list under `sockets`."""
        sockets = [_summary(peer, session) | {"pvs": _pvs(session)} for peer, session in self._sessions()]
        self.finish_json(msgspec.json.encode({"sockets": sockets}))


class Pool(ForAdministrators):
    """GET /pvws/pool: the open channels, of whatever protocol."""

    def get(self) -> None:
        """A list of names and numbers of users."""
        pool = self.site.pool
        self.finish_json(msgspec.json.encode([{"refs": channel.users, "pv": channel.name} for channel in pool]))


class PVGet(ReadPV):
    """GET /pvws/pvget?name=NAME: one reading, fresh from the IOC."""

    async def get(self, name: str | None = None) -> None:
        """The reading, or why there is none with the status of the error; pv= is another word for name=."""
        names = [self.decode_argument(raw, key) for key in ("name", "pv") for raw in self._given(key)]
        if len(names) != 1:
            raise MissingArgumentError("name")
        answer = await self.read(names[0], Query())
        if isinstance(answer, PycaError):
            self.site.figures.errors[answer.code] += 1
            body = msgspec.json.encode({"name": names[0], "success": False, "message": answer.message})
            self.finish_json(body, STATUS_OF.get(answer.code, 500))
        else:
            await self.finish_parts(parts_of(answer))

    def encoder(self, options: SubscriptionOptions) -> ValueEncoder:
        """What an update says, but the elements of arrays as JSON."""
        return GetEncoder(Rights(self.site.access, self.identity))

    def _given(self, key: str) -> list[bytes]:
        return self.request.query_arguments.get(key, [])


class GetEncoder(PreparingEncoder):
    """Makes one reading."""

    def __init__(self, rights: Rights) -> None:
        super().__init__()
        self._rights = rights

    def pieces(self, channel: Channel, value: PVValue) -> Iterator[bytes] | None:
        """Of a large array, as JSON."""
        data = value.data
        return json_pieces(data) if isinstance(data, np.ndarray | Texts) and is_large(data) else None

    def __call__(self, channel: Channel, value: PVValue, coalesced: int) -> Frame:
        """The body of the answer."""
        pieces = self.prepared(value)
        body = self._keys(channel, value)
        if not isinstance(value.data, np.ndarray | Texts):
            return msgspec.json.encode(body)
        if pieces is None:
            return msgspec.json.encode(body | {"value": json_list(value.data)})
        return LongFrame(*spliced(msgspec.json.encode(body | {"value": []}), b'"value":[', pieces))

    def _keys(self, channel: Channel, value: PVValue) -> dict[str, Any]:
        """All, but the elements of a numeric array."""
        data = value.data
        shown = msgspec.structs.replace(value, data=data[:0]) if isinstance(data, np.ndarray | Texts) else value
        update = msgspec.to_builtins(whole(channel, shown, readonly=not self._rights.on(channel).write))
        is_array = isinstance(data, np.ndarray | Texts | list)
        head = {
            "name": channel.name,
            "success": True,
            "message": "",
            "vtype": update["vtype"],
            "scalar": not is_array,
            "array": is_array,
            "size": value.count,
            "alarm_severity": update["severity"],
        }
        return head | {key: it for key, it in update.items() if key not in _NOT_READ and not key.startswith("b64")}


_NOT_READ = ("type", "pv", "vtype", "severity")


class Script(GuardedStatic):
    """GET /pvws/js/pvws.js and base64.js: also for pages of Display Builder Web Runtime elsewhere."""

    def set_extra_headers(self, path: str) -> None:
        """A page of another origin may load them; what it may then do depends on server.allowed_origins."""
        super().set_extra_headers(path)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")


def _summary(peer: Peer, session: PvwsSession) -> dict[str, Any]:
    sizes = [channel.metadata.count for channel in session.channels if channel.metadata is not None]
    return {
        "id": f"{id(session):x}",
        "address": peer.address,
        "user": session.identity.user,
        "queued": session.outbox.backlog,
        "pvs": session.subscriptions,
        "arrays": sum(size > 1 for size in sizes),
        "max_size": max(sizes, default=0),
    }


def _pvs(session: PvwsSession) -> list[dict[str, str]]:
    return [{"name": channel.name, "state": channel.contact.state.value} for channel in session.channels]
