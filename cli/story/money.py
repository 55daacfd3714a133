"""The fourth part: creators are paid out (one payout fails and comes back), and the books are laid open."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion.ledger.v1 import queries_pb2 as queries
from dandelion.ledger.v1.queries_pb2_grpc import BalanceQueryServiceStub

from cli.story.heard import Heard
from cli.story.market import AUDITOR, Market, Unexpected, named
from cli.story.people import creator


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
    id_, failing = named("payout", creator_id, currency), n == 0
    body = {
        "amount_minor": minor,
        "currency": currency,
        "instrument": "tok_declined_account" if failing else f"tok_account_{n}",
    }
    await market.do("ledger", "PUT", f"/payouts/{id_}", creator(creator_id), body)
    await heard.one(ledger.PayoutFailed if failing else ledger.PayoutConfirmed, payout_id=id_)
    step("paid out")


def check_escrows(heard: Heard) -> int:
    """For every deliverable: what was held was paid or went back, to the cent. The number of deliverables."""
    held: dict[str, int] = {one.deliverable_id: one.gross_minor for one in heard.every(ledger.EscrowHeld)}
    gone: dict[str, int] = defaultdict(int)
    for paid in heard.every(ledger.PaymentReleased):
        gone[paid.deliverable_id] += paid.gross_minor
    for refund in heard.every(ledger.RefundIssued):
        gone[refund.deliverable_id] += refund.amount_minor
    wrong = {id_: (minor, gone[id_]) for id_, minor in held.items() if gone[id_] != minor}
    if wrong or gone.keys() - held.keys():
        raise Unexpected(f"held and gone differ: {wrong or gone.keys() - held.keys()}")
    return len(held)


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
