"""The sections of the settings: each a struct, each of its fields a setting with its type, default and help."""

from collections.abc import Iterable
from itertools import chain
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from pycaserver.core.access import Right, Rule, Rules
from pycaserver.core.patterns import choose, is_glob
from pycaserver.dialects.commands import Command, MessageRule
from pycaserver.dialects.evok.device import Device, Profile
from pycaserver.dialects.rtoc.mapping import RtocAction, RtocPlugin, RtocSignal

Positive = Annotated[float, Meta(gt=0)]
PositiveInt = Annotated[int, Meta(gt=0)]
Port = Annotated[int, Meta(ge=0, le=65535)]


class Server(Struct, forbid_unknown_fields=True):
    """Where it is served, and for whom."""

    address: Annotated[str, Meta(description="address to listen on; loopback unless asked otherwise")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="port to listen on; 0: a free one")] = 8888
    allowed_hosts: Annotated[
        list[str], Meta(description="names in Host headers, beside IP literals, localhost and the machine's own names")
    ] = field(default_factory=list)
    allowed_origins: Annotated[
        list[str], Meta(description="origins of pages served elsewhere, such as https://panel.example.org")
    ] = field(default_factory=list)
    tls_certificate: Annotated[str, Meta(description="file of the certificate chain, PEM; with it, https and wss")] = ""
    tls_key: Annotated[str, Meta(description="file of its private key, PEM")] = ""
    pages: Annotated[str, Meta(description="folder of your own pages, served at /pages/; empty: none")] = ""
    trusted_proxies: Annotated[
        list[str], Meta(description="addresses or networks whose X-Forwarded-For and auth.user_header are believed")
    ] = field(default_factory=list)


class Limits(Struct, forbid_unknown_fields=True):
    """What a peer may ask for, and how long it may take."""

    message_bytes: Annotated[
        PositiveInt,
        Meta(description="largest message; a larger one closes with 1009. Of JSON 1 MiB is taken, or 8 with base64"),
    ] = 1048576
    subscriptions_per_session: Annotated[PositiveInt, Meta(description="subscriptions and reads of one session")] = (
        10000
    )
    sessions: Annotated[PositiveInt, Meta(description="sessions in all; one more is closed with 1013")] = 2000
    sessions_per_address: Annotated[PositiveInt, Meta(description="sessions from one address")] = 500
    sessions_per_user: Annotated[PositiveInt, Meta(description="sessions of one user, wherever from")] = 200
    requests_per_second: Annotated[Positive, Meta(description="beyond it a session is read more slowly")] = 1000
    errors_per_second: Annotated[
        Positive, Meta(description="beyond it for long a session is closed with 4002, and puts over HTTP get 429")
    ] = 20
    backlog_bytes: Annotated[
        int, Meta(ge=262144, description="bytes kept for a peer that is behind; a quarter of them values")
    ] = 2097152
    slow_after_seconds: Annotated[Positive, Meta(description="without progress so long: closed with 4001")] = 10
    linger_seconds: Annotated[float, Meta(ge=0, description="how long a channel outlives its last user")] = 5
    search_seconds: Annotated[Positive, Meta(description="then a PV is told not_found, while the search goes on")] = 3
    ping_seconds: Annotated[Positive, Meta(description="between pings; no pong for as long again: 4004")] = 20
    header_seconds: Annotated[Positive, Meta(description="how long TLS handshake and headers may take")] = 10


