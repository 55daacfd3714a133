"""Only tokens of the configured issuer, key set, algorithm, type and time are believed (RFC 8725)."""

import asyncio
import base64
import hashlib
import hmac
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from kernel.core.decider import Actor
from kernel.core.faults import Unauthenticated
from kernel.edge.tokens.auth import TOKEN_LIMIT_BYTES, KeyPolicy, Verifier, usable_keys
from kernel.edge.tokens.claims import TenantRules, actor_of
from kernel.edge.tokens.dev_issuer import Issuer

ISSUER, AUDIENCE = "https://issuer.test", "dandelion"


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


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def issuer(tmp_path: Path, clock: Hand) -> Issuer:
    return Issuer.at(tmp_path / "keys", ISSUER, AUDIENCE, clock)


@pytest.fixture
def verifier(tmp_path: Path, clock: Hand, issuer: Issuer) -> Verifier:
    return Verifier(str(tmp_path / "keys" / "jwks.json"), ISSUER, AUDIENCE, clock=clock)


def claims(clock: Hand, **changes: Any) -> dict[str, Any]:
    given = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "tenant": "acme",
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


async def test_a_token_becomes_an_actor(verifier: Verifier, issuer: Issuer) -> None:
    actor = await verifier.verify(issuer.issue("ann", "acme", "agency", "brand"))
    assert actor == Actor("ann", "acme", frozenset({"agency", "brand"}))


async def test_issuer_keeps_its_key_to_itself_and_over_restarts(
    tmp_path: Path, verifier: Verifier, issuer: Issuer, clock: Hand
) -> None:
    again = Issuer.at(tmp_path / "keys", ISSUER, AUDIENCE, clock)
    assert (await verifier.verify(again.issue("ann", "acme"))).id == "ann"
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
        pytest.param(with_claims(nbf=None), "token.claim_missing", id="no nbf"),
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


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_no_algorithm_but_ours_is_believed_not_even_with_its_key_in_the_set(
    issuer: Issuer, clock: Hand, algorithm: str
) -> None:
    key: Any = ec.generate_private_key(ec.SECP256R1())
    if algorithm == "RS256":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind: Any = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm}[algorithm]
    jwk = {**kind.to_jwk(key.public_key(), as_dict=True), "kid": "e1", "use": "sig"}
    verifier = Verifier("", ISSUER, AUDIENCE, clock=clock, fetch=Source({"keys": [jwk, *issuer.jwks()["keys"]]}))
    token = jwt.encode(claims(clock), key, algorithm=algorithm, headers={"kid": "e1", "typ": "at+jwt"})
    assert await refusal(verifier, token) == "token.algorithm_not_allowed"
    assert await refusal(verifier, signed(issuer, claims(clock), kid="e1")) == "token.unknown_key"
    assert (await verifier.verify(issuer.issue("ann", "acme"))).tenant == "acme"


def sourced(issuer: Issuer, clock: Hand) -> tuple[Source, Verifier]:
    source = Source(issuer.jwks())
    return source, Verifier("", ISSUER, AUDIENCE, clock=clock, fetch=source)


async def test_a_flood_of_unknown_keys_loads_the_set_once_a_minute(issuer: Issuer, clock: Hand) -> None:
    source, verifier = sourced(issuer, clock)
    await verifier.verify(issuer.issue("ann", "acme"))
    forged = [signed(issuer, claims(clock), kid=f"k{n}") for n in range(50)]
    assert {await refusal(verifier, token) for token in forged} == {"token.unknown_key"}
    assert source.loads == 1
    clock.forward(KeyPolicy().retry_s)
    for token in forged:
        await refusal(verifier, token)
    assert source.loads == 2


async def test_the_first_requests_of_a_process_wait_for_one_load(issuer: Issuer, clock: Hand) -> None:
    source, verifier = sourced(issuer, clock)
    actors = await asyncio.gather(*[verifier.verify(issuer.issue(f"ann{n}", "acme")) for n in range(20)])
    assert {actor.tenant for actor in actors} == {"acme"}
    assert source.loads == 1


async def test_a_new_key_is_found_and_a_retired_one_refused(tmp_path: Path, issuer: Issuer, clock: Hand) -> None:
    source, verifier = sourced(issuer, clock)
    await verifier.verify(issuer.issue("ann", "acme"))
    fresh = Issuer.at(tmp_path / "next", ISSUER, AUDIENCE, clock)
    source.document = {"keys": issuer.jwks()["keys"] + fresh.jwks()["keys"]}
    clock.forward(KeyPolicy().retry_s)
    for either in (fresh, issuer):
        await verifier.verify(either.issue("ann", "acme"))
    source.document = fresh.jwks()
    clock.forward(KeyPolicy().refresh_s)
    assert await refusal(verifier, issuer.issue("ann", "acme")) == "token.unknown_key"
    await verifier.verify(fresh.issue("ann", "acme"))


async def test_keys_outlive_their_source_until_the_maximum_age(issuer: Issuer, clock: Hand) -> None:
    source, verifier = sourced(issuer, clock)
    await verifier.verify(issuer.issue("ann", "acme"))
    source.down = True
    clock.forward(KeyPolicy().max_age_s - 1)
    await verifier.verify(issuer.issue("ann", "acme"))
    clock.forward(KeyPolicy().retry_s)
    assert await refusal(verifier, issuer.issue("ann", "acme")) == "token.keys_unavailable"
    source.down = False
    clock.forward(KeyPolicy().retry_s)
    await verifier.verify(issuer.issue("ann", "acme"))


@pytest.mark.parametrize("document", [b"[]", b"{}", b'{"keys": []}', b'{"keys": [1, {"kid": "a", "kty": "x"}]}'])
def test_a_broken_key_set_is_not_taken(document: bytes) -> None:
    with pytest.raises(ValueError):
        usable_keys(document)


def test_symmetric_keys_in_the_set_are_left_out(issuer: Issuer) -> None:
    document = {"keys": [*issuer.jwks()["keys"], {"kty": "oct", "kid": "s", "k": "c2VjcmV0"}]}
    assert set(usable_keys(json.dumps(document).encode())) == {issuer.kid}


def test_two_keys_with_one_id_are_refused(issuer: Issuer) -> None:
    with pytest.raises(ValueError):
        usable_keys(json.dumps({"keys": issuer.jwks()["keys"] * 2}).encode())


def test_claims_are_bounded() -> None:
    with pytest.raises(Unauthenticated) as refused:
        actor_of({"sub": "a", "tenant": "t", "roles": ["brand"] * 33}, TenantRules())
    assert refused.value.facts == {"claim": "roles"}


async def test_a_token_seen_before_is_refused_once_it_or_its_key_is_gone(
    tmp_path: Path, issuer: Issuer, clock: Hand
) -> None:
    source, verifier = sourced(issuer, clock)
    short, long = signed(issuer, claims(clock)), issuer.issue("ann", "acme", ttl_s=3_000)
    for token in (short, long, short, long):
        await verifier.verify(token)
    forged = short[:-80] + ("A" if short[-80] != "A" else "B") + short[-79:]
    assert await refusal(verifier, forged) == "token.bad_signature"
    source.document = Issuer.at(tmp_path / "next", ISSUER, AUDIENCE, clock).jwks()
    clock.forward(71)
    assert await refusal(verifier, short) == "token.expired"
    clock.forward(KeyPolicy().refresh_s)
    assert await refusal(verifier, long) == "token.unknown_key"
