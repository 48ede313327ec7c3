"""Bearer tokens and JSON Web Tokens for tests, the keys that sign them, and the settings that make them count."""

import json
import time
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://login.example.org/realms/beamline"
AUDIENCE = "pycaserver"


def token_section(user: str, token: str, groups: Iterable[str] = ()) -> str:
    """An [[auth.token]] of a settings file."""
    digest = sha256(token.encode()).hexdigest()
    return f'[[auth.token]]\nuser = "{user}"\ngroups = {json.dumps([*groups])}\nsha256 = "{digest}"\n'


class Provider:
    """An identity provider: signs tokens, and writes its public keys to a file."""

    def __init__(self, file: Path, *kids: str) -> None:
        self.file = file
        self.keys: dict[str, Any] = {}
        for kid in kids or ("first",):
            self.add(kid)
        self.publish()

    def add(self, kid: str, key: Any = None) -> None:
        """A further key; RSA unless one is given."""
        self.keys[kid] = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def publish(self, *kids: str) -> None:
        """Write the public keys of these, or of all."""
        keys = [self.public_jwk(kid) for kid in kids or self.keys]
        self.file.write_text(json.dumps({"keys": keys}))

    def public_jwk(self, kid: str) -> dict[str, Any]:
        """As it stands in the file."""
        key = self.keys[kid]
        algorithm, name = next(names for kind, names in _ALGORITHMS.items() if isinstance(key, kind))
        return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": name, "use": "sig"}

    def public_pem(self, kid: str) -> bytes:
        """The public key as text, which is no secret."""
        return self.keys[kid].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def token(self, kid: str = "first", *, lives: float = 600, algorithm: str | None = None, **claims: Any) -> str:
        """A token of anna's that lives so many seconds; a claim that is None is left out."""
        named = {"iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "groups": ["operators"], "exp": time.time() + lives}
        payload = {name: value for name, value in (named | claims).items() if value is not None}
        key = self.keys[kid]
        name = algorithm or next(names[1] for kind, names in _ALGORITHMS.items() if isinstance(key, kind))
        return jwt.encode(payload, key, algorithm=name, headers={"kid": kid})


_ALGORITHMS: dict[type, tuple[Any, str]] = {
    rsa.RSAPrivateKey: (RSAAlgorithm, "RS256"),
    ec.EllipticCurvePrivateKey: (ECAlgorithm, "ES256"),
    ed25519.Ed25519PrivateKey: (OKPAlgorithm, "EdDSA"),
}
