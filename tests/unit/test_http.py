"""The HTTP edge: every error is a documented problem, every command has its identity, nothing else gets out."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from kernel.core.decider import Meta
from kernel.core.faults import Fault
from kernel.core.ids import command_id
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.http import create_api
from kernel.edge.http_errors import MEDIA_TYPE
from kernel.edge.limits import Rate
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.runtime.health import Health
from kernel.runtime.telemetry import exposition
from tests.kit.issuing import ACME, issuer_at
from tests.kit.notes import FAULTS, GOOD, ID, MARKER, STATUSES, make_app, talking

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return issuer_at(tmp_path)


@pytest.fixture
def metas() -> list[Meta]:
    return []


@pytest.fixture
def app(tmp_path: Path, metas: list[Meta], issuer: Issuer) -> FastAPI:
    return make_app(tmp_path, metas)


@pytest.fixture
async def client(app: FastAPI, issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    async with talking(app, issuer) as client:
        yield client


def problem_of(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.headers["content-type"] == MEDIA_TYPE
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    return body


async def test_a_command_carries_identity_and_trace_and_answers_a_receipt(
    client: httpx.AsyncClient, metas: list[Meta]
) -> None:
    given = {"X-Correlation-Id": "corr-1", "traceparent": PARENT}
    answer = await client.put(f"/notes/{ID}", json=GOOD, headers=given)
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"3"')
    assert answer.json() == {"stream": f"note-{ID}", "version": 3, "position": 17, "token": "notes:17"}
    meta = metas[0]
    assert meta.command_id == command_id(ACME, "ann", f"note-{ID}", "key-0001")
    assert (meta.actor.id, meta.actor.tenant, meta.correlation) == ("ann", ACME, "corr-1")
    assert meta.traceparent == PARENT
    assert answer.headers["X-Correlation-Id"] == "corr-1"


async def test_the_fingerprint_covers_the_body_not_its_form_and_not_the_time(
    client: httpx.AsyncClient, metas: list[Meta]
) -> None:
    spaced = json.dumps(dict(reversed(GOOD.items())), indent=3)
    for content in (json.dumps(GOOD), spaced, json.dumps({**GOOD, "budget_minor": 101})):
        await client.put(f"/notes/{ID}", content=content, headers={"content-type": "application/json"})
    same, again, other = (meta.fingerprint for meta in metas)
    assert same == again
    assert same != other


async def test_a_fingerprint_cannot_be_guessed_from_the_body(tmp_path: Path, issuer: Issuer) -> None:
    """It is stored for ever, beside a body that may hold personal text."""
    metas: list[Meta] = []
    for key in (b"a" * 32, b"b" * 32):
        async with talking(make_app(tmp_path, metas, fingerprint_key=key), issuer) as client:
            await client.put(f"/notes/{ID}", json=GOOD)
    assert metas[0].fingerprint != metas[1].fingerprint


@pytest.mark.parametrize("name", FAULTS)
async def test_every_kind_of_fault_has_its_status(client: httpx.AsyncClient, name: str) -> None:
    fault = FAULTS[name]
    code = fault.code if isinstance(fault, Fault) and STATUSES[name] != 500 else "internal"
    answer = await client.post(f"/faults/{name}")
    body = problem_of(answer, STATUSES[name], code)
    assert MARKER not in answer.text
    if STATUSES[name] in {429, 503}:
        assert answer.headers["Retry-After"] == ("7" if name == "exhausted" else "1")
    if name == "refused":
        assert body["facts"] == {"status": "closed"}


async def test_an_unexpected_error_is_logged_under_the_id_the_caller_gets(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "kernel.edge.http_errors"):
        answer = await client.post("/faults/bug")
    (record,) = caplog.records
    assert answer.json()["instance"] == f"urn:uuid:{record.__dict__['error_id']}"
    assert record.exc_info
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "token.missing"),
        ({"Authorization": "Basic YTpi"}, "token.scheme_missing"),
        ({"Authorization": "eyJ.x.y"}, "token.scheme_missing"),
        ({"Authorization": "Bearer "}, "token.missing"),
        ({"Authorization": "Bearer nonsense"}, "token.malformed"),
    ],
)
async def test_without_a_good_token_nobody_gets_in(app: FastAPI, headers: dict[str, str], code: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notes.test") as client:
        answer = await client.get(f"/notes/{ID}", headers=headers)
        problem_of(answer, 401, code)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"budget_minor": "100"}, "budget_minor", "int_type"),
        ({"budget_minor": -1}, "budget_minor", "greater_than_equal"),
        ({"currency": "XXX"}, "currency", "value_error"),
        ({"tenant": "evil"}, "tenant", "extra_forbidden"),
        ({"fee_bps": 0}, "fee_bps", "extra_forbidden"),
        ({"due_at": "2026-03-01T00:00:00"}, "due_at", "timezone_aware"),
        ({"parts": [{"amount_minor": 1}, {"amount_minor": None}]}, "parts.1.amount_minor", "int_type"),
    ],
)
async def test_a_wrong_field_is_named_with_its_rule(
    client: httpx.AsyncClient, metas: list[Meta], change: dict[str, Any], field: str, rule: str
) -> None:
    answer = await client.put(f"/notes/{ID}", json={**GOOD, **change})
    body = problem_of(answer, 422, "request.invalid")
    assert [(one["in"], one["field"], one["rule"]) for one in body["errors"]] == [("body", field, rule)]
    assert metas == []


async def test_what_was_typed_is_not_echoed(client: httpx.AsyncClient) -> None:
    answer = await client.put(f"/notes/{ID}", json={**GOOD, "title": [MARKER], "budget_minor": MARKER})
    assert len(problem_of(answer, 422, "request.invalid")["errors"]) == 2
    assert MARKER not in answer.text


async def test_many_wrong_fields_are_listed_up_to_a_bound(client: httpx.AsyncClient) -> None:
    answer = await client.put(f"/notes/{ID}", json={**GOOD, **{f"x{n}": 1 for n in range(60)}})
    assert len(problem_of(answer, 422, "request.invalid")["errors"]) == 50


@pytest.mark.parametrize("key", [None, "short", "k" * 129, "with space", "tab\there1"])
async def test_a_command_needs_an_idempotency_key(client: httpx.AsyncClient, key: str | None) -> None:
    del client.headers["Idempotency-Key"]
    answer = await client.put(f"/notes/{ID}", json=GOOD, headers={"Idempotency-Key": key} if key else {})
    body = problem_of(answer, 422, "request.invalid")
    assert [(one["in"], one["field"]) for one in body["errors"]] == [("header", "Idempotency-Key")]


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 900, b'{"budget_minor": ' + b"9" * 900, b"\x00"])
async def test_noise_is_a_malformed_body(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.put(f"/notes/{ID}", content=content, headers={"content-type": "application/json"})
    problem_of(answer, 400, "body.malformed")


async def test_a_body_over_the_limit_is_refused_by_its_length_and_by_counting(client: httpx.AsyncClient) -> None:
    announced = await client.put(f"/notes/{ID}", content=b" " * 1001)
    assert problem_of(announced, 413, "body.too_large")["facts"] == {"limit_bytes": 1000}

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100

    problem_of(await client.put(f"/notes/{ID}", content=pieces()), 413, "body.too_large")


async def test_a_prefix_may_have_its_own_limit(client: httpx.AsyncClient) -> None:
    row = {"x": "y" * 1500}
    assert (await client.post("/ingest/rows", json=row)).status_code == 200
    problem_of(await client.post("/ingest/rows", json={"x": "y" * 2500}), 413, "body.too_large")


async def test_no_route_and_no_method_are_problems(client: httpx.AsyncClient) -> None:
    problem_of(await client.get("/nothing"), 404, "route.not_found")
    answer = await client.delete(f"/notes/{ID}")
    problem_of(answer, 405, "route.method_not_allowed")
    assert answer.headers["Allow"] == "GET, PUT"


async def test_a_principal_over_its_rate_waits_and_others_do_not(tmp_path: Path, issuer: Issuer) -> None:
    app = make_app(tmp_path, [], AdmissionLimits(Rate(per_s=0.01, burst=2)))
    async with talking(app, issuer) as client:
        answers = [await client.get(f"/notes/{ID}") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["RateLimit"] == '"default";r=1;t=100'
        assert answers[0].headers["RateLimit-Policy"] == '"default";q=2;w=200'
        assert problem_of(answers[2], 429, "rate.exhausted")["facts"]["retry_after_s"] <= 100
        assert int(answers[2].headers["Retry-After"]) > 1
        other = {"Authorization": f"Bearer {issuer.issue('bob', ACME)}"}
        assert (await client.get(f"/notes/{ID}", headers=other)).status_code == 200


async def test_answers_carry_security_headers_also_when_they_are_errors(client: httpx.AsyncClient) -> None:
    for path in (f"/notes/{ID}", "/nothing"):
        answer = await client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Correlation-Id"]


async def test_probes_are_open_and_metrics_are_elsewhere(tmp_path: Path, issuer: Issuer) -> None:
    health = Health()
    app = make_app(tmp_path, [], health=health)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notes.test") as client:
        assert (await client.get("/healthz/live")).json() == {"ok": True, "checks": {}}
        assert (await client.get("/healthz/ready")).status_code == 200
        health.draining = True
        assert (await client.get("/healthz/ready")).status_code == 503
        assert (await client.get("/healthz/live")).status_code == 200
        assert (await client.get("/metrics")).status_code == 404
    metrics = exposition().decode()
    assert 'http_requests_total{method="GET",route="/healthz/ready",status="503"}' in metrics


async def test_metrics_name_the_route_not_the_path(client: httpx.AsyncClient) -> None:
    await client.get(f"/notes/{ID}")
    metrics = exposition().decode()
    assert 'route="/notes/{note_id}"' in metrics
    assert ID not in metrics


async def test_a_key_that_is_too_short_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        create_api("Notes", Admission(Verifier("x", "i", "a")), fingerprint_key=b"short")


async def test_a_request_cancelled_by_a_stop_is_told_to_try_again_and_stays_cancelled(app: FastAPI) -> None:
    """The server would answer 500 in its stead, which a caller takes for a bug."""
    waiting, sent = asyncio.Event(), list[Any]()

    async def receive() -> Any:
        waiting.set()
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/ingest/rows", "headers": [], "query_string": b""}
    asked = asyncio.create_task(app(scope, receive, send))
    await waiting.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    start, body = sent
    assert (start["status"], json.loads(body["body"])["code"]) == (503, "server.stopping")
    assert (b"retry-after", b"1") in start["headers"]
