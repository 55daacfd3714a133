"""Commands over HTTP: deposits, payouts, refunds, settlement files, staff's way out for escrows, and the provider's webhook."""

import logging
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, FastAPI, Request
from pydantic import BaseModel, Field

from kernel.app import App
from kernel.decide import Item
from kernel.errors import Fault, NotFound, Unavailable
from kernel.fields import AmountMinor, Bps, Currency, PositiveMinor, ShortText, Uuid
from kernel.fields import Body as Fields
from kernel.ids import derived_id
from kernel.limits import Rate
from kernel.model import Actor, Meta, Receipt
from kernel.rest import Sender, Sending, create_api
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import (
    CancelEscrow,
    Command,
    ConfirmDeposit,
    IdentifyMoney,
    PayInOwnMoney,
    ReleasePayment,
    RequestDeposit,
    RequestPayout,
    RequestRefund,
    SettleLine,
    is_id,
    stream_of,
)
from services.ledger.domain.events import TransferKind
from services.ledger.domain.rows import Escrow
from services.ledger.ports import SettlementLine, Webhooks, read_settlement, read_webhook
from services.ledger.process import concluded, provider_meta
from services.ledger.reads.rows import escrow_of, transfer_of

log = logging.getLogger(__name__)

SETTLEMENT_BYTES = 4 * 1024 * 1024
SETTLEMENT_CHUNK = 500
PROBLEMS_LIMIT = 100
ACCOUNTS = {"creator": Code.CREATOR_AVAILABLE, "agency": Code.AGENCY_AVAILABLE}


class DepositBody(Fields):
    """`instrument` is the provider's token of the means of payment; `brand_id` only when finance acts for a brand."""

    amount_minor: PositiveMinor
    currency: Currency
    instrument: ShortText
    brand_id: Uuid | None = None


class PayoutBody(Fields):
    """`instrument` is the provider's token of the payee's account; `party` says which balance is paid out."""

    amount_minor: PositiveMinor
    currency: Currency
    instrument: ShortText
    party: Annotated[str, Field(pattern="^(creator|agency)$")] = "creator"
    owner_id: Uuid | None = None


class RefundBody(Fields):
    """Returns free deposit to the instrument it came from."""

    deposit_id: Uuid
    amount_minor: PositiveMinor


class OwnMoneyBody(Fields):
    """Money of the platform, paid in to cover costs."""

    amount_minor: PositiveMinor
    currency: Currency


class IdentifyBody(Fields):
    """Money in suspense that turned out to be a brand's."""

    brand_id: Uuid
    amount_minor: PositiveMinor
    currency: Currency
    reason: ShortText


class ReleaseBody(Fields):
    """A part of what is left; both 0 release all of it."""

    fee_minor: AmountMinor = 0
    brand_fee_minor: AmountMinor = 0
    creator_fee_bps: Bps = 0


class CancelBody(Fields):
    """`kill_fee_minor` of the creator's fee goes to the creator, the rest back to the brand."""

    kill_fee_minor: AmountMinor = 0
    creator_fee_bps: Bps = 0
    reason: ShortText


class LineProblem(BaseModel):
    """A line that was not booked, and why; the first 100."""

    line: int
    problem: str


class SettlementAnswer(BaseModel):
    """`settled` lines stand in the journal (also those of an earlier upload); `unmatched` of them are in suspense."""

    settled: int
    unmatched: int
    problems: list[LineProblem]


def api(app: App, webhooks: Webhooks) -> FastAPI:
    """The ledger's HTTP edge."""
    made = create_api(
        "Dandelion ledger", app.verifier, fingerprint_key=app.fingerprint_key, health=app.health,
        rate=Rate(app.settings.rate_per_s, app.settings.rate_burst),
        body_limits={"/settlements": SETTLEMENT_BYTES}, description=__doc__ or "",
    )  # fmt: skip
    made.include_router(_transfers(app))
    made.include_router(_staff(app))
    made.include_router(_provider(app, webhooks))
    return made


async def _send(app: App, sender: Sending, command: Command, body: BaseModel) -> Receipt:
    stream = stream_of(command)
    return sender.answer(await app.writer.execute(stream, command, sender.meta(stream, command, body)))


def _transfers(app: App) -> APIRouter:
    router = APIRouter(tags=["transfers"])

    @router.put("/deposits/{deposit_id}", status_code=201)
    async def deposit(deposit_id: Uuid, body: DepositBody, sender: Sender) -> Receipt:
        """Asks the provider for money; it is spendable when the provider has confirmed it."""
        brand_id = body.brand_id or sender.actor.tenant
        command = RequestDeposit(deposit_id, brand_id, body.currency, body.amount_minor, body.instrument)
        return await _send(app, sender, command, body)

    @router.put("/payouts/{payout_id}", status_code=201)
    async def payout(payout_id: Uuid, body: PayoutBody, sender: Sender) -> Receipt:
        """Pays out what was earned; what fails comes back to the balance."""
        owner, account = body.owner_id or sender.actor.tenant, ACCOUNTS[body.party]
        command = RequestPayout(payout_id, owner, account, body.currency, body.amount_minor, body.instrument)
        return await _send(app, sender, command, body)

    @router.put("/refunds/{refund_id}", status_code=201)
    async def refund(refund_id: Uuid, body: RefundBody, sender: Sender) -> Receipt:
        """Returns free deposit to where it came from."""
        return await _send(app, sender, RequestRefund(refund_id, body.deposit_id, body.amount_minor), body)

    return router


