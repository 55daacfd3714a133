"""Token issuer for development: `make up`, the demo and tests. In production an identity provider issues access tokens."""

import json
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from kernel.core.clock import Clock, system_clock
from kernel.edge.tokens.auth import TOKEN_TYPE

TTL_S = 900


class Issuer:
    """Issuer of short-lived access tokens, with a key of its own. Development only: a reader of the key can act as anybody."""

    def __init__(self, key: Ed25519PrivateKey, kid: str, issuer: str, audience: str, clock: Clock) -> None:
        self.key, self.kid = key, kid
        self._issuer, self._audience, self._clock = issuer, audience, clock

    @classmethod
    def at(cls, folder: Path, issuer: str, audience: str, clock: Clock = system_clock) -> "Issuer":
        """Issuer of a folder: creates `key.pem` if missing (readable by its owner only), and writes `jwks.json`."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(folder / "key.pem")
        opened = cls.of(folder / "key.pem", issuer, audience, clock)
        (folder / "jwks.json").write_text(json.dumps(opened.jwks()))
        return opened

    @classmethod
    def of(cls, key_file: Path, issuer: str, audience: str, clock: Clock = system_clock) -> "Issuer":
        """Issuer of a key that is there; raises OSError without the file, TypeError for another kind of key."""
        opened = cls(_load(key_file), "", issuer, audience, clock)
        opened.kid = opened.jwk["x"][:16]
        return opened

    @property
    def jwk(self) -> dict[str, str]:
        """Public key as a JWK without key id."""
        return OKPAlgorithm.to_jwk(self.key.public_key(), as_dict=True)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Key set (JWKS) that the services are configured to trust."""
        return {"keys": [{**self.jwk, "kid": self.kid, "use": "sig", "alg": "EdDSA"}]}

    def issue(self, subject: str, tenant: str, *roles: str, ttl_s: int = TTL_S) -> str:
        """Access token for `subject` acting for `tenant`, valid for `ttl_s` seconds from now."""
        claims = {"aud": self._audience, "sub": subject, "tenant": tenant, "roles": sorted(roles)}
        return self.sign({**claims, "jti": secrets.token_hex(8)}, ttl_s, TOKEN_TYPE)

    def sign(self, claims: Mapping[str, Any], ttl_s: int, kind: str) -> str:
        """Token of these claims and of header `typ` `kind`, from this issuer and valid for `ttl_s` seconds from now."""
        now = self._clock()
        times = {"iat": now, "nbf": now, "exp": now + timedelta(seconds=ttl_s)}
        headers = {"kid": self.kid, "typ": kind}
        return jwt.encode({"iss": self._issuer, **claims, **times}, self.key, algorithm="EdDSA", headers=headers)


def _make(path: Path) -> None:
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)


def _load(path: Path) -> Ed25519PrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} holds no Ed25519 key")
    return key
