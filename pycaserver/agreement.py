"""Whether settings that are each of the right type make sense, alone and together: a sentence for what does not."""

import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from ipaddress import ip_network
from typing import Final, Protocol

from pycaserver.core.access import problems_of, problems_of_who
from pycaserver.core.errors import PycaError
from pycaserver.core.names import check_pv_name
from pycaserver.core.patterns import choose, is_glob
from pycaserver.dialects.commands import problems_of as problems_of_commands
from pycaserver.dialects.evok.device import problems_of as problems_of_devices
from pycaserver.dialects.rtoc.mapping import problems_of as problems_of_rtoc
from pycaserver.sections import Access, Auth, Evok, History, Pvs, Rtoc, Server, Socketio

JWT_NEEDS: Final = ("issuer", "audience", "jwks_file")
TLS_NEEDS: Final = ("tls_certificate", "tls_key")


class Checked(Protocol):
    """The settings that are looked at here."""

    server: Server
    access: Access
    auth: Auth
    pvs: Pvs
    evok: Evok
    socketio: Socketio
    rtoc: Rtoc
    history: History


def disagreements(settings: Checked) -> Iterator[str]:
    """Everything that is wrong."""
    yield from _of_names("pvs.names", settings.pvs.names)
    yield from _of_history(settings.history, settings.pvs)
    yield from _of_server(settings.server)
    yield from _of_ports(settings)
    yield from _of_access(settings.access)
    yield from _of_auth(settings.auth, settings.server)
    yield from _of_evok(settings.evok)
    yield from _of_socketio(settings.socketio)
    yield from problems_of_rtoc(settings.rtoc)


def missing(server: Server) -> Iterator[str]:
    """What must be there when the server starts. A reload does not look: rules must not depend on it."""
    if server.pages and not os.path.isdir(server.pages):
        yield f"server.pages: {server.pages!r} is not a folder"


def _of_names(setting: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            check_pv_name(name)
        except PycaError:
            yield f"{setting}: {name!r} cannot be the name of a PV"


def _of_history(history: History, pvs: Pvs) -> Iterator[str]:
    yield from _of_names("history.keep", (name for name in history.keep if not is_glob(name)))
    for glob in filter(is_glob, history.keep):
        if not choose(pvs.names, glob):
            yield f"history.keep: {glob!r} matches none of pvs.names; other PVs are named in full"
    if history.file and not history.keep:
        yield "history.file: keeps the history of history.keep, which names no PV"


def _of_server(server: Server) -> Iterator[str]:
    yield from _half_given("server", server, TLS_NEEDS)
    for proxy in server.trusted_proxies:
        try:
            ip_network(proxy)
        except ValueError as error:
            yield f"server.trusted_proxies: {error}"


def _of_ports(settings: Checked) -> Iterator[str]:
    taken: dict[int, str] = {}
    for section, port in (("server", settings.server.port), ("evok", settings.evok.port), ("rtoc", settings.rtoc.port)):
        if port and port in taken:
            yield f"{section}.port: {port} is that of {taken[port]} already"
        taken[port] = f"{section}.port"


def _of_access(access: Access) -> Iterator[str]:
    yield from (f"access.administrators: {problem}" for problem in problems_of_who(access.administrators))
    for number, rule in enumerate(access.rule, 1):
        yield from (f"access.rule {number}: {problem}" for problem in problems_of(rule))


def _of_auth(auth: Auth, server: Server) -> Iterator[str]:
    yield from _half_given("auth.jwt", auth.jwt, JWT_NEEDS)
    if auth.user_header and not server.trusted_proxies:
        yield "auth.user_header: needs server.trusted_proxies, or anybody could send it"
    hashes = [token.sha256 for token in auth.token]
    for number, sha256 in enumerate(hashes, 1):
        if (first := hashes.index(sha256) + 1) < number:
            yield f"auth.token {number}: is the same token as auth.token {first}"


def _of_evok(evok: Evok) -> Iterator[str]:
    for number, problem in problems_of_devices(evok.device, evok.profile):
        yield f"evok.device {number}: {problem}"


def _of_socketio(socketio: Socketio) -> Iterator[str]:
    if socketio.enabled and find_spec("socketio") is None:
        yield "socketio.enabled: needs python-socketio: pip install 'pycaserver[socketio]'"
    yield from (f"socketio.{problem}" for problem in problems_of_commands(socketio.command, socketio.message))


def _half_given(section: str, struct: object, keys: tuple[str, ...]) -> Iterator[str]:
    missing = [key for key in keys if not getattr(struct, key)]
    if 0 < len(missing) < len(keys):
        given = next(key for key in keys if key not in missing)
        yield from (f"{section}.{key}: is needed with {section}.{given}" for key in missing)
