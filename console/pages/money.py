"""Money of a brand, an agency or a creator: what is there, what moves, how payments were reckoned, and what one may ask for."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid5

from dandelion.ledger.v1.queries_pb2 import (
    TRANSFER_KIND_DEPOSIT,
    TRANSFER_STATUS_CONFIRMED,
    Balance,
    EscrowStatus,
    GetBalancesRequest,
    GetBalancesResponse,
    GetTaxResidenceRequest,
    GetTaxResidenceResponse,
    ListDeferredPaymentsRequest,
    ListEscrowsRequest,
    ListPayoutAccountsRequest,
    ListReleasesRequest,
    ListStatementRequest,
    ListTransfersRequest,
    PayoutAccount,
    TransferKind,
    TransferStatus,
)
from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.choices import options, value_of
from console.look.menu import BRANDS, CREATORS
from console.look.money import REASONS, RULES, STEPS
from console.page import Cursor, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/money", dependencies=[needs(*BRANDS, *CREATORS)])
SHOWN, FEW = 50, 8
EARNERS = ("creator", "agency")
Word = Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z_-]*$")]
FREE = ("brand_available", "creator_available", "agency_available")
OWED = ("brand_receivable", "creator_receivable", "agency_receivable")
CURRENCIES = ("CNY", "USD", "EUR", "GBP", "JPY", "HKD")


@router.get("")
async def overview(page: Page) -> Response:
    return await _shown(page)


async def _shown(page: SignedIn, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    ledger, asked = page.services.ledger, page.ask
    (balances, accounts, residence), (transfers, waiting), (escrows, releases) = await asyncio.gather(
        asyncio.gather(
            asked(ledger.GetBalances, GetBalancesRequest()),
            asked(ledger.ListPayoutAccounts, ListPayoutAccountsRequest()),
            _residence(page),
        ),
        asyncio.gather(
            asked(ledger.ListTransfers, ListTransfersRequest(page_size=FEW)),
            asked(ledger.ListDeferredPayments, ListDeferredPaymentsRequest(page_size=FEW)),
        ),
        asyncio.gather(
            asked(ledger.ListEscrows, ListEscrowsRequest(page_size=FEW)),
            asked(ledger.ListReleases, ListReleasesRequest(page_size=FEW)),
        ),
    )
    held, paid = list[Any](escrows.escrows), list[Any](releases.releases)
    titles, creators = await asyncio.gather(
        page.titles(one.campaign_id for one in [*held, *paid, *waiting.payments]),
        page.creators(() if page.can("creator") else [one.creator_id for one in [*held, *paid]]),
    )
    why = reasons(page, {one.reason for one in transfers.transfers} | {one.reason for one in waiting.payments})
    return page.show(
        "money/overview.html", sums=_sums(balances), transfers=transfers.transfers, escrows=held, rules=RULES,
        releases=paid, waiting=waiting.payments, accounts=accounts.accounts, residence=residence,
        titles=titles, creators=creators, why=why, form=form, problem=problem, pays=page.can("brand"), earns=page.can(*EARNERS),
        held=[(one.currency, _payable(page, one, balances)) for one in accounts.accounts],
        currencies=[(code, code) for code in CURRENCIES],
    )  # fmt: skip


async def _residence(page: SignedIn) -> GetTaxResidenceResponse | None:
    """None while finance has not verified it; brands have none."""
    if not page.can(*EARNERS):
        return None
    try:
        return await page.ask(page.services.ledger.GetTaxResidence, GetTaxResidenceRequest())
    except Problem as problem:
        if problem.kind != "not_found":
            raise
        return None


def _sums(answer: GetBalancesResponse) -> list[dict[str, Any]]:
    """By currency: what is free, what is held in escrow, what is owed to the platform."""
    held = {one.currency: one.minor for one in answer.in_escrow}
    currencies = sorted({*held, *(one.currency for one in answer.balances)})
    return [
        {
            "currency": currency,
            "free": _of(answer.balances, FREE, currency),
            "held": held.get(currency, 0),
            "owed": _of(answer.balances, OWED, currency),
        }
        for currency in currencies
    ]


def _payable(page: SignedIn, account: PayoutAccount, balances: GetBalancesResponse) -> str:
    """An account, and what may be paid out to it now."""
    free = page.formats.money(_of(balances.balances, FREE, account.currency), account.currency)
    return f"{account.currency} {account.next_account or account.account} · {free}"


def _of(balances: Iterable[Balance], accounts: Sequence[str], currency: str) -> int:
    return sum(one.spendable_minor for one in balances if one.account in accounts and one.currency == currency)


def reasons(page: SignedIn, codes: Iterable[str]) -> dict[str, str]:
    """What codes of failures mean, in the reader's language."""
    return {code: _why(page, code) for code in codes if code}


