"""Authentication: verifies access tokens (JWT, RFC 9068) against one configured key set (JWKS).

Rules of RFC 8725: only the configured asymmetric algorithms are accepted, and of them only the one that the key is for; `kid`
is looked up in the configured JWKS only, and headers that bring or point to keys (`jku`, `x5u`, `jwk`) are never read. Every
failure raises Unauthenticated.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from kernel.core.clock import Clock, system_clock
from kernel.core.decider import Actor
from kernel.core.faults import Unauthenticated
from kernel.edge.tokens.claims import Revoked, TenantRules, actor_of, seconds_of
from kernel.edge.tokens.fetching import Fetch, fetch_from
from kernel.edge.tokens.keys import ALGORITHMS, LIFE_LIMIT_S, KeyPolicy, KeySet

TOKEN_TYPE = "at+jwt"
TOKEN_LIMIT_BYTES = 8 * 1024
PROVEN_LIMIT = 4_096
"""Cache of verified signatures, by the token's hash: the token not seen for longest is dropped past this count."""


@dataclass(frozen=True, slots=True)
class _Proven:
    """A token whose signature was verified with `key`; after a load of the keys it is verified again."""

    kid: str
    key: jwt.PyJWK
    claims: Mapping[str, Any]
    actor: Actor


class Verifier:
    """Verifier: turns an access token into an Actor, from the claims `sub` (id), `tenant` (organisation) and `roles` (list)."""

    def __init__(
        self,
        jwks: str,
        issuer: str,
        audience: str,
        *,
        clock: Clock = system_clock,
        policy: KeyPolicy | None = None,
        leeway_s: float = 10,
        life_limit_s: float = LIFE_LIMIT_S,
        fetch: Fetch | None = None,
        rules: TenantRules | None = None,
        algorithms: Collection[str] = ALGORITHMS,
    ) -> None:
        """`jwks` is a file path or an address; `leeway_s` is the clock skew that is tolerated; `life_limit_s` is the longest
        time from `nbf` (and `iat`) to `exp`."""
        self._keys = KeySet(fetch or fetch_from(jwks), clock, policy or KeyPolicy(), algorithms)
        self._issuer, self._audience = issuer, audience
        self._clock, self._leeway_s, self._life_limit_s = clock, leeway_s, life_limit_s
        self._rules = rules or TenantRules()
        self._proven: OrderedDict[bytes, _Proven] = OrderedDict()
        self._revoked = Revoked()
        self.watchers: list[Callable[[], None]] = []
        """Called after the list of revoked tokens has changed, so that open streams look again."""

    async def verify(self, token: str) -> Actor:
        """Actor of a token; raises Unauthenticated `token.<reason>`.

        The signature is verified once per token and key, because that is the costly part; times and key at every call.
        """
        proven = self._proven.get(digest := _digest(token))
        if proven is None or await self._keys.get(proven.kid) is not proven.key:
            proven = await self._prove(token)
        self._check_times(proven.claims)
        self._revoked.check(proven.claims)
        self._proven[digest] = proven
        self._proven.move_to_end(digest)
        if len(self._proven) > PROVEN_LIMIT:
            self._proven.popitem(last=False)
        return proven.actor

    def revoke(self, revoked: Revoked) -> None:
        """Takes the list of revoked tokens as it is now."""
        if revoked != self._revoked:
            self._revoked = revoked
            for watcher in self.watchers:
                watcher()

    def is_revoked(self, token: str) -> bool:
        """Whether a token that was verified before is revoked now."""
        try:
            self._revoked.check(jwt.decode(token, options={"verify_signature": False}))
        except (Unauthenticated, jwt.PyJWTError):
            return True
        return False

    def has_proven(self, token: str) -> bool:
        """Whether the token's signature was verified before: looking at such a token again is cheap."""
        return _digest(token) in self._proven

    def left_s(self, token: str) -> float:
        """Seconds until a token that `verify` has just accepted is refused as expired."""
        proven, now = self._proven.get(_digest(token)), self._clock().timestamp()
        return 0.0 if proven is None else seconds_of(proven.claims, "exp") + self._leeway_s - now

    async def _prove(self, token: str) -> "_Proven":
        kid = self._key_id(token)
        key = await self._keys.get(kid)
        claims = self._claims(token, key)
        self._check_life(claims)
        self._check_times(claims)
        return _Proven(kid, key, claims, actor_of(claims, self._rules))

    def _key_id(self, token: str) -> str:
        if len(token) > TOKEN_LIMIT_BYTES:
            raise Unauthenticated("token.too_large")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Unauthenticated("token.malformed") from error
        alg, kind, kid = (header.get(name) for name in ("alg", "typ", "kid"))
        if alg not in self._keys.algorithms:
            raise Unauthenticated("token.algorithm_not_allowed")
        if not isinstance(kind, str) or kind.lower().removeprefix("application/") != TOKEN_TYPE:
            raise Unauthenticated("token.type_not_allowed", expected=TOKEN_TYPE)
        if not isinstance(kid, str) or not kid:
            raise Unauthenticated("token.unknown_key")
        return kid

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                options={
                    "require": ["iss", "aud", "exp", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise _refusal(error) from error

    def _check_life(self, claims: Mapping[str, Any]) -> None:
        """Checks the token's whole life, so that a stolen token ends soon, also where an identity provider is too generous."""
        told = [seconds_of(claims, name) for name in ("nbf", "iat") if name in claims]
        if not told:
            raise Unauthenticated("token.claim_missing", claim="iat")
        begins = min(told)
        if seconds_of(claims, "exp") - begins > self._life_limit_s:
            raise Unauthenticated("token.lives_too_long", limit_s=int(self._life_limit_s))

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        """Checks `exp` and `nbf` (without it `iat`) by the clock of the constructor: PyJWT's own clock cannot be set in tests."""
        now = self._clock().timestamp()
        if not seconds_of(claims, "exp") > now - self._leeway_s:
            raise Unauthenticated("token.expired")
        if not seconds_of(claims, "nbf" if "nbf" in claims else "iat") <= now + self._leeway_s:
            raise Unauthenticated("token.not_yet_valid")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _refusal(error: Exception) -> Unauthenticated:
    match error:
        case jwt.InvalidIssuerError():
            return Unauthenticated("token.wrong_issuer")
        case jwt.InvalidAudienceError():
            return Unauthenticated("token.wrong_audience")
        case jwt.MissingRequiredClaimError():
            return Unauthenticated("token.claim_missing", claim=error.claim)
        case jwt.InvalidSignatureError() | jwt.InvalidAlgorithmError():
            return Unauthenticated("token.bad_signature")
        case _:
            return Unauthenticated("token.malformed")
