"""JSON Web Tokens: what is believed, and all that is not."""

import base64
import hmac
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.sections import Jwt
from pycaserver.web.jwts import LEEWAY, RETRY_SECONDS, JwtVerifier
from tests.fakes import FakeClock
from tests.tokens import AUDIENCE, ISSUER, Provider


class TodaysClock(FakeClock):
    """Of today, as PyJWT looks at the real one."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.time()

    def wall(self) -> float:
        return self._began + self.now


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Made once: RSA keys take their time."""
    return Provider(tmp_path_factory.mktemp("keys") / "jwks.json", "first", "second").keys


@pytest.fixture
def provider(tmp_path: Path, keys: dict[str, Any]) -> Provider:
    provider = Provider.__new__(Provider)
    provider.file, provider.keys = tmp_path / "jwks.json", dict(keys)
    provider.publish("first")
    return provider


@pytest.fixture
def clock() -> TodaysClock:
    return TodaysClock()


def verifier_of(provider: Provider, clock: FakeClock, **settings: str) -> JwtVerifier:
    return JwtVerifier(Jwt(issuer=ISSUER, audience=AUDIENCE, jwks_file=str(provider.file), **settings), clock)


@pytest.fixture
def verifier(provider: Provider, clock: TodaysClock) -> JwtVerifier:
    return verifier_of(provider, clock)


def refusal(verifier: JwtVerifier, token: str) -> str:
    with pytest.raises(ValueError) as caught:
        verifier.subject(token)
    assert len(token) < 8 or token not in str(caught.value)
    return str(caught.value)