def _staff(app: App) -> APIRouter:
    router = APIRouter(tags=["finance"])

    @router.put("/own-money/{reference}", status_code=201)
    async def own_money(reference: Uuid, body: OwnMoneyBody, sender: Sender) -> Receipt:
        """Books money that the platform paid in; finance only."""
        return await _send(app, sender, PayInOwnMoney(reference, body.currency, body.amount_minor), body)

    @router.put("/identifications/{reference}", status_code=201)
    async def identify(reference: Uuid, body: IdentifyBody, sender: Sender) -> Receipt:
        """Moves money from suspense to the brand whose it is; finance only."""
        command = IdentifyMoney(reference, body.brand_id, body.currency, body.amount_minor, body.reason)
        return await _send(app, sender, command, body)

    @router.post("/escrows/{deliverable_id}/release")
    async def release(deliverable_id: Uuid, body: ReleaseBody, sender: Sender) -> Receipt:
        """Staff's way out when no process ends an escrow: pays the creator; finance only."""
        row = await _escrow(app, deliverable_id, sender.actor)
        fee_minor, brand_fee_minor = body.fee_minor, body.brand_fee_minor
        if not fee_minor + brand_fee_minor:
            fee_minor, brand_fee_minor = row.fee_left_minor, row.brand_fee_left_minor
        release_id = derived_id("release by staff", deliverable_id, sender.key)
        command = ReleasePayment(
            release_id, deliverable_id, row.creator_id, row.currency, fee_minor, brand_fee_minor, body.creator_fee_bps
        )
        return await _send(app, sender, command, body)

    @router.post("/escrows/{deliverable_id}/cancel")
    async def cancel(deliverable_id: Uuid, body: CancelBody, sender: Sender) -> Receipt:
        """Staff's way out when no process ends an escrow: back to the brand; finance only."""
        row = await _escrow(app, deliverable_id, sender.actor)
        command = CancelEscrow(
            derived_id("cancel by staff", deliverable_id, sender.key), deliverable_id, row.brand_id, row.creator_id,
            row.currency, body.kill_fee_minor, body.creator_fee_bps, body.reason,
        )  # fmt: skip
        return await _send(app, sender, command, body)

    @router.post("/settlements")
    async def settlement(
        content: Annotated[bytes, Body(media_type="text/csv", description="batch,line,reference,currency,...")],
        sender: Sender,
    ) -> SettlementAnswer:
        """Books a provider's settlement file line by line; a line is booked once, however often it is uploaded."""
        sender.actor.require("finance")
        return await _settle(app, content, sender.actor)

    return router


async def _escrow(app: App, deliverable_id: str, actor: Actor) -> Escrow:
    actor.require("finance")
    row = await escrow_of(app.database, deliverable_id)
    if row is None:
        raise NotFound("escrow.not_found", deliverable_id=deliverable_id)
    return row


async def _settle(app: App, content: bytes, actor: Actor) -> SettlementAnswer:
    answer = SettlementAnswer(settled=0, unmatched=0, problems=[])
    chunk: list[tuple[int, SettlementLine]] = []
    for number, line in list(read_settlement(content)):
        if isinstance(line, str):
            _problem(answer, number, line)
            continue
        chunk.append((number, line))
        if len(chunk) == SETTLEMENT_CHUNK:
            await _settle_chunk(app, chunk, actor, answer)
            chunk = []
    await _settle_chunk(app, chunk, actor, answer)
    return answer


async def _settle_chunk(
    app: App, chunk: list[tuple[int, SettlementLine]], actor: Actor, answer: SettlementAnswer
) -> None:
    """A settled charge is a confirmed one: where the webhook was lost, the file confirms the deposit first."""
    by = Actor(actor.id, actor.tenant, actor.roles | {"system"})
    await app.writer.execute_many([_confirming(line, by) for _, line in chunk if is_id(line.reference)])
    answers = await app.writer.execute_many([_settling(line, by) for _, line in chunk])
    for (number, line), outcome in zip(chunk, answers, strict=True):
        if isinstance(outcome, Unavailable) or (isinstance(outcome, BaseException) and not isinstance(outcome, Fault)):
            raise outcome
        if isinstance(outcome, Fault):
            _problem(answer, number, str(outcome))
        else:
            answer.settled += 1
            known = is_id(line.reference) and await transfer_of(app.database, line.reference)
            answer.unmatched += not (known and known.kind == TransferKind.DEPOSIT)


def _confirming(line: SettlementLine, by: Actor) -> Item:
    command = ConfirmDeposit(line.reference, line.currency, line.gross_minor, line.provider_ref)
    return _item(command, f"confirm:{line.reference}", by)


def _settling(line: SettlementLine, by: Actor) -> Item:
    command = SettleLine(line.batch, str(line.line), line.reference, line.currency, line.gross_minor, line.fee_minor)
    return _item(command, command.chain_id, by)


def _item(command: Command, cause: str, by: Actor) -> Item:
    return Item(stream_of(command), command, Meta(derived_id("settlement", cause), by, repr(command)[:500]))


def _problem(answer: SettlementAnswer, line: int, problem: str) -> None:
    if len(answer.problems) < PROBLEMS_LIMIT:
        answer.problems.append(LineProblem(line=line, problem=problem))


def _provider(app: App, webhooks: Webhooks) -> APIRouter:
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
