"""Tokens of a genuine issuer whose times are no times, or that live too long: refused, before and after they were seen."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from kernel.core.faults import Unauthenticated
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.edge.tokens.keys import LIFE_LIMIT_S, KeyPolicy
from kernel.runtime.settings import Settings
from tests.kit.issuing import ACME, AUDIENCE, ISSUER, issuer_at, verifier_at
from tests.kit.running import settings_in

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW_S = int(NOON.timestamp())


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return issuer_at(tmp_path, lambda: NOON)


def signed(issuer: Issuer, **raw: str) -> str:
    """A token whose claims are this JSON text, as it stands: encoders would refuse some of it."""
    given = {
        "iss": json.dumps(ISSUER), "aud": json.dumps(AUDIENCE), "sub": '"eve"', "tenant": json.dumps(ACME), "roles": "[]",
        "nbf": str(NOW_S), "exp": str(NOW_S + 60), **raw,
    }  # fmt: skip
    header = json.dumps({"alg": "EdDSA", "typ": "at+jwt", "kid": issuer.kid})
    body = "{" + ", ".join(f'"{name}": {text}' for name, text in given.items() if text) + "}"
    parts = b".".join(base64.urlsafe_b64encode(text.encode()).rstrip(b"=") for text in (header, body))
    return (parts + b"." + base64.urlsafe_b64encode(issuer.key.sign(parts)).rstrip(b"=")).decode()


NO_TIMES = ["Infinity", "-Infinity", "NaN", "1e400", "1" + "0" * 400, "-1", '"9999999999"', "[]", "{}", "true"]
TOO_LONG = str(NOW_S + LIFE_LIMIT_S + 1)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        *[pytest.param({"exp": one}, "token.claim_malformed", id=f"exp {one[:12]}") for one in NO_TIMES],
        *[pytest.param({"nbf": one}, "token.claim_malformed", id=f"nbf {one[:12]}") for one in NO_TIMES],
        *[pytest.param({"iat": one}, "token.claim_malformed", id=f"iat {one[:12]}") for one in NO_TIMES],
        pytest.param({"exp": TOO_LONG}, "token.lives_too_long", id="one second too long"),
        pytest.param({"nbf": "0"}, "token.lives_too_long", id="since 1970"),
        pytest.param({"iat": "0"}, "token.lives_too_long", id="issued in 1970"),
        pytest.param({"exp": "253402300799"}, "token.lives_too_long", id="until the year 9999"),
        pytest.param({"exp": ""}, "token.claim_missing", id="no exp"),
    ],
)
async def test_a_token_without_an_end_is_refused(
    tmp_path: Path, issuer: Issuer, raw: dict[str, str], code: str
) -> None:
    verifier = verifier_at(tmp_path, lambda: NOON)
    assert (await verifier.verify(signed(issuer))).id == "eve"
    for _ in range(2):
        with pytest.raises(Unauthenticated) as refused:
            await verifier.verify(signed(issuer, **raw))
        assert refused.value.code == code


async def test_the_longest_life_is_a_setting(tmp_path: Path, issuer: Issuer) -> None:
    verifier = verifier_at(tmp_path, lambda: NOON, life_limit_s=60)
    await verifier.verify(issuer.issue("ann", ACME, ttl_s=60))
    with pytest.raises(Unauthenticated) as refused:
        await verifier.verify(issuer.issue("ann", ACME, ttl_s=61))
    assert (refused.value.code, refused.value.facts) == ("token.lives_too_long", {"limit_s": 60})


def test_defaults_fail_closed(tmp_path: Path) -> None:
    """Whoever says nothing gets the safe choice."""
    settings = settings_in(tmp_path, Settings, http_port=0)
    assert (settings.reflection, settings.token_life_limit_s) == (False, 86_400)


async def test_who_asks_with_an_unknown_key_and_leaves_ends_no_load(tmp_path: Path, issuer: Issuer) -> None:
    """Else the next load is a minute away, and an hour of that refuses everybody."""
    times, loads = [NOON], list[int]()
    begun, slow = asyncio.Event(), asyncio.Event()

    async def fetch() -> bytes:
        loads.append(1)
        if len(loads) == 2:
            begun.set()
            await slow.wait()
        return (tmp_path / "jwks.json").read_bytes()

    verifier = Verifier("", ISSUER, AUDIENCE, clock=lambda: times[-1], fetch=fetch)
    token = issuer.issue("ann", ACME, ttl_s=2 * 3600)
    await verifier.verify(token)
    times.append(NOON + timedelta(seconds=KeyPolicy().max_age_s))
    unknown = jwt.encode({}, issuer.key, algorithm="EdDSA", headers={"kid": "x", "typ": "at+jwt"})
    left = asyncio.create_task(verifier.verify(unknown))
    await begun.wait()
    left.cancel()
    await asyncio.wait([left])
    slow.set()
    assert (await verifier.verify(token)).id == "ann"
    assert len(loads) == 2
