"""The provider's webhook: its signed word on a transfer."""

import logging
from datetime import datetime

from fastapi import APIRouter, Request

from kernel.core.faults import Fault, NotFound
from kernel.host.app import App
from services.ledger.domain.commands import stream_of
from services.ledger.ports import Webhooks, read_webhook
from services.ledger.process import concluded, provider_meta
from services.ledger.reads.rows import transfer_of

log = logging.getLogger(__name__)


def provider(app: App, webhooks: Webhooks) -> APIRouter:
    """The one route that is signed instead of having a token."""
    router = APIRouter(tags=["provider"])

    @router.post("/webhooks/psp", openapi_extra={"requestBody": {"content": {"application/json": {}}}})
    async def psp(request: Request) -> dict[str, bool]:
        """The provider's signed word on a transfer (Standard Webhooks); the same word twice changes nothing."""
        body = await request.body()
        now: datetime = await app.log.now()
        id_ = webhooks.verified(request.headers, body, now)
        await _heard(app, id_, body)
        return {"received": True}

    return router


async def _heard(app: App, id_: str, body: bytes) -> None:
    verdict = read_webhook(body)
    row = await transfer_of(app.database, verdict.reference)
    if row is None or row.kind != verdict.kind:
        raise NotFound("transfer.not_found", reference=verdict.reference)
    command = concluded(verdict, row.amount_minor, row.currency)
    if command is None:
        return
    try:
        await app.writer.execute(stream_of(command), command, provider_meta(f"webhook:{id_}"))
    except Fault as fault:
        log.error("the provider's word does not fit the books", extra={"code": fault.code, "webhook": id_})
        raise
