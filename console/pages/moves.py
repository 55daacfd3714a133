"""What finance proposes to move by hand: money to identify, own money, a tie that holds a payment; and files to fetch."""

import re
from collections.abc import Iterable, Mapping

from dandelion.ledger.v1.queries_pb2 import HandMove, ListHandMovesRequest
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.money import MOVES
from console.page import Cursor, Page, SignedIn, needs
from console.pages.money import CURRENCIES, thing_of
from console.words import mark

router = APIRouter(prefix="/finance", dependencies=[needs("finance", "operator", "auditor")])
FINANCE = [needs("finance")]
SHOWN = 50
SEGMENT = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
NO_ID = mark("Please give it as the pages show it: letters, digits and hyphens.")
PROPOSED = mark("Proposed: another person of finance has to approve it.")


def segment(form: Form, name: str) -> str:
    """What was typed as a part of an address: an id, a currency, a month."""
    typed = form.needed(name)
    if typed and not SEGMENT.match(typed):
        form.wrong.setdefault(name, NO_ID)
    return typed


async def named_owners(page: SignedIn, moves: Iterable[HandMove]) -> Mapping[str, str]:
    """Name by id of those whose money the moves are about; of an organisation the beginning of its id."""
    return await page.creators(one for move in moves for one in move.owner_ids)


@router.get("/proposals")
async def proposals(page: Page, cursor: Cursor = "") -> Response:
    return await _shown(page, cursor)


async def _shown(page: SignedIn, cursor: str = "", form: Form = EMPTY, problem: Problem | None = None) -> Response:
    request = ListHandMovesRequest(page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.ledger.ListHandMoves, request)
    return page.show(
        "finance/proposals.html", moves=answer.moves, info=answer.page, kinds=MOVES, acts=page.can("finance"), form=form,
        problem=problem, currencies=[(code, code) for code in CURRENCIES], owners=await named_owners(page, answer.moves),
    )  # fmt: skip


@router.post("/identifications", dependencies=FINANCE)
async def identify(page: Page, form: Filled) -> Response:
    """Money in suspense turned out to be a brand's."""

    async def act() -> Response:
        currency = form.needed("currency")
        body = {
            "brand_id": form.needed("brand_id"),
            "amount_minor": form.minor("amount_minor", currency),
            "currency": currency,
            "reason": form.needed("reason"),
        }
        receipt = await page.send("ledger", "PUT", f"/identifications/{thing_of(form)}", form, body)
        return page.done("/finance", receipt, PROPOSED)

    return await page.submit(lambda typed, problem: _shown(page, "", typed, problem), form, act)


@router.post("/own-money", dependencies=FINANCE)
async def own_money(page: Page, form: Filled) -> Response:
    """The platform paid in money of its own, for costs."""

    async def act() -> Response:
        currency = form.needed("own_currency")
        body = {"amount_minor": form.minor("own_minor", currency), "currency": currency}
        receipt = await page.send("ledger", "PUT", f"/own-money/{thing_of(form)}", form, body)
        return page.done("/finance", receipt, PROPOSED)

    return await page.submit(lambda typed, problem: _shown(page, "", typed, problem), form, act)


@router.post("/ties", dependencies=FINANCE)
async def tie(page: Page, form: Filled) -> Response:
    """A payee is rightly paid by a brand that it shares an account with."""

    async def act() -> Response:
        brand, payee = segment(form, "tied_brand_id"), segment(form, "tied_payee_id")
        body = {"reason": form.needed("tie_reason")}
        receipt = await page.send("ledger", "PUT", f"/ties/{brand}/{payee}", form, body)
        return page.done("/finance", receipt, PROPOSED)

    return await page.submit(lambda typed, problem: _shown(page, "", typed, problem), form, act)


@router.post("/fetch", dependencies=FINANCE)
async def fetch(page: Page, form: Filled) -> Response:
    """The service fetches a settlement file from the provider and books it."""

    async def act() -> Response:
        batch = segment(form, "batch")
        receipt = await page.send("ledger", "POST", f"/settlements/{batch}/fetch", form)
        return page.done("/finance", receipt, mark("The file is fetched; what it does not settle appears here."))

    return await page.submit(lambda typed, problem: _shown(page, "", typed, problem), form, act)