def _why(page: SignedIn, code: str) -> str:
    return page.words(REASONS[code]) if code in REASONS else page.explain(Problem("refused", code))[0]


@router.get("/transfers")
async def transfers(page: Page, kind: Word = "", status: Word = "", cursor: Cursor = "") -> Response:
    request = ListTransfersRequest(
        kind=value_of(TransferKind, kind), status=value_of(TransferStatus, status), page_size=SHOWN, page_token=cursor
    )
    answer = await page.ask(page.services.ledger.ListTransfers, request)
    why = reasons(page, (one.reason for one in answer.transfers))
    return page.show(
        "money/transfers.html", transfers=answer.transfers, info=answer.page, kind=kind, state=status, why=why,
        kinds=options(page.words, TransferKind), statuses=options(page.words, TransferStatus),
    )  # fmt: skip


@router.get("/escrows")
async def escrows(page: Page, status: Word = "", cursor: Cursor = "") -> Response:
    request = ListEscrowsRequest(status=value_of(EscrowStatus, status), page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.ledger.ListEscrows, request)
    titles, creators = await asyncio.gather(
        page.titles(one.campaign_id for one in answer.escrows), page.creators(one.creator_id for one in answer.escrows)
    )
    return page.show(
        "money/escrows.html", escrows=answer.escrows, totals=answer.totals, info=answer.page, state=status,
        titles=titles, creators=creators, statuses=options(page.words, EscrowStatus),
    )  # fmt: skip


@router.get("/releases")
async def releases(page: Page, cursor: Cursor = "") -> Response:
    answer = await page.ask(page.services.ledger.ListReleases, ListReleasesRequest(page_size=SHOWN, page_token=cursor))
    titles, creators = await asyncio.gather(
        page.titles(one.campaign_id for one in answer.releases),
        page.creators(one.creator_id for one in answer.releases),
    )
    return page.show(
        "money/releases.html", releases=answer.releases, info=answer.page, titles=titles, creators=creators, rules=RULES
    )


@router.get("/statement")
async def statement(page: Page, cursor: Cursor = "") -> Response:
    request = ListStatementRequest(order_by="position desc", page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.ledger.ListStatement, request)
    titles = await page.titles(one.campaign_id for one in answer.lines)
    return page.show("money/statement.html", lines=answer.lines, info=answer.page, titles=titles, steps=STEPS)


def thing_of(form: Form) -> str:
    """The id of what the form makes: the same whenever it is sent."""
    return str(uuid5(NAMESPACE_URL, f"dandelion:console:{form.key}"))


