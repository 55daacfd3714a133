"""The fourth part: creators are paid out (one payout fails and comes back), and the books are laid open."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion.ledger.v1 import queries_pb2 as queries
from dandelion.ledger.v1.queries_pb2_grpc import BalanceQueryServiceStub

from cli.story.heard import Heard
from cli.story.market import AUDITOR, Market, Unexpected, named
from cli.story.people import creator

DECLINED = "tok_declined_account"


def account_of(creator_id: str) -> str:
    """The provider's token of the one account of a creator: another one would have to be registered days before."""
    return f"tok_account_{creator_id}"


async def pay_out(market: Market, heard: Heard, step: Callable[[str], None]) -> None:
    """Everybody who earned asks for all of it; the first one's account is closed, so that money comes back."""
    earned: Counter[tuple[str, str]] = Counter()
    for release in heard.every(ledger.PaymentReleased):
        earned[release.creator_id, release.currency] += release.creator_net_minor
    asked = [(*key, minor) for key, minor in sorted(earned.items()) if minor]
    await asyncio.gather(*[_payout(market, heard, n, *each, step) for n, each in enumerate(asked)])


async def _payout(
    market: Market, heard: Heard, n: int, creator_id: str, currency: str, minor: int, step: Callable[[str], None]
) -> None:
    instrument = DECLINED if n == 0 else account_of(creator_id)
    await payout(market, heard, named("payout", creator_id, currency), creator_id, currency, minor, instrument)
    step("paid out")


async def payout(
    market: Market, heard: Heard, id_: str, creator_id: str, currency: str, minor: int, instrument: str
) -> None:
    """One payout, until it has arrived or come back."""
    body = {"amount_minor": minor, "currency": currency, "instrument": instrument}
    await market.do("ledger", "PUT", f"/payouts/{id_}", creator(creator_id), body)
    failing = instrument == DECLINED
    await heard.one(ledger.PayoutFailed if failing else ledger.PayoutConfirmed, payout_id=id_)


@dataclass(slots=True)
class Escrow:
    """What became of the money of one deliverable, in minor units."""

    campaign_id: str
    creator_id: str
    currency: str
    held_minor: int = 0
    released_minor: int = 0
    returned_minor: int = 0


def escrows(heard: Heard) -> dict[str, Escrow]:
    """By deliverable; Unexpected unless everything that was held was paid or went back, to the cent."""
    found = {
        one.deliverable_id: Escrow(one.campaign_id, one.creator_id, one.currency, one.gross_minor)
        for one in heard.every(ledger.EscrowHeld)
    }
    for paid in heard.every(ledger.PaymentReleased):
        found[paid.deliverable_id].released_minor += paid.gross_minor
    for refund in heard.every(ledger.RefundIssued):
        found[refund.deliverable_id].returned_minor += refund.amount_minor
    for deliverable_id, one in found.items():
        if one.held_minor != one.released_minor + one.returned_minor:
            raise Unexpected(f"escrow of {deliverable_id}: {one}")
    return found


async def trial_balance(market: Market, heard: Heard) -> Any:
    """All accounts, by code and currency; debits equal credits or the story fails."""
    stub = BalanceQueryServiceStub(market.channel("ledger", AUDITOR))
    request = queries.GetTrialBalanceRequest(at_least=heard.newest("ledger"))
    balance = await market.ask(stub.GetTrialBalance, request)
    for total in balance.totals:
        if total.debits_minor != total.credits_minor or not total.debits_minor:
            raise Unexpected(f"{total.currency}: debits {total.debits_minor}, credits {total.credits_minor}")
    return balance


async def verify(market: Market) -> Any:
    """The ledger proves its chain, sums and bounds anew from the journal."""
    stub = BalanceQueryServiceStub(market.channel("ledger", AUDITOR))
    verified = await market.ask(stub.VerifyLedger, queries.VerifyLedgerRequest())
    wrong = [f"{check.name}: {', '.join(check.problems)}" for check in verified.checks if not check.ok]
    if wrong or not verified.ok:
        raise Unexpected(f"the ledger does not verify: {'; '.join(wrong)}")
    return verified
