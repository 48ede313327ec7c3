"""All that is served, on one screen."""

import logging
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from tornado.web import Application, RequestHandler

from pycaserver.core.identity import Identity
from pycaserver.core.outbox import Transport
from pycaserver.core.request_session import RequestSession
from pycaserver.core.rights import Gate
from pycaserver.core.session import Session
from pycaserver.dialects.evok.board import Board
from pycaserver.dialects.evok.session import EvokSession
from pycaserver.dialects.pvws import PvwsSession
from pycaserver.dialects.rtoc.session import RtocSession
from pycaserver.dialects.rtoc.station import Station
from pycaserver.dialects.xovac import Commands
from pycaserver.web import pvws
from pycaserver.web.documents import AsyncApi, OpenApi
from pycaserver.web.framing import BATCHED, SINGLE
from pycaserver.web.handlers import GuardedStatic, Icon, NotFound
from pycaserver.web.history import PVHistory
from pycaserver.web.login import Login, Logout, WhoAmI
from pycaserver.web.metrics import Metrics, registry_of
from pycaserver.web.pages import INDEX, Pages
from pycaserver.web.puts import PV
from pycaserver.web.rest import ReadPV
from pycaserver.web.site import Site
from pycaserver.web.status import Health, Ready, Status
from pycaserver.web.stream import StreamPV
from pycaserver.web.websocket import OpenSession, SessionSocket, WebSocketPeer

log = logging.getLogger("pycaserver.http")


Row: TypeAlias = tuple[str, type[RequestHandler], dict[str, Any]]
"""Path, handler, and what the handler is given."""


class Served(NamedTuple):
    """The rows of one dialect, and the port that serves nothing else; 0: none."""

    rows: list[Row]
    port: int = 0
    own_rows: list[Row] | None = None
    """What that port serves, if it is other paths."""


def application(site: Site, static: Path, dialects: Sequence[Served] = (), pages: Path | None = None) -> Application:
    """The Tornado application; static: the folder of our own pages; pages: that of the facility's, if there is one."""
    ours: dict[str, Any] = {"site": site}
    files = {**ours, "path": str(static)}
    native: OpenSession = partial(_native, site)
    return _application(
        site,
        [
            (r"/monitor", SessionSocket, {**ours, "open_session": native}),
            *(row for served in dialects for row in served.rows),
            (r"/api/pv", ReadPV, ours),
            (r"/api/pv/([^/]+)", PV, ours),
            (r"/api/pv/([^/]+)/stream", StreamPV, ours),
            (r"/api/pv/([^/]+)/history", PVHistory, ours),
            (r"/api/openapi.json", OpenApi, ours),
            (r"/api/asyncapi.json", AsyncApi, ours),
            (r"/api/login", Login, ours),
            (r"/api/logout", Logout, ours),
            (r"/api/whoami", WhoAmI, ours),
            (r"/healthz", Health, ours),
            (r"/readyz", Ready, ours),
            (r"/status", Status, ours),
            (r"/metrics", Metrics, {**ours, "registry": registry_of(site)}),
            (r"/(favicon\.ico)", Icon, files),
            (r"/()", GuardedStatic, {**files, "default_filename": "index.html"}),
            (r"/static/(.*)", GuardedStatic, files),
            *([(r"/pages(?:/(.*))?", Pages, {**ours, "path": str(pages), "default_filename": INDEX})] if pages else []),
        ],
    )


def extra_applications(site: Site, dialects: Sequence[Served]) -> dict[int, Application]:
    """By their ports, those that serve one dialect only."""
    return {served.port: _application(site, served.own_rows or served.rows) for served in dialects if served.port}


def foreign_dialects(site: Site, static: Path) -> list[Served]:
    """What each foreign dialect serves, by its section of the settings; made once, as some keep channels open."""
    serves = (partial(_pvws, static), _evok, _socketio, _rtoc)
    return [served for serve in serves if (served := serve(site)) is not None]


def _pvws(static: Path, site: Site) -> Served | None:
    section, ours = site.dialects.pvws, {"site": site}
    if not section.enabled:
        return None

    def open_session(transport: Transport, identity: Identity, gate: Gate) -> Session:
        return PvwsSession(site.services, transport, SINGLE, identity, gate, section)

    return Served(
        [
            (r"/pvws/pv", SessionSocket, {**ours, "open_session": open_session}),
            (r"/pvws/info", pvws.Info, ours),
            (r"/pvws/summary", pvws.Summary, ours),
            (r"/pvws/socket", pvws.Sockets, ours),
            (r"/pvws/pool", pvws.Pool, ours),
            (r"/pvws/pvget", pvws.PVGet, ours),
            (r"/pvws/js/(pvws\.js|base64\.js)", pvws.Script, {**ours, "path": str(static / "pvws")}),
        ]
    )


def _evok(site: Site) -> Served | None:
    evok, services = site.dialects.evok, site.services
    if not evok.enabled:
        return None
    board = Board(evok.device, evok.profile, evok.tick_ms / 1000, services.pool, services.clock)

    def open_session(transport: Transport, identity: Identity, gate: Gate) -> Session:
        return EvokSession(services, board, transport, SINGLE, identity, gate)

    return Served([(r"/ws/?", SessionSocket, {"site": site, "open_session": open_session})], evok.port)


def _socketio(site: Site) -> Served | None:
    settings = site.dialects.socketio
    if not settings.enabled:
        return None
    from pycaserver.web.socketio import Gateway, SocketIO  # its library is there only where it is asked for

    gateway = Gateway(site, Commands(settings.command, settings.message))
    return Served([(r"/socket\.io/", SocketIO, {"site": site, "gateway": gateway})])


def _rtoc(site: Site) -> Served | None:
    rtoc = site.dialects.rtoc
    if not rtoc.enabled:
        return None
    station = Station(site.services, rtoc)

    def open_session(peer: WebSocketPeer, identity: Identity, gate: Gate) -> Session:
        return RtocSession(station, peer, SINGLE, identity, gate, direct=peer.direct)

    given: dict[str, Any] = {"site": site, "open_session": open_session}
    return Served([(r"/rtoc", SessionSocket, given)], rtoc.port, own_rows=[(r"/.*", SessionSocket, given)])


def _native(site: Site, transport: Transport, identity: Identity, gate: Gate) -> Session:
    return RequestSession(site.services, site.native, transport, (SINGLE, BATCHED), identity, gate)


def _application(site: Site, rows: list[Row]) -> Application:
    return Application(
        rows,
        default_handler_class=NotFound,
        default_handler_args={"site": site},
        log_function=_log_request,
    )


def _log_request(handler: RequestHandler) -> None:
    request = handler.request
    level = logging.ERROR if handler.get_status() == HTTPStatus.INTERNAL_SERVER_ERROR else logging.DEBUG
    log.log(level, "%d %s %s %s", handler.get_status(), request.method, request.path, request.remote_ip)
