"""What finance does: own money, unidentified money, escrows that no process ends, settlement files, the work list."""

from typing import Annotated

from fastapi import APIRouter, Body

from kernel.core.decider import Actor
from kernel.core.events import Receipt
from kernel.core.faults import NotFound
from kernel.core.ids import derived_id
from kernel.edge.fields import Uuid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.ledger.domain.commands import CancelEscrow, IdentifyMoney, PayInOwnMoney, ReleasePayment
from services.ledger.domain.discrepancies import ResolveDiscrepancy, discrepancy_stream
from services.ledger.domain.rows import Escrow
from services.ledger.reads.rows import escrow_of
from services.ledger.rest.bodies import (
    CancelBody,
    IdentifyBody,
    OwnMoneyBody,
    ReleaseBody,
    ResolveBody,
    SettlementAnswer,
)
from services.ledger.rest.settlement import Desk, settle
from services.ledger.rest.transfers import send


def finance(app: App) -> APIRouter:
    """Routes of role finance."""
    router = APIRouter(tags=["finance"])

    @router.put("/own-money/{reference}", status_code=201)
    async def own_money(reference: Uuid, body: OwnMoneyBody, request: CommandRequest) -> Receipt:
        """Books money that the platform paid in; finance only."""
        return await send(app, request, PayInOwnMoney(reference, body.currency, body.amount_minor), body)

    @router.put("/identifications/{reference}", status_code=201)
    async def identify(reference: Uuid, body: IdentifyBody, request: CommandRequest) -> Receipt:
        """Moves money from suspense to the brand whose it is; finance only."""
        command = IdentifyMoney(reference, body.brand_id, body.currency, body.amount_minor, body.reason)
        return await send(app, request, command, body)

    @router.post("/escrows/{deliverable_id}/release")
    async def release(deliverable_id: Uuid, body: ReleaseBody, request: CommandRequest) -> Receipt:
        """Staff's way out when no process ends an escrow: pays the creator; finance only."""
        row = await _escrow(app, deliverable_id, request.actor)
        fee_minor, brand_fee_minor = body.fee_minor, body.brand_fee_minor
        if not fee_minor + brand_fee_minor:
            fee_minor, brand_fee_minor = row.fee_left_minor, row.brand_fee_left_minor
        release_id = derived_id("release by staff", deliverable_id, request.key)
        command = ReleasePayment(
            release_id, deliverable_id, row.creator_id, row.currency, fee_minor, brand_fee_minor, body.creator_fee_bps
        )
        return await send(app, request, command, body)

    @router.post("/escrows/{deliverable_id}/cancel")
    async def cancel(deliverable_id: Uuid, body: CancelBody, request: CommandRequest) -> Receipt:
        """Staff's way out when no process ends an escrow: back to the brand; finance only."""
        row = await _escrow(app, deliverable_id, request.actor)
        command = CancelEscrow(
            derived_id("cancel by staff", deliverable_id, request.key), deliverable_id, row.brand_id, row.creator_id,
            row.currency, body.kill_fee_minor, body.creator_fee_bps, body.reason,
        )  # fmt: skip
        return await send(app, request, command, body)

    return router


def reconciliation(app: App) -> APIRouter:
    """Routes of role finance towards the provider: its settlement files and the work list."""
    router = APIRouter(tags=["finance"])

    @router.post("/settlements")
    async def settlement(
        content: Annotated[bytes, Body(media_type="text/csv", description="batch,line,reference,currency,...")],
        request: CommandRequest,
    ) -> SettlementAnswer:
        """Books a provider's settlement file line by line; a line is booked once, however often it is uploaded.

        Amounts are whole minor units. A line that names what is not due goes to the work list and leaves the bank alone."""
        request.actor.require("finance")
        return await settle(Desk(app), content, request.actor)

    @router.post("/discrepancies/{discrepancy_id}/resolve")
    async def resolve(discrepancy_id: Uuid, body: ResolveBody, request: CommandRequest) -> Receipt:
        """Takes an entry off the work list, as finance has dealt with it; finance only."""
        request.actor.require("finance")
        stream, command = discrepancy_stream(discrepancy_id), ResolveDiscrepancy(discrepancy_id, body.reason)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router


async def _escrow(app: App, deliverable_id: str, actor: Actor) -> Escrow:
    actor.require("finance")
    row = await escrow_of(app.database, deliverable_id)
    if row is None:
        raise NotFound("escrow.not_found", deliverable_id=deliverable_id)
    return row
