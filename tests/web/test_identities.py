"""Who a request is of, by each means, and what is done about what is wrong."""

import logging
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.errors import PycaError
from pycaserver.sections import Auth, Jwt, Token
from pycaserver.web.attempts import FREE
from pycaserver.web.identities import Identities
from pycaserver.web.logins import COOKIE, Proven
from tests.fakes import FakeClock
from tests.tokens import AUDIENCE, ISSUER, Provider
from tests.web.requests import request

PEER, PROXY = "192.0.2.7", "10.9.3.3"
USER_HEADER = "X-Forwarded-User"
ANNAS, BOBS = "a token of anna", "a token of bob"


def token_of(user: str, token: str, *groups: str) -> Token:
    return Token(user=user, sha256=sha256(token.encode()).hexdigest(), groups=groups)


def settings(**changed: Any) -> Auth:
    tokens = [token_of("anna", ANNAS, "operators"), token_of("bob", BOBS)]
    return Auth(**{"token": tokens, "user_header": USER_HEADER} | changed)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def identities(clock: FakeClock) -> Identities:
    return Identities(settings(), [PROXY], clock)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def cookie(id: str) -> dict[str, str]:
    return {"Cookie": f"other=1; {COOKIE}={id}"}


def code_of(identities: Identities, token: str, counted: str = PEER) -> str:
    """What is done about a token: its user, or the code of the error."""
    try:
        return identities.authenticate(token, counted, counted).user
    except PycaError as error:
        assert token not in error.message or len(token) < 3
        return error.code


def test_without_anything_it_is_anonymous(identities: Identities) -> None:
    identity = identities.of_request(request(PEER))
    assert identity == Proven(address=PEER)
    assert identities.stands(identity)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_a_token_in_the_header(identities: Identities, scheme: str) -> None:
    identity = identities.of_request(request(PEER, {"Authorization": f"{scheme} {ANNAS}"}))
    shown = (identity.user, identity.groups, identity.means, identity.address, identity.expires)
    assert shown == ("anna", ("operators",), "token", PEER, None)


@pytest.mark.parametrize(
    "token", ["", "wrong", ANNAS + "x", ANNAS.upper(), sha256(ANNAS.encode()).hexdigest(), "Ü", "a.b.c"]
)
def test_a_wrong_token_is_refused_and_not_ignored(identities: Identities, token: str) -> None:
    with pytest.raises(PycaError) as caught:
        identities.of_request(request(PEER, bearer(token)))
    assert caught.value.code == "unauthenticated"


def test_another_scheme_is_not_ours(identities: Identities) -> None:
    """As a proxy that has asked for a password may pass it on."""
    assert identities.of_request(request(PEER, {"Authorization": "Basic YW5uYTpw"})).means == "anonymous"


@given(token=st.text(max_size=50))
def test_only_the_tokens_themselves_are_right(token: str) -> None:
    identities = Identities(settings(), [], FakeClock())
    assert code_of(identities, token) == {ANNAS: "anna", BOBS: "bob"}.get(token, "unauthenticated")


def test_a_lone_surrogate_is_a_wrong_token(identities: Identities) -> None:
    assert code_of(identities, "\ud800") == "unauthenticated"


def test_a_cookie_stands_for_the_token(identities: Identities) -> None:
    id = identities.logins.open(identities.authenticate(ANNAS, PEER, PEER))
    identity = identities.of_request(request("192.0.2.8", cookie(id)))
    assert (identity.user, identity.means, identity.address) == ("anna", "token", "192.0.2.8")
    assert identities.stands(identity)


def test_a_cookie_of_old_is_anonymous(identities: Identities) -> None:
    assert identities.of_request(request(PEER, cookie("gone"))).means == "anonymous"


def test_a_token_beats_a_cookie(identities: Identities) -> None:
    id = identities.logins.open(identities.authenticate(ANNAS, PEER, PEER))
    assert identities.of_request(request(PEER, {**cookie(id), **bearer(BOBS)})).user == "bob"


def test_a_trusted_proxy_names_the_user(identities: Identities) -> None:
    headers = {USER_HEADER: "carol", "X-Forwarded-For": PEER, **bearer("of the proxy's own")}
    identity = identities.of_request(request(PROXY, headers))
    assert (identity.user, identity.groups, identity.means, identity.address) == ("carol", (), "proxy", PEER)


def test_nobody_else_names_the_user(identities: Identities) -> None:
    identity = identities.of_request(request(PEER, {USER_HEADER: "carol"}))
    assert (identity.user, identity.means, identity.address) == ("", "anonymous", "")


@pytest.mark.parametrize("user", ["car\tol", "c" * 300])
def test_a_name_that_is_none_is_refused(identities: Identities, user: str) -> None:
    with pytest.raises(PycaError) as caught:
        identities.of_request(request(PROXY, {USER_HEADER: user}))
    assert caught.value.code == "unauthenticated"


