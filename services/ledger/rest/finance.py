"""What finance does: own money, unidentified money, escrows that no process ends, settlement files, the work list."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path

from kernel.core.decider import Actor
from kernel.core.events import Receipt
from kernel.core.faults import Invalid, NotFound
from kernel.core.ids import derived_id
from kernel.core.money import LIMIT_MINOR
from kernel.edge.fields import Uuid, worded
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.ledger.domain.commands import BY_POLICY, CancelEscrow, IdentifyMoney, PayInOwnMoney, ReleasePayment
from services.ledger.domain.discrepancies import ResolveDiscrepancy, discrepancy_stream
from services.ledger.domain.files import BATCH, AskForFile, file_stream
from services.ledger.domain.four_eyes import PROPOSALS, USED, Sum, proposal_id
from services.ledger.domain.proposals import SettleFile
from services.ledger.domain.rows import Escrow
from services.ledger.effects.booking import Desk, SettlementAnswer, settle
from services.ledger.ports.settlements import Numbered, SettlementLine, read_settlement
from services.ledger.reads.rows import escrow_of, inline_row
from services.ledger.rest.bodies import (
    CancelBody,
    IdentifyBody,
    OwnMoneyBody,
    ReleaseBody,
    ResolveBody,
)
from services.ledger.rest.by_hand import approve, propose, send

BatchName = Annotated[str, Path(pattern=worded(f"^{BATCH.pattern}$", "a batch as the provider names it"))]


def finance(app: App) -> APIRouter:
    """Routes of role finance."""
    router = APIRouter(tags=["finance"])

    @router.put("/own-money/{reference}", status_code=201)
    async def own_money(reference: Uuid, body: OwnMoneyBody, request: CommandRequest) -> Receipt:
        """Proposes to book money that the platform paid in; finance only."""
        return await send(app, request, PayInOwnMoney(reference, body.currency, body.amount_minor), body)

    @router.put("/identifications/{reference}", status_code=201)
    async def identify(reference: Uuid, body: IdentifyBody, request: CommandRequest) -> Receipt:
        """Proposes to move money from suspense to the brand whose it is; finance only."""
        command = IdentifyMoney(reference, body.brand_id, body.currency, body.amount_minor, body.reason)
        return await send(app, request, command, body)

    @router.post("/escrows/{deliverable_id}/release")
    async def release(deliverable_id: Uuid, body: ReleaseBody, request: CommandRequest) -> Receipt:
        """Staff's way out when no process ends an escrow: proposes to pay the creator, less the deal's fee; finance only."""
        row = await _escrow(app, deliverable_id, request.actor)
        fee_minor, brand_fee_minor = body.fee_minor, body.brand_fee_minor
        if not fee_minor + brand_fee_minor:
            fee_minor, brand_fee_minor = row.fee_left_minor, row.brand_fee_left_minor
        release_id = derived_id("release by staff", deliverable_id, request.key)
        command = ReleasePayment(
            release_id, deliverable_id, row.creator_id, row.currency, fee_minor, brand_fee_minor, BY_POLICY
        )
        return await send(app, request, command, body)

    @router.post("/escrows/{deliverable_id}/cancel")
    async def cancel(deliverable_id: Uuid, body: CancelBody, request: CommandRequest) -> Receipt:
        """Staff's way out when no process ends an escrow: proposes to give it back to the brand; finance only."""
        row = await _escrow(app, deliverable_id, request.actor)
        command = CancelEscrow(
            derived_id("cancel by staff", deliverable_id, request.key), deliverable_id, row.brand_id, row.creator_id,
            row.currency, body.kill_fee_minor, BY_POLICY, body.reason, row.left_minor,
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
        """Proposes to book a settlement file; another person who uploads the same bytes approves it, and it is booked.

        Amounts are whole minor units, and a line is booked once, however often it is uploaded. A line that names what is not
        due goes to the work list and leaves the bank alone."""
        request.actor.require("finance")
        numbered = read_settlement(content)
        file = _file_of(content, numbered)
        waits = await _second_person(app, request, file)
        return waits or await settle(Desk(app), numbered, request.actor.id)

    @router.post("/settlements/{batch}/fetch", status_code=202)
    async def fetch(batch: BatchName, request: CommandRequest) -> Receipt:
        """Has the service fetch a settlement file from the provider and book it, which takes no second person. Finance only."""
        stream, command = file_stream(batch), AskForFile(batch)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command)))

    @router.post("/discrepancies/{discrepancy_id}/resolve")
    async def resolve(discrepancy_id: Uuid, body: ResolveBody, request: CommandRequest) -> Receipt:
        """Takes an entry off the work list, as finance has dealt with it; finance only."""
        request.actor.require("finance")
        stream, command = discrepancy_stream(discrepancy_id), ResolveDiscrepancy(discrepancy_id, body.reason)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router


async def _second_person(app: App, request: CommandRequest, file: SettleFile) -> SettlementAnswer | None:
    """The answer while the file waits for another person; None once it is approved, by this very upload or before."""
    id_ = proposal_id(file)
    row = await inline_row(app.database, PROPOSALS, (id_,))
    now: datetime = await app.log.now()
    if row is not None and row.status == USED and now < row.expires_at:
        return None
    if row is None or not row.is_open(now):
        await propose(app, request, file, None)
    elif row.status == "approved" or row.proposed_by != request.actor.id:
        await approve(app, request, id_)
        return None
    return SettlementAnswer(settled=0, unmatched=0, listed=0, problems=[], sums=[], proposal_id=id_)


async def _escrow(app: App, deliverable_id: str, actor: Actor) -> Escrow:
    actor.require("finance")
    row = await escrow_of(app.database, deliverable_id)
    if row is None:
        raise NotFound("escrow.not_found", deliverable_id=deliverable_id)
    return row


def _moved_minor(line: SettlementLine) -> int:
    """Without signs, so that no line makes another look smaller; the fee counts where the gross does not hold it."""
    return line.gross_minor if line.gross_minor > 0 else abs(line.gross_minor) + abs(line.fee_minor)


def _file_of(content: bytes, numbered: Sequence[Numbered]) -> SettleFile:
    """What two people approve: these bytes, and what their lines move."""
    moved = Counter[str]()
    for _, line in numbered:
        if isinstance(line, SettlementLine):
            moved[line.currency] += _moved_minor(line)
    if max(moved.values(), default=0) > LIMIT_MINOR:
        raise Invalid("amount.too_large", limit_minor=LIMIT_MINOR)
    sums = tuple(Sum(currency, minor) for currency, minor in sorted(moved.items()) if minor)
    return SettleFile(hashlib.sha256(content).hexdigest(), sums)
