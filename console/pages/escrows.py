"""Escrows as finance sees them: the list, and one of them with staff's way out, which takes two people."""

import asyncio

from dandelion.ledger.v1.queries_pb2 import (
    ESCROW_STATUS_HELD,
    HAND_MOVE_STATUS_PROPOSED,
    Escrow,
    EscrowStatus,
    HandMove,
    ListEscrowsRequest,
    ListHandMovesRequest,
    ListReleasesRequest,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.choices import options, value_of
from console.look.money import MOVES, RULES
from console.page import Cursor, Id, Page, SignedIn, needs
from console.pages.money import Word
from console.pages.moves import PROPOSED, named_owners
from console.words import mark

router = APIRouter(prefix="/finance/escrows", dependencies=[needs("finance", "operator", "auditor")])
FINANCE = [needs("finance")]
SHOWN, OF_ONE = 50, 200


@router.get("")
async def escrows(page: Page, status: Word = "", cursor: Cursor = "") -> Response:
    request = ListEscrowsRequest(status=value_of(EscrowStatus, status), page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.ledger.ListEscrows, request)
    titles, creators = await asyncio.gather(
        page.titles(one.campaign_id for one in answer.escrows), page.creators(one.creator_id for one in answer.escrows)
    )
    return page.show(
        "escrows/list.html", escrows=answer.escrows, totals=answer.totals, info=answer.page, state=status,
        titles=titles, creators=creators, statuses=options(page.words, EscrowStatus),
    )  # fmt: skip


@router.get("/{collaboration_id}/{deliverable_id}")
async def escrow(page: Page, collaboration_id: Id, deliverable_id: Id) -> Response:
    return await _shown(page, collaboration_id, deliverable_id)


async def _shown(
    page: SignedIn, collaboration_id: str, deliverable_id: str, form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    ledger = page.services.ledger
    found, releases, moves = await asyncio.gather(
        _asked(page, collaboration_id, deliverable_id),
        page.ask(ledger.ListReleases, ListReleasesRequest(deliverable_id=deliverable_id, page_size=OF_ONE)),
        page.ask(ledger.ListHandMoves, ListHandMovesRequest(status=HAND_MOVE_STATUS_PROPOSED, page_size=OF_ONE)),
    )
    proposed = [one for one in moves.moves if _is_of(one, deliverable_id)]
    titles, creators, owners = await asyncio.gather(
        page.titles([found.campaign_id]), page.creators([found.creator_id]), named_owners(page, proposed)
    )
    return page.show(
        "escrows/escrow.html", escrow=found, own=f"/finance/escrows/{collaboration_id}/{deliverable_id}", rules=RULES,
        title=titles[found.campaign_id], creator=creators[found.creator_id], titles=titles, creators=creators,
        releases=releases.releases, moves=proposed,
        kinds=MOVES, owners=owners, me=page.person.subject, acts=page.can("finance"), form=form, problem=problem,
        is_held=found.status == ESCROW_STATUS_HELD,
    )  # fmt: skip


def _is_of(move: HandMove, deliverable_id: str) -> bool:
    return move.move in ("release", "cancellation") and deliverable_id in move.command


async def _asked(page: SignedIn, collaboration_id: str, deliverable_id: str) -> Escrow:
    """The escrow of a deliverable; raises Problem."""
    request = ListEscrowsRequest(collaboration_id=collaboration_id, page_size=OF_ONE)
    found = (await page.ask(page.services.ledger.ListEscrows, request)).escrows
    for one in found:
        if one.deliverable_id == deliverable_id:
            return one
    raise Problem("not_found", "escrow.not_found")


@router.post("/{collaboration_id}/{deliverable_id}/release", dependencies=FINANCE)
async def release(page: Page, collaboration_id: Id, deliverable_id: Id, form: Filled) -> Response:
    """Proposes to pay the creator: all that is left, or a part of its fee."""

    async def act() -> Response:
        found = await _asked(page, collaboration_id, deliverable_id)
        fee = form.minor("fee_minor", found.currency, 0)
        brand_fee = form.minor("brand_fee_minor", found.currency, 0)
        form.check()
        if not is_sure(form):
            sums = (fee, brand_fee) if fee + brand_fee else _left(found)
            return confirm(page, form, await _of_release(page, found, *sums))
        body = {"fee_minor": fee, "brand_fee_minor": brand_fee}
        receipt = await page.send("ledger", "POST", f"/escrows/{deliverable_id}/release", form, body)
        return page.done("/finance", receipt, PROPOSED)

    return await page.submit(
        lambda typed, problem: _shown(page, collaboration_id, deliverable_id, typed, problem), form, act
    )


def _left(found: Escrow) -> tuple[int, int]:
    """What is left, as one sum: the ledger knows how much of it is whose fee."""
    return found.left_minor, 0


async def _of_release(page: SignedIn, found: Escrow, fee_minor: int, brand_fee_minor: int) -> Question:
    pairs = [
        *(await _whose(page, found)),
        (page.words(mark("Leaves the escrow")), page.formats.money(fee_minor + brand_fee_minor, found.currency)),
        (page.words(mark("Stays there")), _money(page, found, found.left_minor - fee_minor - brand_fee_minor)),
    ]
    said = page.words(
        mark(
            "Another person of finance approves it; then the creator is paid, less fees and tax. No process undoes it."
        )
    )
    title, button = page.words(mark("Propose this payment?")), page.words(mark("Propose the payment"))
    return Question(title, pairs, said, button, _own(found), True)


@router.post("/{collaboration_id}/{deliverable_id}/cancel", dependencies=FINANCE)
async def cancel(page: Page, collaboration_id: Id, deliverable_id: Id, form: Filled) -> Response:
    """Proposes to give the rest back to the brand, less what the creator has earned of its fee."""

    async def act() -> Response:
        found = await _asked(page, collaboration_id, deliverable_id)
        kill = form.minor("kill_fee_minor", found.currency, 0)
        body = {"kill_fee_minor": kill, "reason": form.needed("reason")}
        form.check()
        if not is_sure(form):
            return confirm(page, form, await _of_cancellation(page, found, kill, form.text("reason")))
        receipt = await page.send("ledger", "POST", f"/escrows/{deliverable_id}/cancel", form, body)
        return page.done("/finance", receipt, PROPOSED)

    return await page.submit(
        lambda typed, problem: _shown(page, collaboration_id, deliverable_id, typed, problem), form, act
    )


async def _of_cancellation(page: SignedIn, found: Escrow, kill_minor: int, reason: str) -> Question:
    pairs = [
        *(await _whose(page, found)),
        (page.words(mark("In escrow now")), _money(page, found, found.left_minor)),
        (page.words(mark("Of it to the creator, before fees and tax")), _money(page, found, kill_minor)),
        (page.words(mark("Reason")), reason),
    ]
    said = page.words(
        mark("Another person of finance approves it; then the rest goes back to the brand and the escrow is over.")
    )
    title, button = page.words(mark("Propose to return this escrow?")), page.words(mark("Propose the return"))
    return Question(title, pairs, said, button, _own(found), True)


async def _whose(page: SignedIn, found: Escrow) -> list[tuple[str, str]]:
    titles, creators = await asyncio.gather(page.titles([found.campaign_id]), page.creators([found.creator_id]))
    return [
        (page.words(mark("Campaign")), titles[found.campaign_id]),
        (page.words(mark("Creator")), creators[found.creator_id]),
    ]


def _own(found: Escrow) -> str:
    return f"/finance/escrows/{found.collaboration_id}/{found.deliverable_id}"


def _money(page: SignedIn, found: Escrow, minor: int) -> str:
    return page.formats.money(minor, found.currency)
