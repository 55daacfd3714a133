"""Authentication: verifies access tokens (JWT, RFC 9068) against one configured key set (JWKS).

Rules of RFC 8725: one asymmetric algorithm is accepted, `kid` is looked up in the configured JWKS only, and headers that
bring or point to keys (`jku`, `x5u`, `jwk`) are never read. Every failure raises Unauthenticated.
"""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jwt

from kernel.core.clock import Clock, system_clock
from kernel.core.decider import Actor
from kernel.core.faults import Unauthenticated
from kernel.edge.tokens.claims import Revoked, TenantRules, actor_of, seconds_of
from kernel.edge.tokens.fetching import JWKS_LIMIT_BYTES, Fetch, fetch_from

ALGORITHM = "EdDSA"
TOKEN_TYPE = "at+jwt"
TOKEN_LIMIT_BYTES = 8 * 1024
KEYS_LIMIT = 64
LIFE_LIMIT_S = 86_400
PROVEN_LIMIT = 4_096
"""Cache of verified signatures, by the token's hash: the token not seen for longest is dropped past this count."""


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """Key rotation policy, in seconds.

    `refresh_s` is the interval of routine loads: a retired key is refused after it. `retry_s` is the shortest interval
    between two loads, which bounds a flood of unknown key ids (`first_retry_s` before the first load has succeeded).
    `max_age_s` is how long keys stay trusted while loading fails. `fetch_s` is the deadline of one load.
    """

    refresh_s: float = 300
    retry_s: float = 60
    first_retry_s: float = 1
    max_age_s: float = 3600
    fetch_s: float = 5


@dataclass(slots=True)
class KeySet:
    """Cache of the configured public keys by key id, loaded at the first use."""

    fetch: Fetch
    clock: Clock
    policy: KeyPolicy
    keys: Mapping[str, jwt.PyJWK] = field(default_factory=dict)
    loaded_at: datetime | None = None
    tried_at: datetime | None = None
    loading: "asyncio.Task[None] | None" = None

    async def get(self, kid: str) -> jwt.PyJWK:
        """Key of that id; raises Unauthenticated `token.unknown_key` or `token.keys_unavailable`."""
        await self._freshen(kid)
        if self._older(self.loaded_at, self.policy.max_age_s):
            raise Unauthenticated("token.keys_unavailable")
        if kid not in self.keys:
            raise Unauthenticated("token.unknown_key")
        return self.keys[kid]

    def _older(self, since: datetime | None, limit_s: float) -> bool:
        return since is None or (self.clock() - since).total_seconds() >= limit_s

    def _due(self, kid: str) -> bool:
        wanted = kid not in self.keys or self._older(self.loaded_at, self.policy.refresh_s)
        return wanted and self._older(self.tried_at, self.policy.retry_s if self.keys else self.policy.first_retry_s)

    async def _freshen(self, kid: str) -> None:
        """Loads the keys when that is due. Requests for a key that is being loaded wait for the one load under way.

        The load is a task of its own: whoever asks with an unknown key and leaves would end it, again and again.
        """
        if self.loading is None:
            if not self._due(kid):
                return
            self.loading = asyncio.create_task(self._load(), name="load keys")
            self.loading.add_done_callback(self._loaded)
        elif kid in self.keys and not self._older(self.loaded_at, self.policy.max_age_s):
            return
        await asyncio.shield(self.loading)

    def _loaded(self, _: "asyncio.Task[None]") -> None:
        self.loading = None

    async def _load(self) -> None:
        self.tried_at = self.clock()
        try:
            async with asyncio.timeout(self.policy.fetch_s):
                keys = usable_keys(await self.fetch())
        except (OSError, ValueError):
            return
        self.keys, self.loaded_at = keys, self.clock()


def usable_keys(document: bytes) -> Mapping[str, jwt.PyJWK]:
    """Signing keys of a JWKS document by key id, of our algorithm only; raises ValueError when there is none."""
    if len(document) > JWKS_LIMIT_BYTES:
        raise ValueError("the key set is too large")
    loaded = json.loads(document)
    entries = loaded.get("keys") if isinstance(loaded, dict) else None
    if not isinstance(entries, list) or len(entries) > KEYS_LIMIT:
        raise ValueError("not a key set")
    parsed = [key for entry in entries if (key := _signing_key(entry))]
    keys = {str(key.key_id): key for key in parsed}
    if not keys or len(keys) != len(parsed):
        raise ValueError("no usable keys, or two with one id")
    return keys


def _signing_key(entry: Any) -> jwt.PyJWK | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(entry)
    except jwt.PyJWTError:
        return None
    return key if key.algorithm_name == ALGORITHM else None


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
    ) -> None:
        """`jwks` is a file path or an address; `leeway_s` is the clock skew that is tolerated; `life_limit_s` is the longest
        time from `nbf` (and `iat`) to `exp`."""
        self._keys = KeySet(fetch or fetch_from(jwks), clock, policy or KeyPolicy())
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
        if alg != ALGORITHM:
            raise Unauthenticated("token.algorithm_not_allowed")
        if not isinstance(kind, str) or kind.lower().removeprefix("application/") != TOKEN_TYPE:
            raise Unauthenticated("token.type_not_allowed")
        if not isinstance(kid, str) or not kid:
            raise Unauthenticated("token.unknown_key")
        return kid

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                options={
                    "require": ["iss", "aud", "exp", "nbf", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Unauthenticated(_code_of(error)) from error

    def _check_life(self, claims: Mapping[str, Any]) -> None:
        """Checks the token's whole life, so that a stolen token ends soon, also where an identity provider is too generous."""
        begins = min(seconds_of(claims, name) for name in ("nbf", "iat") if name in claims)
        if seconds_of(claims, "exp") - begins > self._life_limit_s:
            raise Unauthenticated("token.lives_too_long", limit_s=int(self._life_limit_s))

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        """Checks `exp` and `nbf` by the clock of the constructor: PyJWT's own clock cannot be set in tests."""
        now = self._clock().timestamp()
        if not seconds_of(claims, "exp") > now - self._leeway_s:
            raise Unauthenticated("token.expired")
        if not seconds_of(claims, "nbf") <= now + self._leeway_s:
            raise Unauthenticated("token.not_yet_valid")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _code_of(error: Exception) -> str:
    match error:
        case jwt.InvalidIssuerError():
            return "token.wrong_issuer"
        case jwt.InvalidAudienceError():
            return "token.wrong_audience"
        case jwt.MissingRequiredClaimError():
            return "token.claim_missing"
        case jwt.InvalidSignatureError():
            return "token.bad_signature"
        case _:
            return "token.malformed"