@router.post("/deposit", dependencies=[needs("brand")])
async def deposit(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        currency = form.needed("currency")
        amount = form.minor("amount_minor", currency)
        body = {"amount_minor": amount, "currency": currency, "instrument": form.needed("instrument")}
        form.check()
        if not is_sure(form):
            pairs = [
                (page.words("Amount"), page.formats.money(amount, currency)),
                (page.words("From"), form.text("instrument")),
            ]
            said = page.words(
                "The payment provider charges this. What is free of it can be refunded to the same account."
            )
            button, title = page.words("Pay in"), page.words("Pay in this deposit?")
            return confirm(page, form, Question(title, pairs, said, button, "/money"))
        receipt = await page.send("ledger", "PUT", f"/deposits/{thing_of(form)}", form, body)
        return page.done("/money", receipt, mark("Asked for. It is free to use once the provider confirms it."))

    return await page.submit(lambda typed, problem: _shown(page, typed, problem), form, act)


@router.post("/payout", dependencies=[needs(*EARNERS)])
async def payout(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        currency = form.needed("currency")
        amount = form.minor("amount_minor", currency)
        form.check()
        if not is_sure(form):
            account = await _account(page, currency)
            pairs = [
                (page.words("Amount"), page.formats.money(amount, currency)),
                (page.words("To"), account),
            ]
            said = page.words("Once the provider has it, it cannot be stopped. What fails comes back to your balance.")
            button, title = page.words("Pay out"), page.words("Pay out this amount?")
            return confirm(page, form, Question(title, pairs, said, button, "/money"))
        body = {"amount_minor": amount, "currency": currency, "party": "creator" if page.can("creator") else "agency"}
        receipt = await page.send("ledger", "PUT", f"/payouts/{thing_of(form)}", form, body)
        return page.done("/money", receipt, mark("The payout is on its way."))

    return await page.submit(lambda typed, problem: _shown(page, typed, problem), form, act)


async def _account(page: SignedIn, currency: str) -> str:
    """Where a payout of the currency goes, masked; raises Problem without one."""
    answer = await page.ask(page.services.ledger.ListPayoutAccounts, ListPayoutAccountsRequest())
    named: PayoutAccount | None = next((one for one in answer.accounts if one.currency == currency), None)
    if named is None:
        raise Problem("refused", "payout.account_unknown")
    return named.next_account or named.account


@router.post("/account", dependencies=[needs(*EARNERS)])
async def account(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        body = {"currency": form.needed("account_currency"), "instrument": form.needed("account")}
        form.check()
        if not is_sure(form):
            pairs = [
                (page.words("Currency"), body["currency"]),
                (page.words("Account"), body["instrument"]),
            ]
            said = page.words(
                "An account that money has reached is replaced after three days: nobody else can take it in an hour."
            )
            button, title = page.words("Name this account"), page.words("Pay out to this account from now on?")
            return confirm(page, form, Question(title, pairs, said, button, "/money"))
        receipt = await page.send("ledger", "PUT", f"/payout-accounts/{page.person.tenant}", form, body)
        return page.done("/money", receipt, mark("The account is named."))

    return await page.submit(lambda typed, problem: _shown(page, typed, problem), form, act)


@router.get("/refund", dependencies=[needs("brand")])
async def refundable(page: Page) -> Response:
    return await _refundable(page)


async def _refundable(page: SignedIn, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    request = ListTransfersRequest(kind=TRANSFER_KIND_DEPOSIT, status=TRANSFER_STATUS_CONFIRMED, page_size=SHOWN)
    ledger = page.services.ledger
    answer, balances = await asyncio.gather(
        page.ask(ledger.ListTransfers, request), page.ask(ledger.GetBalances, GetBalancesRequest())
    )
    left = [(one, one.amount_minor - one.refunded_minor - one.reversed_minor) for one in answer.transfers]
    deposits = [
        (
            f"{one.transfer_id}|{one.currency}",
            f"{page.formats.money(minor, one.currency)} · {one.instrument} · {page.formats.day(one.requested_at)}",
        )
        for one, minor in left
        if minor > 0
    ]
    return page.show("money/refund.html", deposits=deposits, sums=_sums(balances), form=form, problem=problem)


@router.post("/refund", dependencies=[needs("brand")])
async def refund(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        deposit_id, _, currency = form.needed("deposit_id").partition("|")
        amount = form.minor("amount_minor", currency or "CNY")
        form.check()
        if not is_sure(form):
            pairs = [
                (page.words("Amount"), page.formats.money(amount, currency)),
                (page.words("Of the deposit"), deposit_id),
            ]
            said = page.words("It goes back to where the deposit came from, and no campaign can use it any more.")
            button, title = page.words("Refund it"), page.words("Refund this amount?")
            return confirm(page, form, Question(title, pairs, said, button, "/money/refund"))
        body = {"deposit_id": deposit_id, "amount_minor": amount}
        receipt = await page.send("ledger", "PUT", f"/refunds/{thing_of(form)}", form, body)
        return page.done("/money", receipt, mark("The refund is on its way."))

    return await page.submit(lambda typed, problem: _refundable(page, typed, problem), form, act)
