"""The provider's webhook: its signed word on a transfer."""

import logging
from datetime import datetime

from fastapi import APIRouter, Request

from kernel.core.faults import Conflict, Invalid, NotFound, Refused
from kernel.host.app import App
from kernel.runtime import telemetry
from services.ledger.domain.commands import Command, stream_of
from services.ledger.domain.discrepancies import NoteDiscrepancy, Origin, discrepancy_stream
from services.ledger.ports import Verdict
from services.ledger.ports.webhooks import Webhook, Webhooks, read_webhook
from services.ledger.process import claim, concluded, provider_meta
from services.ledger.reads.rows import transfer_of

log = logging.getLogger(__name__)


def provider(app: App, webhooks: Webhooks) -> APIRouter:
    """The one route that is signed instead of having a token."""
    router = APIRouter(tags=["provider"])

    @router.post("/webhooks/psp", openapi_extra={"requestBody": {"content": {"application/json": {}}}})
    async def psp(request: Request) -> dict[str, bool]:
        """The provider's signed word on a transfer (Standard Webhooks); the same word twice changes nothing.

        The type decides. A type that is not known is ignored; a word that does not fit the books goes to the work list, as
        the provider's sending it again would change nothing."""
        body = await request.body()
        now: datetime = await app.log.now()
        id_ = webhooks.verified(request.headers, body, now)
        outcome = await _heard(app, id_, read_webhook(body))
        telemetry.count("webhooks_total", outcome=outcome)
        return {"received": True}

    return router


async def _heard(app: App, id_: str, webhook: Webhook) -> str:
    """What became of it: `taken`, `ignored` or `kept`."""
    verdict, named = webhook.verdict or webhook.unread, webhook.reference
    if verdict is None:
        extra = {"webhook": id_, "type": webhook.type, "transfer": named}
        log.warning("webhook ignored: its type is not known", extra=extra)
        return "ignored"
    try:
        command = await _command(app, webhook, verdict)
        if command is not None:
            await app.writer.execute(stream_of(command), command, provider_meta(f"webhook:{id_}"))
    except (Refused, Conflict, NotFound, Invalid) as fault:
        extra = {"webhook": id_, "type": webhook.type, "transfer": named, "code": fault.code}
        log.error("webhook kept for reconciliation: it does not fit the books", extra=extra)
        await _keep(app, id_, webhook, verdict, fault.code)
        return "kept"
    return "taken"


async def _command(app: App, webhook: Webhook, verdict: Verdict) -> Command | None:
    if webhook.unread is not None:
        raise Invalid("webhook.data_unreadable", type=webhook.type)
    if webhook.contradicts_itself:
        raise Refused("webhook.contradicts_itself", type=webhook.type, status=verdict.status.value)
    row = await transfer_of(app.database, verdict.reference)
    if row is None or row.kind != verdict.kind:
        raise NotFound("transfer.not_found", reference=verdict.reference)
    return concluded(verdict, row.amount_minor, row.currency)


async def _keep(app: App, id_: str, webhook: Webhook, verdict: Verdict, code: str) -> None:
    kept = claim(Origin.WEBHOOK, webhook.type, verdict, code)
    meta = provider_meta(f"webhook:{id_}:kept")
    await app.writer.execute(discrepancy_stream(kept.id), NoteDiscrepancy(kept), meta)
