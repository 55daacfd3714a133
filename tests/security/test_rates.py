"""Rates: per principal and per tenant over both edges, Retry-After and RetryInfo; guessed tokens are counted and stopped."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import httpx
import pytest
from google.rpc.error_details_pb2 import RetryInfo

from kernel.core.decider import Actor
from kernel.core.faults import Fault
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.grpc_calls import CallEdge
from kernel.edge.limits import Rate, Share
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.runtime.settings import networks_of
from kernel.runtime.telemetry import exposition
from tests.kit.issuing import ACME, EVIL, verifier_at
from tests.kit.notes import ENDLESS, ID, make_app, talking
from tests.kit.rpc_notes import Code, Talk, details, reason, serving


def bearer(issuer: Issuer, *who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.issue(*who)}"}


async def test_a_tenant_over_its_rate_is_told_when_to_come_back_and_others_are_served(
    tmp_path: Path, issuer: Issuer
) -> None:
    """However many principals it has: each of them is far below its own rate."""
    limits = AdmissionLimits(Rate(0.01, 2), Rate(0.01, 5))
    async with talking(make_app(tmp_path, [], limits), issuer) as client:
        found = [
            (await client.get(f"/notes/{ID}", headers=bearer(issuer, f"ann-{n}", ACME))).status_code for n in range(7)
        ]
        assert found == [200] * 5 + [429] * 2
        answer = await client.get(f"/notes/{ID}", headers=bearer(issuer, "ann-9", ACME))
        assert (answer.json()["code"], answer.json()["facts"]["of"]) == ("rate.exhausted", "tenant")
        assert 1 <= int(answer.headers["Retry-After"]) <= 100
        assert (await client.get(f"/notes/{ID}", headers=bearer(issuer, "eve", EVIL))).status_code == 200


async def test_a_principal_over_its_rate_takes_nothing_from_its_tenant(tmp_path: Path, issuer: Issuer) -> None:
    limits = AdmissionLimits(Rate(0.01, 2), Rate(0.01, 4))
    async with talking(make_app(tmp_path, [], limits), issuer) as client:
        ann, ben = bearer(issuer, "ann", ACME), bearer(issuer, "ben", ACME)
        found = [(await client.get(f"/notes/{ID}", headers=ann)).status_code for _ in range(9)]
        assert found == [200] * 2 + [429] * 7
        assert [(await client.get(f"/notes/{ID}", headers=ben)).status_code for _ in range(2)] == [200, 200]


async def test_a_refused_call_over_grpc_says_when_to_come_back(tmp_path: Path, issuer: Issuer) -> None:
    async with serving(tmp_path, issuer, AdmissionLimits(ENDLESS, Rate(0.1, 2))) as (_, ann):
        await ann.ask("Read")
        await Talk(ann.channel, issuer.issue("ben", ACME)).ask("Read")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ann.ask("Read")
        assert (refused.value.code(), reason(refused.value)) == (Code.RESOURCE_EXHAUSTED, "rate.exhausted")
        assert 1 <= details(refused.value, RetryInfo)[0].retry_delay.seconds <= 10
        assert f"eve@{EVIL}" in await Talk(ann.channel, issuer.issue("eve", EVIL)).ask("Read")


async def test_who_guesses_tokens_is_counted_and_stopped_and_known_tokens_go_on(tmp_path: Path, issuer: Issuer) -> None:
    """From another address nothing changes."""
    limits = AdmissionLimits(ENDLESS, ENDLESS, refusals=Rate(0.01, 5))
    app = make_app(tmp_path, [], limits)
    async with talking(app, issuer) as client:
        assert (await client.get(f"/notes/{ID}")).status_code == 200
        guesses = [
            (await client.get(f"/notes/{ID}", headers={"Authorization": f"Bearer x.{n}"})).status_code for n in range(8)
        ]
        assert guesses == [401] * 5 + [429] * 3
        refused = await client.get(f"/notes/{ID}", headers=bearer(issuer, "new", ACME))
        assert (refused.status_code, refused.json()["code"]) == (429, "token.refusals_exhausted")
        assert int(refused.headers["Retry-After"]) > 1
        assert (await client.get(f"/notes/{ID}")).status_code == 200
    elsewhere = httpx.ASGITransport(app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://notes.test") as client:
        assert (await client.get(f"/notes/{ID}", headers=bearer(issuer, "new", ACME))).status_code == 200
    for code in ("token.malformed", "token.refusals_exhausted"):
        assert f'tokens_refused_total{{code="{code}"}}' in exposition().decode()


async def test_requests_under_way_of_one_tenant_leave_places_to_others(tmp_path: Path, issuer: Issuer) -> None:
    app = make_app(tmp_path, [], AdmissionLimits(ENDLESS, ENDLESS, calls=Share(1, 1, 2)))
    calls = app.state.edge.admission.calls
    async with talking(app, issuer) as client:
        with calls.hold(Actor("ann", ACME, frozenset())):
            answer = await client.get(f"/notes/{ID}")
            assert (answer.status_code, answer.json()["code"]) == (429, "calls.exhausted")
            assert answer.headers["Retry-After"] == "1"
            assert (await client.get(f"/notes/{ID}", headers=bearer(issuer, "eve", EVIL))).status_code == 200
        assert (await client.get(f"/notes/{ID}")).status_code == 200
        assert calls.count == 0


async def test_more_than_the_process_serves_is_turned_away_before_anything_is_looked_at(
    tmp_path: Path, issuer: Issuer
) -> None:
    async with talking(make_app(tmp_path, [], live_requests=0), issuer) as client:
        for answer in (await client.get(f"/notes/{ID}"), await client.put(f"/notes/{ID}", json={})):
            assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (
                503,
                "server.busy",
                "1",
            )


async def test_each_proxy_on_the_way_of_a_call_may_add_a_line_of_its_own(tmp_path: Path, issuer: Issuer) -> None:
    """The nearest proxy's line names another proxy, and the line before names the caller."""
    networks = networks_of("127.0.0.0/24,192.0.2.7")
    limits = AdmissionLimits(ENDLESS, ENDLESS, refusals=Rate(0.01, 2))
    edge = CallEdge(Admission(verifier_at(tmp_path), limits, networks))
    guesses = [await _code(edge, f"x.{n}", "203.0.113.1") for n in range(3)]
    assert guesses == ["token.malformed"] * 2 + ["token.refusals_exhausted"]
    assert await _code(edge, "x.9", "203.0.113.2") == "token.malformed"


async def _code(edge: CallEdge, token: str, address: str) -> str:
    lines = (("x-forwarded-for", address), ("x-forwarded-for", "192.0.2.7"))
    context: Any = SimpleNamespace(
        invocation_metadata=lambda: (("authorization", f"Bearer {token}"), *lines), peer=lambda: "ipv4:127.0.0.1:9"
    )
    with pytest.raises(Fault) as refused:
        await edge._admit(dict(context.invocation_metadata()), context)
    return refused.value.code
