"""agreement.py: settings that make no sense together are named, all at once."""

from pathlib import Path

import pytest

from pycaserver.agreement import disagreements, missing
from pycaserver.core.access import Rule
from pycaserver.dialects.evok.device import Device, Point
from pycaserver.sections import Access, Auth, Evok, History, Jwt, Pvs, Rtoc, Server, Token
from pycaserver.settings import Settings


def named(**sections: object) -> list[str]:
    """The settings that are named as wrong."""
    return [sentence.split(": ")[0] for sentence in disagreements(Settings(**sections))]  # type: ignore[arg-type]


def test_the_defaults_agree() -> None:
    assert named() == []


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (Server(tls_certificate="c", tls_key="k"), []),
        (Server(tls_certificate="c"), ["server.tls_key"]),
        (Server(tls_key="k"), ["server.tls_certificate"]),
        (Server(trusted_proxies=["10.1.2.3", "10.2.0.0/16", "fd00::/8"]), []),
        (Server(trusted_proxies=["10.1.2.3", "", "proxy"]), ["server.trusted_proxies"] * 2),
    ],
)
def test_server(server: Server, expected: list[str]) -> None:
    assert named(server=server) == expected


def test_the_folder_of_pages_must_be_there_at_the_start_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert list(missing(Server())) == list(missing(Server(pages=str(tmp_path)))) == []
    for path in (tmp_path / "nowhere", tmp_path / "file"):
        assert list(missing(Server(pages=str(path)))) == [f"server.pages: {str(path)!r} is not a folder"]
        assert named(server=Server(pages=str(path))) == [], "a reload must not depend on it"


def test_each_port_serves_one_thing() -> None:
    assert named(server=Server(port=8888), evok=Evok(port=8080), rtoc=Rtoc(port=5050)) == []
    assert named(evok=Evok(port=5050), rtoc=Rtoc(port=5050)) == ["rtoc.port"]
    assert named(server=Server(port=8080), evok=Evok(port=8080)) == ["evok.port"]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (History(keep=["SR:*", "OTHER"]), []),
        (History(keep=["SR:A"], file="f"), []),
        (History(keep=["LINAC:*", "A B ", "SR:?"]), ["history.keep"] * 2),
        (History(file="f"), ["history.file"]),
    ],
)
def test_history(history: History, expected: list[str]) -> None:
    assert named(history=history, pvs=Pvs(["SR:A", "SR:B"])) == expected


def test_kept_pvs_are_chosen_from_those_offered_once_each() -> None:
    history = History(keep=["SR:*:I", "X", "SR:[12]:I"])
    assert history.kept(["SR:2:I", "SR:1:I", "SR:1:II"]) == ["SR:2:I", "SR:1:I", "X"]


def test_access_names_rules_by_number() -> None:
    rules = [Rule("A", "read"), Rule("re:(", "read", ("x", "y")), Rule("", "read")]
    assert named(access=Access(rule=rules)) == [*["access.rule 2"] * 3, "access.rule 3"]
    assert named(access=Access(administrators=["user:a", "x", "y:"])) == ["access.administrators"] * 2


@pytest.mark.parametrize(
    ("jwt", "missing"),
    [
        (Jwt(issuer="i", audience="a", jwks_file="f"), []),
        (Jwt(user_claim="email"), []),
        (Jwt(issuer="i"), ["audience", "jwks_file"]),
        (Jwt(jwks_file="f", issuer="i"), ["audience"]),
    ],
)
def test_an_identity_provider_is_given_wholly_or_not_at_all(jwt: Jwt, missing: list[str]) -> None:
    assert named(auth=Auth(jwt=jwt)) == [f"auth.jwt.{key}" for key in missing]


def test_a_user_header_needs_somebody_to_believe() -> None:
    auth = Auth(user_header="X-Forwarded-User")
    assert named(auth=auth) == ["auth.user_header"]
    assert named(auth=auth, server=Server(trusted_proxies=["10.1.2.3"])) == []


def test_one_token_is_not_two_peoples() -> None:
    tokens = [Token("a", "0" * 64), Token("b", "1" * 64), Token("c", "0" * 64), Token("a", "2" * 64)]
    assert named(auth=Auth(token=tokens)) == ["auth.token 3"]


def test_devices_of_evok_are_named_by_number() -> None:
    devices = [Device("do", "1", Point("A")), Device("do", "1", Point(" B"), unit="V")]
    assert named(evok=Evok(device=devices)) == ["evok.device 2"] * 3


def test_all_of_it_at_once() -> None:
    server, auth = Server(tls_key="k"), Auth(user_header="X")
    wrong = named(server=server, auth=auth, access=Access(administrators=["x"]), pvs=Pvs(["A", " "]))
    assert wrong == ["pvs.names", "server.tls_certificate", "access.administrators", "auth.user_header"]
