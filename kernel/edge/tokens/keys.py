"""The issuer's public keys: one configured key set (JWKS), by key id, of the algorithms that the settings allow."""

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kernel.core.clock import Clock
from kernel.core.faults import Unauthenticated
from kernel.edge.tokens.fetching import JWKS_LIMIT_BYTES, Fetch

ALGORITHMS = frozenset({"EdDSA"})
"""What a key may sign with where the settings name nothing else (`DANDELION_TOKEN_ALGORITHMS`)."""
KEYS_LIMIT = 64
LEAST_RSA_BITS = 2_048
LIFE_LIMIT_S = 86_400
"""Longest life of a token where the settings name no other."""


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
    algorithms: Collection[str] = ALGORITHMS
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
                keys = usable_keys(await self.fetch(), self.algorithms)
        except (OSError, ValueError):
            return
        self.keys, self.loaded_at = keys, self.clock()


def usable_keys(document: bytes, algorithms: Collection[str] = ALGORITHMS) -> Mapping[str, jwt.PyJWK]:
    """Signing keys of a JWKS document by key id, of these algorithms only; raises ValueError when there is none."""
    if len(document) > JWKS_LIMIT_BYTES:
        raise ValueError("the key set is too large")
    loaded = json.loads(document)
    entries = loaded.get("keys") if isinstance(loaded, dict) else None
    if not isinstance(entries, list) or len(entries) > KEYS_LIMIT:
        raise ValueError("not a key set")
    parsed = [key for entry in entries if (key := _signing_key(entry, algorithms))]
    keys = {str(key.key_id): key for key in parsed}
    if not keys or len(keys) != len(parsed):
        raise ValueError("no usable keys, or two with one id")
    return keys


def _signing_key(entry: Any, algorithms: Collection[str]) -> jwt.PyJWK | None:
    """The key of one entry; None for a key of another use or algorithm, for one we cannot read, and for a short RSA key."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(entry)
    except jwt.PyJWTError:
        return None
    is_short = isinstance(key.key, RSAPublicKey) and key.key.key_size < LEAST_RSA_BITS
    return key if key.algorithm_name in algorithms and not is_short else None
