"""A small HTTP service on the kernel's edge, for tests of the edge itself: notes, and a route for each kind of fault."""

from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from kernel.core.decider import Meta
from kernel.core.events import Receipt
from kernel.core.faults import (
    Conflict,
    Exhausted,
    Forbidden,
    Internal,
    Invalid,
    NotFound,
    Pending,
    Poison,
    Refused,
    Unavailable,
)
from kernel.core.ids import stream_id
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.fields import AmountMinor, Body, Currency, LongText, ShortText, UtcDatetime, Uuid
from kernel.edge.http import Caller, CommandRequest, create_api
from kernel.edge.limits import Rate
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.runtime.health import Health
from tests.kit.issuing import ACME, verifier_at

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
MARKER = "ann@example.test"
ENDLESS = Rate(per_s=1e6, burst=10**6)
GOOD = {"title": "Summer", "budget_minor": 100, "currency": "CNY", "due_at": "2026-03-01T00:00:00Z", "text": ""}


class Part(Body):
    amount_minor: AmountMinor
    note: ShortText | None = None


class DraftBody(Body):
    title: ShortText
    budget_minor: AmountMinor
    currency: Currency
    due_at: UtcDatetime
    text: LongText
    parts: tuple[Part, ...] = ()


class DraftNote:
    """The command."""


FAULTS: dict[str, Exception] = {
    "invalid": Invalid("note.too_long", limit=5),
    "forbidden": Forbidden("note.not_a_party"),
    "missing": NotFound("note.unknown"),
    "refused": Refused("note.not_a_draft", status="closed"),
    "conflict": Conflict("note.changed"),
    "exhausted": Exhausted("note.quota", retry_after_s=7),
    "unavailable": Unavailable("database.unavailable"),
    "pending": Pending("note.pending"),
    "queue": Exhausted("writer.queue_full"),
    "internal": Internal("note.broken", secret=MARKER),
    "poison": Poison("note.poison"),
    "bug": ZeroDivisionError(MARKER),
}
STATUSES = {
    "invalid": 422,
    "forbidden": 403,
    "missing": 404,
    "refused": 409,
    "conflict": 409,
    "exhausted": 429,
    "unavailable": 503,
    "pending": 503,
    "queue": 503,
    "internal": 500,
    "poison": 500,
    "bug": 500,
}


def routes(metas: list[Meta]) -> APIRouter:
    router = APIRouter()

    @router.put("/notes/{note_id}", status_code=201)
    async def draft(note_id: Uuid, body: DraftBody, request: CommandRequest) -> Receipt:
        stream = stream_id("note", note_id)
        metas.append(request.meta(stream, DraftNote(), body))
        return request.respond(Receipt(stream, 3, 17, "notes:17"))

    @router.get("/notes/{note_id}")
    async def read(note_id: Uuid, caller: Caller) -> dict[str, str]:
        return {"id": note_id, "tenant": caller.tenant}

    @router.post("/faults/{name}", include_in_schema=False)
    async def fail(name: str, caller: Caller) -> None:
        raise FAULTS[name]

    @router.post("/ingest/rows", include_in_schema=False)
    async def ingest(body: dict[str, Any]) -> None: ...

    return router


def make_app(
    folder: Path,
    metas: list[Meta],
    limits: AdmissionLimits | None = None,
    health: Health | None = None,
    body_limit_bytes: int = 1000,
    live_requests: int = 100,
    fingerprint_key: bytes = b"k" * 16,
) -> FastAPI:
    """The app, trusting the Issuer of `folder`; `metas` collects the Meta of every command."""
    verifier = verifier_at(folder)
    app = create_api(
        "Notes",
        Admission(verifier, limits or AdmissionLimits(ENDLESS, ENDLESS)),
        fingerprint_key=fingerprint_key,
        health=health,
        live_requests=live_requests,
        body_limit_bytes=body_limit_bytes,
        body_limits={"/ingest": 2000},
    )
    app.include_router(routes(metas))
    return app


def talking(app: FastAPI, issuer: Issuer) -> httpx.AsyncClient:
    """A client of the app, with a token of ann of acme and an idempotency key."""
    token = issuer.issue("ann", ACME, "brand")
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://notes.test",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "key-0001"},
    )
