"""Whether settings that are each of the right type make sense, alone and together: a sentence for what does not."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Final, Protocol

from pycaserver.core.access import problems_of, problems_of_who
from pycaserver.core.errors import PycaError
from pycaserver.core.names import check_pv_name
from pycaserver.sections import Access, Auth, Pvs, Server

JWT_NEEDS: Final = ("issuer", "audience", "jwks_file")
TLS_NEEDS: Final = ("tls_certificate", "tls_key")


class Checked(Protocol):
    """The settings that are looked at here."""

    server: Server
    access: Access
    auth: Auth
    pvs: Pvs


def disagreements(settings: Checked) -> Iterator[str]:
    """Everything that is wrong."""
    yield from _of_names(settings.pvs)
    yield from _of_server(settings.server)
    yield from _of_access(settings.access)
    yield from _of_auth(settings.auth, settings.server)


def _of_names(pvs: Pvs) -> Iterator[str]:
    for name in pvs.names:
        try:
            check_pv_name(name)
        except PycaError:
            yield f"pvs.names: {name!r} cannot be the name of a PV"


def _of_server(server: Server) -> Iterator[str]:
    yield from _half_given("server", server, TLS_NEEDS)
    for proxy in server.trusted_proxies:
        try:
            ip_network(proxy)
        except ValueError as error:
            yield f"server.trusted_proxies: {error}"


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


def _half_given(section: str, struct: object, keys: tuple[str, ...]) -> Iterator[str]:
    missing = [key for key in keys if not getattr(struct, key)]
    if 0 < len(missing) < len(keys):
        given = next(key for key in keys if key not in missing)
        yield from (f"{section}.{key}: is needed with {section}.{given}" for key in missing)
