"""Who signs a test's tokens, and who checks them: one issuer and one audience for all tests of the edge."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from kernel.core.clock import Clock, system_clock
from kernel.core.faults import Unauthenticated
from kernel.core.ids import derived_id
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer

ISSUER, AUDIENCE = "https://issuer.test", "dandelion"


def organisation(name: str) -> str:
    """The id of the organisation of that name, the same in every test."""
    return derived_id("organisation", name)


ACME, EVIL = organisation("acme"), organisation("evil")


def issuer_at(folder: Path, clock: Clock = system_clock) -> Issuer:
    """The issuer whose key and key set stand in the folder."""
    return Issuer.at(folder, ISSUER, AUDIENCE, clock)


def verifier_at(folder: Path, clock: Clock = system_clock, **options: Any) -> Verifier:
    """A verifier that trusts the issuer of the folder; `options` are those of Verifier."""
    return Verifier(str(folder / "jwks.json"), ISSUER, AUDIENCE, clock=clock, **options)


class Hand:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Source:
    """A JWKS somewhere else: counts loads, may be down."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document, self.loads, self.down = document, 0, False

    async def __call__(self) -> bytes:
        self.loads += 1
        await asyncio.sleep(0)
        if self.down:
            raise OSError("no route to host")
        return json.dumps(self.document).encode()


def claims(clock: Hand, **changes: Any) -> dict[str, Any]:
    given = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "tenant": ACME,
        "roles": ["brand"],
        "nbf": clock.now,
        "exp": clock.now + timedelta(seconds=60),
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def signed(issuer: Issuer, body: dict[str, Any], **header: Any) -> str:
    return jwt.encode(body, issuer.key, algorithm="EdDSA", headers={"kid": issuer.kid, "typ": "at+jwt", **header})


async def refusal(verifier: Verifier, token: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        await verifier.verify(token)
    return refused.value.code
