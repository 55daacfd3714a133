"""Only tokens of the configured issuer, key set, algorithm, type and time are believed (RFC 8725)."""

import base64
import hashlib
import hmac
import json
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

from kernel.core.decider import Actor
from kernel.core.faults import Unauthenticated
from kernel.edge.tokens.auth import TOKEN_LIMIT_BYTES, Verifier
from kernel.edge.tokens.claims import TenantRules, actor_of
from kernel.edge.tokens.dev_issuer import Issuer
from tests.kit.issuing import ACME, AUDIENCE, ISSUER, Hand, claims, refusal, signed


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def issuer(tmp_path: Path, clock: Hand) -> Issuer:
    return Issuer.at(tmp_path / "keys", ISSUER, AUDIENCE, clock)


@pytest.fixture
def verifier(tmp_path: Path, clock: Hand, issuer: Issuer) -> Verifier:
    return Verifier(str(tmp_path / "keys" / "jwks.json"), ISSUER, AUDIENCE, clock=clock)


async def test_a_token_becomes_an_actor(verifier: Verifier, issuer: Issuer) -> None:
    actor = await verifier.verify(issuer.issue("ann", ACME, "agency", "brand"))
    assert actor == Actor("ann", ACME, frozenset({"agency", "brand"}))


async def test_issuer_keeps_its_key_to_itself_and_over_restarts(
    tmp_path: Path, verifier: Verifier, issuer: Issuer, clock: Hand
) -> None:
    again = Issuer.at(tmp_path / "keys", ISSUER, AUDIENCE, clock)
    assert (await verifier.verify(again.issue("ann", ACME))).id == "ann"
    assert stat.S_IMODE((tmp_path / "keys" / "key.pem").stat().st_mode) == 0o600
    assert "d" not in issuer.jwks()["keys"][0]


Forge = Callable[[Issuer, Hand], str]


def unsigned(issuer: Issuer, clock: Hand) -> str:
    return jwt.encode(claims(clock), "", algorithm="none", headers={"kid": issuer.kid, "typ": "at+jwt"})


def public_key_as_secret(issuer: Issuer, clock: Hand) -> str:
    """The classic confusion: HS256 with the public key's bytes; made by hand, as PyJWT refuses to."""
    times = {"nbf": int(clock.now.timestamp()), "exp": int(clock.now.timestamp()) + 60}
    parts = ({"alg": "HS256", "typ": "at+jwt", "kid": issuer.kid}, claims(clock, **times))
    text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    secret = issuer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.new(secret, text, hashlib.sha256).digest()
    return (text + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


def own_key_embedded(issuer: Issuer, clock: Hand) -> str:
    mine = ed25519.Ed25519PrivateKey.generate()
    header = {"kid": issuer.kid, "typ": "at+jwt", "jwk": OKPAlgorithm.to_jwk(mine.public_key(), as_dict=True)}
    return jwt.encode(claims(clock), mine, algorithm="EdDSA", headers=header)


def own_key_by_address(issuer: Issuer, clock: Hand) -> str:
    header = {"kid": issuer.kid, "typ": "at+jwt", "jku": "https://evil.test/jwks", "x5u": "https://evil.test/x5u"}
    return jwt.encode(claims(clock), ed25519.Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=header)


def other_asymmetric(issuer: Issuer, clock: Hand) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(claims(clock), key, algorithm="ES256", headers={"kid": issuer.kid, "typ": "at+jwt"})


def changed_after_signing(issuer: Issuer, clock: Hand) -> str:
    head, _, signature = signed(issuer, claims(clock)).split(".")
    other = signed(issuer, claims(clock, tenant="platform", roles=["operator"])).split(".")[1]
    return f"{head}.{other}.{signature}"


def with_claims(**changes: Any) -> Forge:
    return lambda issuer, clock: signed(issuer, claims(clock, **changes))


def with_header(**changes: Any) -> Forge:
    return lambda issuer, clock: signed(issuer, claims(clock), **changes)


def later(seconds: int) -> Callable[[str], Forge]:
    return lambda name: (
        lambda issuer, clock: signed(issuer, claims(clock, **{name: clock.now + timedelta(seconds=seconds)}))
    )


def without_nbf(seconds: int) -> Forge:
    return lambda issuer, clock: signed(
        issuer,
        claims(
            clock, nbf=None, iat=clock.now + timedelta(seconds=seconds), exp=clock.now + timedelta(seconds=seconds + 60)
        ),
    )


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        pytest.param(unsigned, "token.algorithm_not_allowed", id="alg none"),
        pytest.param(public_key_as_secret, "token.algorithm_not_allowed", id="HS256 with the public key"),
        pytest.param(other_asymmetric, "token.algorithm_not_allowed", id="an algorithm not configured"),
        pytest.param(own_key_embedded, "token.bad_signature", id="embedded jwk"),
        pytest.param(own_key_by_address, "token.bad_signature", id="jku and x5u"),
        pytest.param(changed_after_signing, "token.bad_signature", id="claims changed"),
        pytest.param(with_claims(aud="another"), "token.wrong_audience", id="audience"),
        pytest.param(with_claims(iss="https://evil.test"), "token.wrong_issuer", id="issuer"),
        pytest.param(later(-11)("exp"), "token.expired", id="expired"),
        pytest.param(later(3600)("nbf"), "token.not_yet_valid", id="not yet valid"),
        pytest.param(with_claims(exp=None), "token.claim_missing", id="no exp"),
        pytest.param(with_claims(nbf=None), "token.claim_missing", id="neither nbf nor iat"),
        pytest.param(without_nbf(3600), "token.not_yet_valid", id="issued in the future"),
        pytest.param(with_claims(iss=None), "token.claim_missing", id="no iss"),
        pytest.param(with_claims(aud=None), "token.claim_missing", id="no aud"),
        pytest.param(with_claims(tenant=None), "token.claim_malformed", id="no tenant"),
        pytest.param(with_claims(tenant="acme\n"), "token.claim_malformed", id="tenant with a line break"),
        pytest.param(with_claims(roles="operator"), "token.claim_malformed", id="roles as text"),
        pytest.param(with_claims(roles=[1]), "token.claim_malformed", id="roles as numbers"),
        pytest.param(with_claims(exp=True), "token.claim_malformed", id="exp as a boolean"),
        pytest.param(with_header(typ="JWT"), "token.type_not_allowed", id="ID token"),
        pytest.param(with_header(kid="another"), "token.unknown_key", id="unknown kid"),
        pytest.param(with_header(kid=""), "token.unknown_key", id="empty kid"),
        pytest.param(lambda *_: "", "token.malformed", id="empty"),
        pytest.param(lambda *_: "a.b.c", "token.malformed", id="noise"),
        pytest.param(lambda *_: "x" * (TOKEN_LIMIT_BYTES + 1), "token.too_large", id="too large"),
    ],
)
async def test_forged_tokens_are_refused(
    verifier: Verifier, issuer: Issuer, clock: Hand, forge: Forge, code: str
) -> None:
    assert await refusal(verifier, forge(issuer, clock)) == code


async def test_a_token_without_nbf_begins_when_it_was_issued(verifier: Verifier, issuer: Issuer, clock: Hand) -> None:
    """RFC 9068 asks for `iat`, and many providers send no `nbf`."""
    assert (await verifier.verify(without_nbf(0)(issuer, clock))).id == "ann"


def test_claims_are_bounded() -> None:
    with pytest.raises(Unauthenticated) as refused:
        actor_of({"sub": "a", "tenant": ACME, "roles": ["brand"] * 33}, TenantRules())
    assert refused.value.facts == {"claim": "roles"}
