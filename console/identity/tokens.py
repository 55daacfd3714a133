"""Reads the provider's tokens: signature by its published keys, issuer, audience, times, nonce (OpenID Connect Core, 3.1.3.7)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.types import Options

ALGORITHMS = frozenset({"EdDSA", "ES256", "PS256", "RS256"})
"""Asymmetric ones only: a secret that the console shares would make it a signer."""
SKEW_S = 30.0
TOKEN_LIMIT, NAME_LIMIT, ROLES_LIMIT = 8 * 1_024, 200, 32


class Wrong(Exception):
    """A token that is not what it has to be; the text is a word that says in what."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One answer of the token endpoint, read. The access token is good from `since` to `until` (Unix, s); what is not given
    is ""."""

    access: str
    refresh: str
    id_token: str
    since: float
    until: float
    subject: str
    name: str
    tenant: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads tokens by the provider's keys."""

    issuer: str
    client_id: str
    clock: Callable[[], float]

    def id_claims(self, token: str, keys: Mapping[str, jwt.PyJWK], nonce: str | None) -> Mapping[str, Any]:
        """Claims of an id token; `nonce` None is not looked at (a refreshed one has none). Raises Wrong."""
        claims = self._verified(token, keys, self.client_id)
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self.client_id:
            raise Wrong("authorized_party")
        if nonce is not None and claims.get("nonce") != nonce:
            raise Wrong("nonce")
        return claims

    def access_claims(self, token: str, keys: Mapping[str, jwt.PyJWK], subject: str) -> Mapping[str, Any]:
        """Claims of an access token of the same person, as the services read them. Raises Wrong."""
        claims = self._verified(token, keys, None)
        if claims["sub"] != subject:
            raise Wrong("subject")
        tenant, roles = claims.get("tenant"), claims.get("roles")
        if not isinstance(tenant, str) or not 0 < len(tenant) <= NAME_LIMIT:
            raise Wrong("tenant")
        if not isinstance(roles, list) or len(roles) > ROLES_LIMIT or not all(isinstance(one, str) for one in roles):
            raise Wrong("roles")
        return claims

    def _verified(self, token: str, keys: Mapping[str, jwt.PyJWK], audience: str | None) -> dict[str, Any]:
        key = keys.get(key_id(token))
        if key is None:
            raise Wrong("key")
        options: Options = {
            "require": ["iss", "sub", "aud", "exp", "iat"], "verify_exp": False, "verify_nbf": False, "verify_iat": False,
            "verify_aud": audience is not None,
        }  # fmt: skip
        allowed = [key.algorithm_name]
        try:
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=allowed, issuer=self.issuer, audience=audience, options=options
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Wrong(_what(error)) from error
        self._check_times(claims)
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self.clock()
        if not _seconds(claims, "exp") > now - SKEW_S:
            raise Wrong("expired")
        if not _seconds(claims, "iat") <= now + SKEW_S:
            raise Wrong("from_the_future")


def key_id(token: str) -> str:
    """`kid` of a token's header; raises Wrong. A token without one is read by no key."""
    if len(token) > TOKEN_LIMIT:
        raise Wrong("too_large")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Wrong("malformed") from error
    if header.get("alg") not in ALGORITHMS:
        raise Wrong("algorithm")
    return str(header.get("kid", ""))


def usable(document: Any) -> Mapping[str, jwt.PyJWK]:
    """Signing keys of a key set by id; those that cannot be read are left out. Raises ValueError for no key set at all."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no key set")
    found = [key for entry in entries[:64] if (key := _key(entry)) is not None]
    return {str(key.key_id): key for key in found}


def name_of(claims: Mapping[str, Any]) -> str:
    """What to call a person: `name`, else `preferred_username`, else `sub`."""
    for told in (claims.get(name) for name in ("name", "preferred_username", "sub")):
        if isinstance(told, str) and told.strip():
            return "".join(sign for sign in told if sign.isprintable())[:NAME_LIMIT]
    raise Wrong("name")


def _key(entry: Any) -> jwt.PyJWK | None:
    if not isinstance(entry, dict) or not entry.get("kid") or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(entry)
    except jwt.PyJWTError:
        return None
    return key if key.algorithm_name in ALGORITHMS else None


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 253_402_300_800:
        raise Wrong(name)
    return value


def _what(error: Exception) -> str:
    match error:
        case jwt.InvalidIssuerError():
            return "issuer"
        case jwt.InvalidAudienceError():
            return "audience"
        case jwt.InvalidSignatureError():
            return "signature"
        case _:
            return "malformed"