def test_guessing_is_slowed_for_the_guesser(identities: Identities, clock: FakeClock) -> None:
    assert [code_of(identities, f"guess {n}") for n in range(FREE + 2)] == ["unauthenticated"] * (FREE + 1) + [
        "rate_limited"
    ]
    assert code_of(identities, ANNAS) == "rate_limited"
    assert code_of(identities, ANNAS, "192.0.2.8") == "anna"
    clock.advance(1)
    assert code_of(identities, ANNAS) == "anna"
    for n in range(20):
        code_of(identities, f"guess {n}")
    assert code_of(identities, ANNAS) == "anna"
    assert code_of(identities, BOBS) == "rate_limited"


def test_failures_behind_a_proxy_count_for_the_peer_behind_it(identities: Identities) -> None:
    for n in range(20):
        with pytest.raises(PycaError):
            identities.of_request(request(PROXY, {"X-Forwarded-For": PEER, **bearer(f"guess {n}")}))
    assert code_of(identities, ANNAS, PEER) == "rate_limited"
    assert identities.of_request(request(PROXY, {"X-Forwarded-For": "192.0.2.8", **bearer(ANNAS)})).user == "anna"


def test_failures_are_in_the_log_without_the_token(identities: Identities, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        code_of(identities, "a wrong token")
        code_of(identities, ANNAS)
    assert caplog.messages == [f"a log-in from {PEER} failed: The token is not known."]


# -- what is taken back


def test_a_token_that_is_removed_or_changed_stands_no_longer(identities: Identities) -> None:
    before = [identities.authenticate(token, PEER, PEER) for token in (ANNAS, BOBS)]
    by_cookie = identities.of_request(request(PEER, cookie(identities.logins.open(before[0]))))
    withdrawn = []
    identities.on_withdrawal = lambda: withdrawn.extend(map(identities.stands, [*before, by_cookie]))
    identities.replace(settings())
    assert withdrawn == [True, True, True]
    identities.replace(settings(token=[token_of("anna", ANNAS, "guests"), token_of("bob", BOBS)]))
    assert withdrawn[3:] == [False, True, False]
    assert identities.authenticate(ANNAS, PEER, PEER).groups == ("guests",)
    identities.replace(settings(token=[]))
    assert withdrawn[6:] == [False, False, False]
    assert code_of(identities, BOBS) == "unauthenticated"


def test_a_cookie_whose_token_is_removed_is_anonymous(identities: Identities) -> None:
    id = identities.logins.open(identities.authenticate(ANNAS, PEER, PEER))
    identities.replace(settings(token=[]))
    assert identities.of_request(request(PEER, cookie(id))).means == "anonymous"


def test_logging_out_ends_what_came_with_the_cookie(identities: Identities) -> None:
    proven = identities.authenticate(ANNAS, PEER, PEER)
    id = identities.logins.open(proven)
    by_cookie = identities.of_request(request(PEER, cookie(id)))
    identities.log_out(id)
    assert not identities.stands(by_cookie)
    assert identities.stands(proven)


def test_the_word_of_a_proxy_stands_as_long_as_the_header_counts(identities: Identities) -> None:
    identity = identities.of_request(request(PROXY, {USER_HEADER: "carol"}))
    identities.replace(settings(required=True))
    assert identities.stands(identity) and identities.required
    identities.replace(settings(user_header="Remote-User"))
    assert not identities.stands(identity)


# -- JSON Web Tokens


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path / "jwks.json")


def with_provider(provider: Provider, **changed: str) -> Auth:
    return settings(jwt=Jwt(**{"issuer": ISSUER, "audience": AUDIENCE, "jwks_file": str(provider.file)} | changed))


def test_a_json_web_token_counts_until_it_expires(identities: Identities, provider: Provider, clock: FakeClock) -> None:
    identities.replace(with_provider(provider))
    identity = identities.of_request(request(PEER, bearer(provider.token(exp=2**33))))
    assert (identity.user, identity.groups, identity.means) == ("anna", ("operators",), "jwt")
    assert identity.expires == 2**33
    clock.advance(2**33 - clock.wall())
    assert not identities.stands(identity)


def test_a_json_web_token_needs_a_provider(identities: Identities, provider: Provider) -> None:
    assert code_of(identities, provider.token()) == "unauthenticated"


def test_a_very_long_token_is_not_looked_at(identities: Identities, provider: Provider) -> None:
    identities.replace(with_provider(provider))
    assert code_of(identities, provider.token(exp=2**33, padding="x" * 20000)) == "unauthenticated"


def test_another_provider_ends_what_the_former_has_proven(identities: Identities, provider: Provider) -> None:
    identities.replace(with_provider(provider))
    identity = identities.authenticate(provider.token(exp=2**33), PEER, PEER)
    identities.replace(with_provider(provider))
    assert identities.stands(identity)
    identities.replace(with_provider(provider, audience="another"))
    assert not identities.stands(identity)


def test_settings_that_cannot_be_used_change_nothing(identities: Identities, provider: Provider) -> None:
    provider.file.write_text("{}")
    with pytest.raises(OSError):
        identities.replace(with_provider(provider))
    assert code_of(identities, ANNAS) == "anna"


@pytest.mark.parametrize(("auth", "login"), [(Auth(), False), (settings(), True)])
def test_it_knows_whether_there_is_something_to_log_in_with(auth: Auth, login: bool) -> None:
    assert Identities(auth, [PROXY], FakeClock()).has_login is login
