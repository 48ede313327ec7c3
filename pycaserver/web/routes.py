"""All that is served, on one screen."""

import logging
from pathlib import Path
from typing import Any

from tornado.web import Application, RequestHandler

from pycaserver.web.documents import AsyncApi, OpenApi
from pycaserver.web.handlers import GuardedStatic, NotFound
from pycaserver.web.login import Login, Logout, WhoAmI
from pycaserver.web.metrics import Metrics, registry_of
from pycaserver.web.puts import PV
from pycaserver.web.rest import ReadPV
from pycaserver.web.site import Site
from pycaserver.web.status import Health, Ready, Status
from pycaserver.web.stream import StreamPV
from pycaserver.web.websocket import SessionSocket

log = logging.getLogger("pycaserver.http")


def application(site: Site, static: Path) -> Application:
    """The Tornado application; static: the folder of pages."""
    ours: dict[str, Any] = {"site": site}
    files = {**ours, "path": str(static)}
    return Application(
        [
            (r"/monitor", SessionSocket, ours),
            (r"/api/pv", ReadPV, ours),
            (r"/api/pv/([^/]+)", PV, ours),
            (r"/api/pv/([^/]+)/stream", StreamPV, ours),
            (r"/api/openapi.json", OpenApi, ours),
            (r"/api/asyncapi.json", AsyncApi, ours),
            (r"/api/login", Login, ours),
            (r"/api/logout", Logout, ours),
            (r"/api/whoami", WhoAmI, ours),
            (r"/healthz", Health, ours),
            (r"/readyz", Ready, ours),
            (r"/status", Status, ours),
            (r"/metrics", Metrics, {**ours, "registry": registry_of(site)}),
            (r"/()", GuardedStatic, {**files, "default_filename": "index.html"}),
            (r"/static/(.*)", GuardedStatic, files),
        ],
        default_handler_class=NotFound,
        default_handler_args=ours,
        log_function=_log_request,
    )


def _log_request(handler: RequestHandler) -> None:
    request = handler.request
    level = logging.ERROR if handler.get_status() >= 500 else logging.DEBUG
    log.log(level, "%d %s %s %s", handler.get_status(), request.method, request.path, request.remote_ip)
