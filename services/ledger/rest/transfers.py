"""What organisations ask for: deposits, payouts, refunds, and where payouts go."""

from fastapi import APIRouter

from kernel.core.events import Receipt
from kernel.core.faults import Refused
from kernel.edge.fields import Uuid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import RequestDeposit, RequestPayout, RequestRefund
from services.ledger.domain.payees import PAYOUT_ACCOUNTS
from services.ledger.domain.set_by_hand import ChangePayoutAccount
from services.ledger.reads.rows import inline_row, transfer_of
from services.ledger.rest.bodies import DepositBody, PayoutAccountBody, PayoutBody, RefundBody
from services.ledger.rest.by_hand import send


async def _named(app: App, owner: str, currency: str) -> str:
    """The account that the owner named last for payouts of the currency."""
    row = await inline_row(app.database, PAYOUT_ACCOUNTS, (owner, currency))
    if row is None:
        raise Refused("payout.account_unknown", do="name an account first: PUT /payout-accounts/{owner_id}")
    return row.named


ACCOUNTS = {"creator": Code.CREATOR_AVAILABLE, "agency": Code.AGENCY_AVAILABLE}


def transfers(app: App) -> APIRouter:
    """Routes of brands, creators and agencies; finance may propose to act for them."""
    router = APIRouter(tags=["transfers"])

    @router.put("/deposits/{deposit_id}", status_code=201)
    async def deposit(deposit_id: Uuid, body: DepositBody, request: CommandRequest) -> Receipt:
        """Asks the provider for money; it is spendable when the provider has confirmed it."""
        brand_id = body.brand_id or request.actor.tenant
        command = RequestDeposit(deposit_id, brand_id, body.currency, body.amount_minor, body.instrument)
        return await send(app, request, command, body, brand_id)

    @router.put("/payouts/{payout_id}", status_code=201)
    async def payout(payout_id: Uuid, body: PayoutBody, request: CommandRequest) -> Receipt:
        """Pays out what was earned; what fails comes back to the balance."""
        owner, account = body.owner_id or request.actor.tenant, ACCOUNTS[body.party]
        instrument = body.instrument or await _named(app, owner, body.currency)
        command = RequestPayout(payout_id, owner, account, body.currency, body.amount_minor, instrument)
        return await send(app, request, command, body, owner)

    @router.put("/payout-accounts/{owner_id}", status_code=201)
    async def payout_account(owner_id: Uuid, body: PayoutAccountBody, request: CommandRequest) -> Receipt:
        """Names another account for payouts; one that was paid before is replaced after three days only."""
        return await send(app, request, ChangePayoutAccount(owner_id, body.currency, body.instrument), body, owner_id)

    @router.put("/refunds/{refund_id}", status_code=201)
    async def refund(refund_id: Uuid, body: RefundBody, request: CommandRequest) -> Receipt:
        """Returns free deposit to where it came from."""
        deposit = await transfer_of(app.database, body.deposit_id)
        command = RequestRefund(refund_id, body.deposit_id, body.amount_minor)
        return await send(app, request, command, body, deposit.owner if deposit else request.actor.tenant)

    return router
