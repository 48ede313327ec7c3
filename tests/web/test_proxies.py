"""What is believed of a proxy, and of whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPServerRequest

from pycaserver.web.proxies import Proxies
from tests.web.requests import request

TRUSTED = ["127.0.0.1", "10.9.0.0/16", "fd00::/8"]
FORWARDED = "X-Forwarded-For"
USER = "X-Forwarded-User"


def address_of(asked: HTTPServerRequest) -> str:
    return Proxies(TRUSTED, "Remote-User").address_of(asked)


@pytest.mark.parametrize("peer", ["192.0.2.7", "2001:db8::7"])
def test_a_peer_without_a_proxy_has_its_own_address(peer: str) -> None:
    assert address_of(request(peer)) == peer


def test_an_ipv4_address_is_one_however_it_is_written() -> None:
    assert address_of(request("::ffff:192.0.2.7")) == "192.0.2.7"
    assert address_of(request("::ffff:127.0.0.1", {FORWARDED: "::ffff:192.0.2.7"})) == "192.0.2.7"


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "Via", "X-Real-Ip", "X-Forwarded-For", "X-Forwarded-User", "x-forwarded-host", "Remote-User"],
)
def test_what_came_through_an_untrusted_proxy_has_no_address(header: str) -> None:
    assert address_of(request("192.0.2.7", {header: "127.0.0.1"})) == ""


@pytest.mark.parametrize(
    ("hops", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.1, 192.0.2.7", "192.0.2.7"),  # what the peer itself has made up stands to the left
        ("192.0.2.7, 10.9.3.3", "192.0.2.7"),
        ("192.0.2.1 ,192.0.2.7,10.9.3.3 , 127.0.0.1", "192.0.2.7"),
        ("2001:db8::7, fd00::1", "2001:db8::7"),
        ("192.0.2.7, unknown", ""),
        ("192.0.2.7, 192.0.2.8:5000", ""),
        ("192.0.2.7, ", ""),
        ("10.9.3.3", ""),
        ("", ""),
    ],
)
def test_behind_trusted_proxies_the_rightmost_other_hop_counts(hops: str, address: str) -> None:
    assert address_of(request("127.0.0.1", {FORWARDED: hops})) == address


def test_a_trusted_proxy_that_tells_nothing_hides_the_address() -> None:
    """Else everybody behind a proxy that was set up badly would come from the proxy's own machine."""
    assert address_of(request("127.0.0.1")) == ""


def test_the_same_header_twice_is_one_list() -> None:
    asked = request("127.0.0.1")
    asked.headers.add(FORWARDED, "192.0.2.1")
    asked.headers.add(FORWARDED, "192.0.2.7")
    assert address_of(asked) == "192.0.2.7"


@given(made_up=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_no_header_gives_a_peer_the_address_of_another(made_up: str) -> None:
    assert address_of(request("192.0.2.7", {FORWARDED: made_up})) == ""
    assert address_of(request("127.0.0.1", {FORWARDED: f"{made_up}, 192.0.2.7"})) == "192.0.2.7"


def test_the_user_is_believed_of_trusted_proxies_only() -> None:
    proxies = Proxies(TRUSTED, USER)
    assert proxies.user_of(request("10.9.3.3", {USER: "anna"})) == "anna"
    assert proxies.user_of(request("192.0.2.7", {USER: "anna"})) is None
    assert proxies.user_of(request("192.0.2.7", {USER: "anna", FORWARDED: "10.9.3.3"})) is None
    assert proxies.user_of(request("10.9.3.3", {USER: ""})) is None
    assert proxies.user_of(request("10.9.3.3")) is None


def test_without_the_setting_there_is_no_user() -> None:
    assert Proxies(TRUSTED).user_of(request("127.0.0.1", {USER: "anna"})) is None


def test_two_users_are_none() -> None:
    asked = request("127.0.0.1", {USER: "root"})
    asked.headers.add(USER, "anna")
    with pytest.raises(ValueError, match="more than once"):
        Proxies(TRUSTED, USER).user_of(asked)


def test_tls_may_end_at_a_trusted_proxy() -> None:
    proxies, https = Proxies(TRUSTED), {"X-Forwarded-Proto": "https"}
    assert proxies.is_secure(request("127.0.0.1", https))
    assert not proxies.is_secure(request("192.0.2.7", https))
    assert not proxies.is_secure(request("127.0.0.1", {"X-Forwarded-Proto": "http"}))
    assert proxies.is_secure(request("192.0.2.7", protocol="https"))


def test_a_proxy_must_be_a_network() -> None:
    with pytest.raises(ValueError):
        Proxies(["proxy.example.org"])


@pytest.mark.parametrize("peer", ["192.0.2.7", "::1"])
def test_a_connection_without_a_proxy_is_direct(peer: str) -> None:
    assert Proxies(TRUSTED).is_direct(request(peer))


@pytest.mark.parametrize(
    ("peer", "headers"),
    [("127.0.0.1", {}), ("10.9.1.1", {}), ("192.0.2.7", {"Via": "1.1 x"}), ("::1", {FORWARDED: "::1"})],
)
def test_a_connection_through_a_proxy_is_not_direct(peer: str, headers: dict[str, str]) -> None:
    assert not Proxies(TRUSTED).is_direct(request(peer, headers))