class Log(Struct, forbid_unknown_fields=True):
    """What is logged to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="least level logged")] = "info"
    format: Annotated[Literal["text", "json"], Meta(description="one line per event, as text or as JSON")] = "text"


class Pvs(Struct, forbid_unknown_fields=True):
    """What the service knows about."""

    names: Annotated[list[str], Meta(description="PVs offered on the page and listed with their state by /readyz")] = (
        field(default_factory=list)
    )


class History(Struct, forbid_unknown_fields=True):
    """What is remembered of PVs, and for how long."""

    samples: Annotated[int, Meta(gt=0, le=100_000, description="newest samples kept of each PV in use")] = 3600
    memory_bytes: Annotated[
        int, Meta(ge=1048576, description="memory for all samples; beyond it only the newest few of each PV")
    ] = 268435456
    events: Annotated[int, Meta(gt=0, le=10_000, description="newest alarm and connection transitions kept")] = 1000
    keep: Annotated[
        list[str], Meta(description="PVs kept in use for their history: names, or globs over pvs.names")
    ] = field(default_factory=list)
    file: Annotated[str, Meta(description="file that keeps the history of history.keep across restarts (SQLite)")] = ""

    def kept(self, offered: Iterable[str]) -> list[str]:
        """The PVs to keep in use; offered: what globs choose from."""
        names = tuple(offered)
        chosen = (choose(names, each) if is_glob(each) else [each] for each in self.keep)
        return list(dict.fromkeys(chain.from_iterable(chosen)))


class Access(Struct, forbid_unknown_fields=True):
    """Who may read and write which PVs."""

    writes: Annotated[bool, Meta(description="the master switch: without it nobody writes anything")] = False
    default: Annotated[Right, Meta(description="what everybody may do with a PV that no rule is about")] = "read"
    administrators: Annotated[
        list[str], Meta(description="who sees names, addresses and PV lists in /status and under /pvws")
    ] = field(default_factory=lambda: ["group:admins"])
    rule: list[Rule] = field(default_factory=list)

    def compiled(self) -> Rules:
        """The rules, ready to decide; ValueError for what disagreements() names."""
        return Rules(self.writes, self.default, self.administrators, self.rule)


class Token(Struct, frozen=True, forbid_unknown_fields=True):
    """A bearer token, of which only the hash is kept; `pycaserver token USER` makes one."""

    user: Annotated[str, Meta(pattern=r"^\S(.*\S)?$", description="whose it is")]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the token, 64 lower-case hex digits")]
    groups: Annotated[tuple[str, ...], Meta(description="groups that the user is in")] = ()


class Jwt(Struct, forbid_unknown_fields=True):
    """Tokens of an identity provider (JWT)."""

    issuer: Annotated[
        str, Meta(description="what `iss` must be; with jwks_file and audience, such tokens are taken")
    ] = ""
    audience: Annotated[str, Meta(description="what `aud` must be or contain")] = ""
    jwks_file: Annotated[str, Meta(description="file of the provider's public keys (JWKS)")] = ""
    user_claim: Annotated[str, Meta(min_length=1, description="claim that is the user")] = "sub"
    groups_claim: Annotated[str, Meta(min_length=1, description="claim that lists the groups")] = "groups"


class Auth(Struct, forbid_unknown_fields=True):
    """How a session gets an identity."""

    required: Annotated[bool, Meta(description="whether a session without an identity is sent away")] = False
    login_timeout: Annotated[Positive, Meta(description="seconds a session may be anonymous when that is required")] = (
        15
    )
    user_header: Annotated[
        str, Meta(pattern="^[A-Za-z0-9-]*$", description="header with the user, from server.trusted_proxies only")
    ] = ""
    token: list[Token] = field(default_factory=list)
    jwt: Jwt = field(default_factory=Jwt)


class Pvws(Struct, forbid_unknown_fields=True):
    """The protocol of PV Web Socket, under /pvws."""

    enabled: Annotated[bool, Meta(description="whether it is spoken")] = True
    throttle_ms: Annotated[
        float, Meta(ge=0, description="between updates of a PV; the newest wins, 0: every update")
    ] = 0
    array_throttle_ms: Annotated[float, Meta(ge=0, description="the same for arrays")] = 0


class Evok(Struct, forbid_unknown_fields=True):
    """Evok's WebSocket API (UniPi), at /ws."""

    enabled: Annotated[bool, Meta(description="whether it is spoken")] = False
    profile: Annotated[Profile, Meta(description="how devices are called: as by Evok 3, or as by Evok 2")] = "v3"
    port: Annotated[Port, Meta(description="a further port to listen on, for this dialect only; 0: none")] = 0
    tick_ms: Annotated[float, Meta(gt=0, le=60000, description="changes are told so long after the first of them")] = 50
    device: list[Device] = field(default_factory=list)


class Socketio(Struct, forbid_unknown_fields=True):
    """XO-VAC+ and the native requests over Socket.IO, under /socket.io/."""

    enabled: Annotated[
        bool, Meta(description="whether it is spoken; needs python-socketio, as in pycaserver[socketio]")
    ] = False
    command: list[Command] = field(default_factory=list)
    message: list[MessageRule] = field(default_factory=list)


class Rtoc(Struct, forbid_unknown_fields=True):
    """The protocol of RTOC, at /rtoc; its scheme of passwords is weak."""

    enabled: Annotated[bool, Meta(description="whether it is spoken")] = False
    port: Annotated[Port, Meta(description="a further port that serves nothing else, at any path; 0: none")] = 0
    password: Annotated[str, Meta(description="what peers have to show; empty: nothing")] = ""
    host_whitelist: Annotated[
        list[str], Meta(description="addresses that need no password and speak plainly, unless a proxy is between")
    ] = field(default_factory=lambda: ["127.0.0.1", "localhost"])
    record_length: Annotated[PositiveInt, Meta(description="samples kept of each signal that peers make")] = 500000
    local_signals: Annotated[int, Meta(ge=0, description="signals that peers may make, which are no PVs")] = 100
    signal: list[RtocSignal] = field(default_factory=list)
    action: list[RtocAction] = field(default_factory=list)
    plugin: list[RtocPlugin] = field(default_factory=list)


class Dialects(Struct, forbid_unknown_fields=True):
    """The sections of the foreign dialects."""

    pvws: Pvws = field(default_factory=Pvws)
    evok: Evok = field(default_factory=Evok)
    socketio: Socketio = field(default_factory=Socketio)
    rtoc: Rtoc = field(default_factory=Rtoc)


class Audit(Struct, forbid_unknown_fields=True):
    """The record of all puts."""

    file: Annotated[str, Meta(description="file of JSON lines, one per put; without it they go to the log")] = ""
