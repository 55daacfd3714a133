"""What organisations ask for: deposits, payouts, refunds, and where payouts go."""

from fastapi import APIRouter
from pydantic import BaseModel

from kernel.core.events import Receipt
from kernel.edge.fields import Uuid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import Command, RequestDeposit, RequestPayout, RequestRefund, stream_of
from services.ledger.domain.payees import ChangePayoutAccount, payee_stream
from services.ledger.rest.bodies import DepositBody, PayoutAccountBody, PayoutBody, RefundBody

ACCOUNTS = {"creator": Code.CREATOR_AVAILABLE, "agency": Code.AGENCY_AVAILABLE}


async def send(app: App, request: CommandRequest, command: Command, body: BaseModel) -> Receipt:
    """Executes a chain's command on its own stream."""
    stream = stream_of(command)
    return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))


def transfers(app: App) -> APIRouter:
    """Routes of brands, creators and agencies; finance may act for them."""
    router = APIRouter(tags=["transfers"])

    @router.put("/deposits/{deposit_id}", status_code=201)
    async def deposit(deposit_id: Uuid, body: DepositBody, request: CommandRequest) -> Receipt:
        """Asks the provider for money; it is spendable when the provider has confirmed it."""
        brand_id = body.brand_id or request.actor.tenant
        command = RequestDeposit(deposit_id, brand_id, body.currency, body.amount_minor, body.instrument)
        return await send(app, request, command, body)

    @router.put("/payouts/{payout_id}", status_code=201)
    async def payout(payout_id: Uuid, body: PayoutBody, request: CommandRequest) -> Receipt:
        """Pays out what was earned; what fails comes back to the balance."""
        owner, account = body.owner_id or request.actor.tenant, ACCOUNTS[body.party]
        command = RequestPayout(payout_id, owner, account, body.currency, body.amount_minor, body.instrument)
        return await send(app, request, command, body)

    @router.put("/payout-accounts/{owner_id}", status_code=201)
    async def payout_account(owner_id: Uuid, body: PayoutAccountBody, request: CommandRequest) -> Receipt:
        """Names another account for payouts; one that was paid before is replaced after three days only."""
        stream, command = (
            payee_stream(owner_id, body.currency),
            ChangePayoutAccount(owner_id, body.currency, body.instrument),
        )
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    @router.put("/refunds/{refund_id}", status_code=201)
    async def refund(refund_id: Uuid, body: RefundBody, request: CommandRequest) -> Receipt:
        """Returns free deposit to where it came from."""
        return await send(app, request, RequestRefund(refund_id, body.deposit_id, body.amount_minor), body)

    return router
