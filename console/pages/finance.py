"""Finance: what needs a person, proposals under four eyes, the books with their proof, fees, rates, and the provider's files."""

import asyncio
from typing import Any

from dandelion.ledger.v1.queries_pb2 import (
    HAND_MOVE_STATUS_PROPOSED,
    TRANSFER_KIND_PAYOUT,
    TRANSFER_STATUS_FAILED,
    TRANSFER_STATUS_MISMATCHED,
    GetTrialBalanceRequest,
    ListDeferredPaymentsRequest,
    ListDiscrepanciesRequest,
    ListFeePoliciesRequest,
    ListHandMovesRequest,
    ListReferenceRatesRequest,
    ListReleasesRequest,
    ListTransfersRequest,
    TransferKind,
    TransferStatus,
    VerifyLedgerRequest,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.choices import options, value_of
from console.look.formats import digits_of
from console.look.money import ACCOUNTS, MOVES, RULES
from console.page import Cursor, Id, Page, SignedIn, needs
from console.pages.money import CURRENCIES, Word, reasons, thing_of
from console.pages.moves import PROPOSED, named_owners, segment
from console.words import mark

router = APIRouter(prefix="/finance", dependencies=[needs("finance", "operator", "auditor")])
FINANCE = [needs("finance")]
SHOWN, FEW = 50, 10


@router.get("")
async def work_list(page: Page) -> Response:
    return await _work(page)


async def _work(page: SignedIn, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    ledger = page.services.ledger
    failed, mismatched, listed, deferred, moves = await asyncio.gather(
        page.ask(
            ledger.ListTransfers,
            ListTransfersRequest(kind=TRANSFER_KIND_PAYOUT, status=TRANSFER_STATUS_FAILED, page_size=FEW),
        ),
        page.ask(ledger.ListTransfers, ListTransfersRequest(status=TRANSFER_STATUS_MISMATCHED, page_size=FEW)),
        page.ask(ledger.ListDiscrepancies, ListDiscrepanciesRequest(page_size=SHOWN)),
        page.ask(ledger.ListDeferredPayments, ListDeferredPaymentsRequest(page_size=SHOWN)),
        page.ask(ledger.ListHandMoves, ListHandMovesRequest(status=HAND_MOVE_STATUS_PROPOSED, page_size=SHOWN)),
    )
    transfers = [*failed.transfers, *mismatched.transfers]
    codes = {*(one.reason for one in transfers), *(one.reason for one in deferred.payments)}
    codes |= {one.code for one in listed.discrepancies}
    titles, names, owners = await asyncio.gather(
        page.titles({one.campaign_id for one in deferred.payments}),
        page.creators([*(one.payee_id for one in deferred.payments), *(one.owner_id for one in transfers)]),
        named_owners(page, moves.moves),
    )
    return page.show(
        "finance/work.html", transfers=transfers, discrepancies=listed.discrepancies, deferred=deferred.payments,
        moves=moves.moves, why=reasons(page, codes), titles=titles, names=names, acts=page.can("finance"), owners=owners,
        me=page.person.subject, kinds=MOVES, form=form, problem=problem,
    )  # fmt: skip


@router.post("/discrepancies/{discrepancy_id}/resolve", dependencies=FINANCE)
async def resolve(page: Page, discrepancy_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        body = {"reason": form.needed("reason")}
        receipt = await page.send("ledger", "POST", f"/discrepancies/{discrepancy_id}/resolve", form, body)
        return page.done("/finance", receipt, mark("It is off the list."))

    return await page.submit(lambda typed, problem: _work(page, typed, problem), form, act)


@router.post("/proposals/{proposal_id}/{verb}", dependencies=FINANCE)
async def answer(page: Page, proposal_id: Id, verb: str, form: Filled) -> Response:
    """The second pair of eyes: approve carries the move out, reject ends it."""

    async def act() -> Response:
        body = None if verb == "approve" else {"reason": form.needed("reason")}
        form.check()
        if verb == "approve" and not is_sure(form):
            return confirm(page, form, await _question(page, proposal_id))
        path = f"/proposals/{proposal_id}/{'approve' if verb == 'approve' else 'reject'}"
        receipt = await page.send("ledger", "POST", path, form, body)
        said = mark("Approved and carried out.") if verb == "approve" else mark("Rejected.")
        return page.done("/finance", receipt, said)

    return await page.submit(lambda typed, problem: _work(page, typed, problem), form, act)


async def _question(page: SignedIn, proposal_id: str) -> Question:
    """What the approval will do; raises Problem for a proposal that waits no longer."""
    request = ListHandMovesRequest(status=HAND_MOVE_STATUS_PROPOSED, page_size=200)
    found = await page.ask(page.services.ledger.ListHandMoves, request)
    move = next((one for one in found.moves if one.proposal_id == proposal_id), None)
    if move is None:
        raise Problem("not_found", "proposal.not_found")
    sums = ", ".join(page.formats.money(one.minor, one.currency) for one in move.sums)
    owners = (await named_owners(page, [move])).values()
    pairs = [
        (page.words(mark("Move")), page.words(MOVES.get(move.move, move.move))),
        (page.words(mark("Of whom")), ", ".join(owners) or "–"),
        (page.words(mark("Amount")), sums or "–"),
        (page.words(mark("Proposed by")), move.proposed_by),
        (page.words(mark("Exactly")), move.command),
    ]
    said = page.words(mark("It is carried out at once; only another move undoes it."))
    return Question(
        page.words(mark("Approve this move?")), pairs, said, page.words(mark("Approve it")), "/finance", True
    )


@router.get("/transfers")
async def transfers(page: Page, kind: Word = "", status: Word = "", cursor: Cursor = "") -> Response:
    request = ListTransfersRequest(
        kind=value_of(TransferKind, kind), status=value_of(TransferStatus, status), page_size=SHOWN, page_token=cursor
    )
    found = await page.ask(page.services.ledger.ListTransfers, request)
    return page.show(
        "finance/transfers.html", transfers=found.transfers, info=found.page, kind=kind, state=status,
        kinds=options(page.words, TransferKind), statuses=options(page.words, TransferStatus),
        why=reasons(page, (one.reason for one in found.transfers)),
        names=await page.creators(one.owner_id for one in found.transfers),
    )  # fmt: skip


@router.get("/releases")
async def releases(page: Page, cursor: Cursor = "") -> Response:
    found = await page.ask(page.services.ledger.ListReleases, ListReleasesRequest(page_size=SHOWN, page_token=cursor))
    titles, creators = await asyncio.gather(
        page.titles(one.campaign_id for one in found.releases), page.creators(one.creator_id for one in found.releases)
    )
    return page.show(
        "finance/releases.html", releases=found.releases, info=found.page, titles=titles, creators=creators, rules=RULES
    )


@router.get("/books")
async def books(page: Page, prove: str = "") -> Response:
    """The trial balance, and on demand the proof, which reads the whole journal."""
    ledger = page.services.ledger
    balance = await page.ask(ledger.GetTrialBalance, GetTrialBalanceRequest())
    proof = await page.ask(ledger.VerifyLedger, VerifyLedgerRequest()) if prove else None
    return page.show("finance/books.html", balance=balance, proof=proof, accounts=ACCOUNTS)


@router.get("/fees")
async def fees(page: Page) -> Response:
    return await _fees(page)


async def _fees(page: SignedIn, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    ledger = page.services.ledger
    policies, rates = await asyncio.gather(
        page.ask(ledger.ListFeePolicies, ListFeePoliciesRequest()),
        page.ask(ledger.ListReferenceRates, ListReferenceRatesRequest(page_size=FEW)),
    )
    return page.show(
        "finance/fees.html", policies=policies.policies, now=policies.in_force, rates=rates.rates, form=form,
        problem=problem, acts=page.can("finance"), me=page.person.subject,
        currencies=[(code, code) for code in CURRENCIES if code != "CNY"],
    )  # fmt: skip


@router.post("/fees", dependencies=FINANCE)
async def propose_fees(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        body = {
            "since": form.moment("since", page.zone),
            "brand_fee_bps": form.basis_points("brand_fee_bps"),
            "creator_fee_bps": form.basis_points("creator_fee_bps"),
        }
        receipt = await page.send("ledger", "PUT", f"/fee-policies/{thing_of(form)}", form, body)
        return page.done("/finance/fees", receipt, PROPOSED)

    return await page.submit(lambda typed, problem: _fees(page, typed, problem), form, act)


@router.post("/fees/{policy_id}/{verb}", dependencies=FINANCE)
async def answer_fees(page: Page, policy_id: Id, verb: str, form: Filled) -> Response:
    async def act() -> Response:
        approves = verb == "approve"
        body = None if approves else {"reason": form.needed("reason")}
        form.check()
        if approves and not is_sure(form):
            said = page.words(
                mark("Every offer from that day on is made under these fees. Contracts of before keep theirs.")
            )
            title, button = page.words(mark("Approve these fees?")), page.words(mark("Approve them"))
            return confirm(page, form, Question(title, [], said, button, "/finance/fees"))
        path = f"/fee-policies/{policy_id}/{'approve' if approves else 'reject'}"
        receipt = await page.send("ledger", "POST", path, form, body)
        said = mark("The fees are approved.") if approves else mark("The fees are rejected.")
        return page.done("/finance/fees", receipt, said)

    return await page.submit(lambda typed, problem: _fees(page, typed, problem), form, act)


@router.post("/rates", dependencies=FINANCE)
async def rate(page: Page, form: Filled) -> Response:
    """Proposes a month's reference rate: so many yuan for 100 of the currency."""

    async def act() -> Response:
        currency, month = segment(form, "rate_currency"), segment(form, "month")
        body = {"cny_minor": form.minor("cny_minor", "CNY"), "per_minor": 100 * 10 ** digits_of(currency)}
        path = f"/reference-rates/{currency}/{month}"
        receipt = await page.send("ledger", "PUT", path, form, body)
        return page.done("/finance", receipt, PROPOSED)

    return await page.submit(lambda typed, problem: _fees(page, typed, problem), form, act)


@router.get("/reconciliation")
async def reconciliation(page: Page) -> Response:
    return _files(page)


@router.post("/reconciliation", dependencies=FINANCE)
async def settle(page: Page, form: Filled) -> Response:
    """A settlement file: the first upload proposes it, the same bytes by another person book it."""

    async def act() -> Response:
        file = form.files.get("file")
        content = await file.read(2_000_000) if file is not None else b""
        if not content:
            raise Problem("invalid", "request.invalid", {}, {"file": mark("Please choose a file.")})
        headers = {"Idempotency-Key": form.key, "Content-Type": "text/csv"}
        told = await page.services.send(
            "ledger", "POST", "/settlements", page.person.token, content=content, headers=headers
        )
        return _files(page, form, None, told)

    async def again(typed: Form, problem: Problem) -> Response:
        return _files(page, typed, problem)

    return await page.submit(again, form, act)


def _files(page: SignedIn, form: Form = EMPTY, problem: Problem | None = None, told: Any = None) -> Response:
    return page.show("finance/files.html", form=form, problem=problem, told=told, acts=page.can("finance"))


@router.post("/payees", dependencies=FINANCE)
async def residence(page: Page, form: Filled) -> Response:
    """Proposes where a payee is resident for tax."""

    async def act() -> Response:
        payee = segment(form, "payee_id")
        body = {"country": form.needed("country").upper(), "reference": form.needed("reference")}
        receipt = await page.send("ledger", "PUT", f"/tax-residences/{payee}", form, body)
        return page.done("/finance", receipt, PROPOSED)

    return await page.submit(lambda typed, problem: _work(page, typed, problem), form, act)
