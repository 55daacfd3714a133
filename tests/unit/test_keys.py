"""The issuer's keys: which are taken from its key set, when the set is loaded, and how long they are believed."""

import asyncio
import json
import warnings
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.edge.tokens.keys import KeyPolicy, usable_keys
from tests.kit.issuing import ACME, AUDIENCE, ISSUER, Hand, Source, claims, refusal, signed


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def issuer(tmp_path: Path, clock: Hand) -> Issuer:
    return Issuer.at(tmp_path / "keys", ISSUER, AUDIENCE, clock)


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
    assert (await verifier.verify(issuer.issue("ann", ACME))).tenant == ACME


async def test_a_key_signs_by_its_own_algorithm_only(issuer: Issuer, clock: Hand) -> None:
    """Both are allowed, and yet the key of one signs nothing by the other; a short RSA key signs nothing."""
    long, short = (rsa.generate_private_key(public_exponent=65537, key_size=size) for size in (2048, 1024))
    told = [
        {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": "RS256", "use": "sig"}
        for kid, key in (("long", long), ("short", short))
    ]
    source = Source({"keys": told})
    verifier = Verifier("", ISSUER, AUDIENCE, clock=clock, fetch=source, algorithms={"RS256", "PS256"})
    with warnings.catch_warnings(action="ignore"):  # PyJWT warns of the short key
        tokens = {
            (kid, alg): jwt.encode(claims(clock), key, algorithm=alg, headers={"kid": kid, "typ": "at+jwt"})
            for kid, key, alg in (("long", long, "RS256"), ("long", long, "PS256"), ("short", short, "RS256"))
        }
        assert (await verifier.verify(tokens["long", "RS256"])).id == "ann"
        assert await refusal(verifier, tokens["long", "PS256"]) == "token.bad_signature"
        assert await refusal(verifier, tokens["short", "RS256"]) == "token.unknown_key"


def sourced(issuer: Issuer, clock: Hand) -> tuple[Source, Verifier]:
    source = Source(issuer.jwks())
    return source, Verifier("", ISSUER, AUDIENCE, clock=clock, fetch=source)


async def test_a_flood_of_unknown_keys_loads_the_set_once_a_minute(issuer: Issuer, clock: Hand) -> None:
    source, verifier = sourced(issuer, clock)
    await verifier.verify(issuer.issue("ann", ACME))
    forged = [signed(issuer, claims(clock), kid=f"k{n}") for n in range(50)]
    assert {await refusal(verifier, token) for token in forged} == {"token.unknown_key"}
    assert source.loads == 1
    clock.forward(KeyPolicy().retry_s)
    for token in forged:
        await refusal(verifier, token)
    assert source.loads == 2


async def test_the_first_requests_of_a_process_wait_for_one_load(issuer: Issuer, clock: Hand) -> None:
    source, verifier = sourced(issuer, clock)
    actors = await asyncio.gather(*[verifier.verify(issuer.issue(f"ann{n}", ACME)) for n in range(20)])
    assert {actor.tenant for actor in actors} == {ACME}
    assert source.loads == 1


async def test_a_new_key_is_found_and_a_retired_one_refused(tmp_path: Path, issuer: Issuer, clock: Hand) -> None:
    source, verifier = sourced(issuer, clock)
    await verifier.verify(issuer.issue("ann", ACME))
    fresh = Issuer.at(tmp_path / "next", ISSUER, AUDIENCE, clock)
    source.document = {"keys": issuer.jwks()["keys"] + fresh.jwks()["keys"]}
    clock.forward(KeyPolicy().retry_s)
    for either in (fresh, issuer):
        await verifier.verify(either.issue("ann", ACME))
    source.document = fresh.jwks()
    clock.forward(KeyPolicy().refresh_s)
    assert await refusal(verifier, issuer.issue("ann", ACME)) == "token.unknown_key"
    await verifier.verify(fresh.issue("ann", ACME))


async def test_keys_outlive_their_source_until_the_maximum_age(issuer: Issuer, clock: Hand) -> None:
    source, verifier = sourced(issuer, clock)
    await verifier.verify(issuer.issue("ann", ACME))
    source.down = True
    clock.forward(KeyPolicy().max_age_s - 1)
    await verifier.verify(issuer.issue("ann", ACME))
    clock.forward(KeyPolicy().retry_s)
    assert await refusal(verifier, issuer.issue("ann", ACME)) == "token.keys_unavailable"
    source.down = False
    clock.forward(KeyPolicy().retry_s)
    await verifier.verify(issuer.issue("ann", ACME))


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


async def test_a_token_seen_before_is_refused_once_it_or_its_key_is_gone(
    tmp_path: Path, issuer: Issuer, clock: Hand
) -> None:
    source, verifier = sourced(issuer, clock)
    short, long = signed(issuer, claims(clock)), issuer.issue("ann", ACME, ttl_s=3_000)
    for token in (short, long, short, long):
        await verifier.verify(token)
    forged = short[:-80] + ("A" if short[-80] != "A" else "B") + short[-79:]
    assert await refusal(verifier, forged) == "token.bad_signature"
    source.document = Issuer.at(tmp_path / "next", ISSUER, AUDIENCE, clock).jwks()
    clock.forward(71)
    assert await refusal(verifier, short) == "token.expired"
    clock.forward(KeyPolicy().refresh_s)
    assert await refusal(verifier, long) == "token.unknown_key"
