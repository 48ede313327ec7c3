"""TLS: what is spoken, with which certificate, and a certificate that changes while sessions go on."""

import json
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pycaserver.web.security import HEADERS, HEADERS_UNDER_TLS
from pycaserver.web.tls import Certificate
from tests.ca_search import free_port
from tests.iocs import CIOC
from tests.processes import Command
from tests.servers import Server
from tests.timing import scaled, wait_for
from tests.web.certificates import Authority, Files
from tests.web.http import fetch
from tests.web.raw import RawClient

ANSWER_SECONDS = 10.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def files(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return authority.sign(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def secure(types: CIOC, files: Files) -> Iterator[Server]:
    """Serves https."""
    with Server(types.env(), files.settings | {"limits-header-seconds": 4}) as server:
        yield server


# -- the files


def test_certificate_makes_a_context_for_tls_1_2_and_later(files: Files) -> None:
    context = Certificate(str(files.chain), str(files.key)).context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION


PROBLEMS = {
    "no certificate": ("server.tls_certificate '.*nowhere.pem': No such file", "nowhere.pem", "server.key"),
    "no key": ("server.tls_key '.*nowhere.key': No such file", "server.pem", "nowhere.key"),
    "no key named": ("server.tls_key '': No such file", "server.pem", ""),
    "not PEM": ("junk.*(no start line|no certificate and key in pem)", "junk", "server.key"),
    "key of another": ("key values mismatch", "server.pem", "other.key"),
    "key with a password": ("the key has a password", "server.pem", "locked.key"),
}


@pytest.fixture(scope="module")
def folder(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All the mistakes in one place."""
    folder = tmp_path_factory.mktemp("mistakes")
    authority.sign(folder).key.rename(folder / "other.key")
    authority.sign(folder)
    (folder / "junk").write_text("junk")
    (folder / "locked.key").write_bytes(locked((folder / "server.key").read_bytes()))
    return folder


def locked(key: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization as pem

    lock = pem.BestAvailableEncryption(b"secret")
    form = (pem.Encoding.PEM, pem.PrivateFormat.TraditionalOpenSSL)
    return pem.load_pem_private_key(key, None).private_bytes(*form, lock)


@pytest.mark.parametrize("case", PROBLEMS)
def test_files_that_cannot_be_used_are_named(folder: Path, case: str) -> None:
    problem, chain, key = PROBLEMS[case]
    with pytest.raises(OSError, match=problem):
        Certificate(str(folder / chain), str(folder / key) if key else "").context()


def test_server_does_not_start_with_a_bad_certificate(folder: Path) -> None:
    settings = {"port": free_port(), "tls-certificate": folder / "server.pem", "tls-key": folder / "other.key"}
    arguments = [f"--{key}={value}" for key, value in settings.items()]
    with Command("serve", *arguments) as command:
        assert command.end() == 1
        assert "cannot start: server.tls_certificate" in command.err[-1]
        assert "key values mismatch" in command.err[-1]


# -- what is spoken


def get(server: Server, path: str, context: ssl.SSLContext) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPSConnection(urlsplit(server.url).netloc, context=context, timeout=scaled(ANSWER_SECONDS))
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()


def test_https_is_served_and_printed(secure: Server, authority: Authority) -> None:
    assert secure.url.startswith("https://127.0.0.1:")
    status, headers, _ = get(secure, "/", authority.context())
    assert status == 200
    expected = HEADERS | HEADERS_UNDER_TLS
    assert {name: headers.get(name) for name in expected} == expected


def test_strict_transport_is_asked_for_under_tls_only(server: Server) -> None:
    assert not HEADERS_UNDER_TLS.keys() & fetch(server, "/").headers.keys()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda each: each.name)
def test_new_versions_are_spoken(secure: Server, authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.context()
    context.minimum_version = context.maximum_version = version
    assert get(secure, "/healthz", context)[0] == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=lambda each: each.name)
def test_old_versions_are_refused_by_the_server(secure: Server, authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.context()
    context.set_ciphers("ALL:@SECLEVEL=0")  # or this peer would not even ask
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError) as refused:
        get(secure, "/healthz", context)
    assert refused.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"


def test_session_over_wss_gets_large_and_small_values(secure: Server, authority: Authority, types: CIOC) -> None:
    large, fast = f"{types.prefix}large", f"{types.prefix}fast"
    with secure.client(ssl=authority.context()) as client:
        client.send(action="connect", pv=[large, fast])
        assert client.wait(msg_type="monitor", pvname=large)["value"] == [index * 0.5 for index in range(100_000)]
        values = [client.wait(msg_type="monitor", pvname=fast)["value"] for _ in range(5)]
    assert values == sorted(values)


def test_plain_http_gets_nothing(secure: Server) -> None:
    with RawClient(secure.url) as raw:
        raw.socket.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(ConnectionResetError):
            assert b"HTTP/1.1 " not in raw.read_to_end()
    assert "SSL" not in secure.output, "a scan of ports could fill the log"


def test_page_that_came_without_tls_is_foreign(secure: Server, authority: Authority) -> None:
    host = urlsplit(secure.url).netloc
    for scheme, status in (("https", 200), ("http", 403)):
        connection = HTTPSConnection(host, context=authority.context(), timeout=scaled(ANSWER_SECONDS))
        connection.request("GET", "/healthz", headers={"Origin": f"{scheme}://{host}"})
        assert connection.getresponse().status == status
        connection.close()


HALF_DONE = {"nothing": b"", "half a greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"}


@pytest.mark.parametrize("sent", HALF_DONE.values(), ids=HALF_DONE)
def test_handshake_that_does_not_go_on_is_closed_and_delays_nobody(
    secure: Server, authority: Authority, sent: bytes
) -> None:
    with RawClient(secure.url) as raw:
        raw.socket.sendall(sent)
        assert get(secure, "/healthz", authority.context())[0] == 200
        assert raw.read_to_end() == b""


# -- a certificate that changes


def serial(server: Server, context: ssl.SSLContext) -> Any:
    """The serial number of the certificate that a new connection is shown."""
    address = urlsplit(server.url)
    with (
        socket.create_connection((address.hostname, address.port), scaled(ANSWER_SECONDS)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        shown = tls.getpeercert()
        assert shown is not None
        return shown["serialNumber"]


def test_certificate_is_reloaded_and_sessions_go_on(types: CIOC, authority: Authority, tmp_path: Path) -> None:
    files = authority.sign(tmp_path)
    context = authority.context()
    with Server(types.env(), files.settings) as server, server.client(ssl=context) as client:
        before = serial(server, context)
        authority.sign(tmp_path)
        os.kill(server.process.pid, signal.SIGHUP)
        wait_for(lambda: serial(server, context) != before, what="the new certificate")
        after = serial(server, context)
        assert client.settle() == []

        files.key.write_text("junk")
        os.kill(server.process.pid, signal.SIGHUP)
        wait_for(lambda: "server.tls_key" in server.output, what="the refusal in the log")
        assert serial(server, context) == after
        assert client.settle() == []
        assert json.loads(get(server, "/healthz", context)[2]) == {"status": "ok"}