def forged(header: dict[str, Any], claims: dict[str, Any], key: bytes = b"") -> str:
    """A token whose signature is made with HMAC, whatever its header says; PyJWT would refuse to make it."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.digest(key, b".".join(parts), "sha256") if key else b""
    return b".".join((*parts, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()


CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "root", "exp": 2**33}


def test_a_token_tells_user_groups_and_expiry(verifier: JwtVerifier, provider: Provider, clock: TodaysClock) -> None:
    user, groups, expires = verifier.subject(provider.token(lives=60))
    assert (user, groups) == ("anna", ("operators",))
    assert clock.wall() + 50 < expires < clock.wall() + 70


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()])
def test_other_asymmetric_keys_are_as_good(provider: Provider, clock: TodaysClock, key: Any) -> None:
    provider.add("other", key)
    provider.publish()
    assert verifier_of(provider, clock).subject(provider.token("other")).user == "anna"


def test_the_claims_can_be_named(provider: Provider, clock: TodaysClock) -> None:
    verifier = verifier_of(provider, clock, user_claim="preferred_username", groups_claim="roles")
    subject = verifier.subject(provider.token(preferred_username="ann", roles=["a", 5, "b"]))
    assert (subject.user, subject.groups) == ("ann", ("a", "b"))
    assert "user_claim" in refusal(verifier, provider.token())


@pytest.mark.parametrize("groups", [None, "operators", {"a": 1}, 5])
def test_groups_of_another_form_are_none(verifier: JwtVerifier, provider: Provider, groups: Any) -> None:
    assert verifier.subject(provider.token(groups=groups)).groups == ()


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"lives": -3600}, "has expired"),
        ({"lives": -LEEWAY / 2}, "has expired"),  # the leeway is for the other claims
        ({"exp": None}, "lacks one of the claims"),
        ({"exp": "soon"}, "not a valid one"),
        ({"exp": []}, "not a valid one"),
        ({"nbf": 2**33}, "not valid yet"),
        ({"iat": 2**33}, "not valid yet"),
        ({"iss": "https://evil.example.org"}, "another issuer"),
        ({"iss": None}, "lacks one of the claims"),
        ({"aud": "another"}, "another audience"),
        ({"aud": None}, "lacks one of the claims"),
        ({"aud": ["another", AUDIENCE + "2"]}, "another audience"),
        ({"sub": None}, "user_claim"),
        ({"sub": ""}, "printable"),
        ({"sub": "anna\nroot"}, "printable"),
    ],
)
def test_claims_that_are_refused(verifier: JwtVerifier, provider: Provider, claims: dict[str, Any], why: str) -> None:
    assert why in refusal(verifier, provider.token(**claims))


def test_one_of_several_audiences_is_enough(verifier: JwtVerifier, provider: Provider) -> None:
    assert verifier.subject(provider.token(aud=["another", AUDIENCE])).user == "anna"


def test_expiry_is_by_our_clock(verifier: JwtVerifier, provider: Provider, clock: TodaysClock) -> None:
    token = provider.token(lives=600)
    clock.advance(601)
    assert "has expired" in refusal(verifier, token)


def test_a_changed_token_is_none(verifier: JwtVerifier, provider: Provider) -> None:
    head, claims, signature = provider.token().split(".")
    other = provider.token(sub="root").split(".")[1]
    for token in (f"{head}.{other}.{signature}", f"{head}.{claims}.", f"{head}.{claims}.{signature[:-8]}AAAAAAAA"):
        assert "not a valid one" in refusal(verifier, token)


def test_a_key_that_is_not_published_is_none(verifier: JwtVerifier, provider: Provider) -> None:
    assert "not a valid one" in refusal(verifier, provider.token("second"))
    stolen_name = jwt.encode(CLAIMS, provider.keys["second"], "RS256", headers={"kid": "first"})
    assert "not a valid one" in refusal(verifier, stolen_name)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None])
def test_no_signature_is_no_token(verifier: JwtVerifier, algorithm: str | None) -> None:
    assert "not a valid one" in refusal(verifier, forged({"alg": algorithm, "kid": "first"}, CLAIMS))


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "PS256", "ES256"])
def test_the_public_key_is_no_secret(verifier: JwtVerifier, provider: Provider, algorithm: str) -> None:
    for secret in (provider.public_pem("first"), json.dumps(provider.public_jwk("first")).encode()):
        assert "not a valid one" in refusal(verifier, forged({"alg": algorithm, "kid": "first"}, CLAIMS, secret))


def test_the_token_does_not_choose_the_algorithm(verifier: JwtVerifier, provider: Provider) -> None:
    assert "not a valid one" in refusal(verifier, provider.token(algorithm="PS256"))


def test_shared_secrets_in_the_file_are_no_keys(provider: Provider, clock: TodaysClock) -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    shared = {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(secret).rstrip(b"=").decode()}
    provider.file.write_text(json.dumps({"keys": [shared, provider.public_jwk("first")]}))
    verifier = verifier_of(provider, clock)
    assert "not a valid one" in refusal(verifier, jwt.encode(CLAIMS, secret, "HS256", headers={"kid": "shared"}))


def test_keys_for_encryption_sign_nothing(provider: Provider, clock: TodaysClock) -> None:
    keys = [provider.public_jwk("first") | {"use": "enc"}, provider.public_jwk("second")]
    provider.file.write_text(json.dumps({"keys": keys}))
    assert "not a valid one" in refusal(verifier_of(provider, clock), provider.token("first"))


def test_a_short_key_is_no_key(provider: Provider, clock: TodaysClock) -> None:
    provider.add("short", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    provider.publish("short")
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        token = provider.token("short")
    assert "not a valid one" in refusal(verifier_of(provider, clock), token)


def test_a_token_may_leave_out_the_name_of_the_only_key(provider: Provider, clock: TodaysClock) -> None:
    nameless = jwt.encode(CLAIMS | {"sub": "anna"}, provider.keys["first"], "RS256")
    assert verifier_of(provider, clock).subject(nameless).user == "anna"
    provider.publish("first", "second")
    assert "not a valid one" in refusal(verifier_of(provider, clock), nameless)


@given(token=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=80))
def test_whatever_comes_is_refused_in_words(token: str) -> None:
    assert "not a valid one" in refusal(SHARED[0], token)


SHARED: list[JwtVerifier] = []


@pytest.fixture(autouse=True)
def _share(verifier: JwtVerifier) -> None:
    SHARED[:] = [verifier]


@pytest.mark.parametrize(
    "json_text", ["[" * 5000, '{"alg": 5}', "[]", "null", '{"alg":"RS256","kid":[1]}', '{"kid":{}}']
)
def test_strange_heads_are_refused_in_words(verifier: JwtVerifier, json_text: str) -> None:
    head = base64.urlsafe_b64encode(json_text.encode()).rstrip(b"=").decode()
    assert "not a valid one" in refusal(verifier, f"{head}.e30.AAAA")


# -- rotation


def test_keys_are_rotated_by_the_file(verifier: JwtVerifier, provider: Provider) -> None:
    old, new = provider.token("first"), provider.token("second")
    provider.publish("first", "second")
    assert verifier.subject(new).user == verifier.subject(old).user == "anna"
    provider.publish("second")
    assert verifier.subject(new).user == "anna"
    assert "not a valid one" in refusal(verifier, old)


def test_an_unknown_key_makes_it_look_again_now_and_then(
    verifier: JwtVerifier, provider: Provider, clock: TodaysClock
) -> None:
    """A file that was replaced within the resolution of its time stamp, or under a copied one."""
    before = os.stat(provider.file)
    text = provider.file.read_text().replace('"kid": "first"', '"kid": "firsT"')
    provider.file.write_text(text)
    os.utime(provider.file, ns=(before.st_atime_ns, before.st_mtime_ns))
    provider.keys["firsT"] = provider.keys["first"]
    token = provider.token("firsT")
    refusal(verifier, token)
    clock.advance(RETRY_SECONDS + 1)
    assert verifier.subject(token).user == "anna"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA"}]}', None])
def test_a_bad_file_leaves_the_keys_and_is_told(
    verifier: JwtVerifier, provider: Provider, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    if content is None:
        provider.file.unlink()
    else:
        provider.file.write_text(content)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert verifier.subject(provider.token()).user == "anna"
    (line,) = caplog.messages
    assert "the keys stay as they were" in line and str(provider.file) in line


@pytest.mark.parametrize("content", ["", "{", "null", "[1]", '{"keys": 5}', '{"keys": []}', "[" * 100_000, b"\xff\xfe"])
def test_a_bad_file_at_the_start_is_an_error(provider: Provider, clock: TodaysClock, content: str | bytes) -> None:
    provider.file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(OSError, match="jwks"):
        verifier_of(provider, clock)


def test_no_file_at_the_start_is_an_error(provider: Provider, clock: TodaysClock) -> None:
    provider.file.unlink()
    with pytest.raises(OSError, match="jwks"):
        verifier_of(provider, clock)
