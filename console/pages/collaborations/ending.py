"""How a collaboration is ended or disputed by its parties: a cancellation with its price before it, a dispute."""

import asyncio

from dandelion.campaigns.v1.queries_pb2 import QuoteCancellationRequest
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.page import Id, Page, SignedIn
from console.pages.collaborations.shown import asked, overview, side
from console.pages.deals import reasons
from console.pages.deals.words import WORDS
from console.words import mark

router = APIRouter(prefix="/{collaboration_id}")
OPENED = mark("The dispute is open: clocks and payments stand until staff rule.")
WITHDRAWN = mark("Withdrawn: the clocks go on.")
CANCELLED = mark("Cancelled, at the price that was shown.")


@router.get("/cancel")
async def price(page: Page, collaboration_id: Id) -> Response:
    return await _priced(page, collaboration_id)


async def _priced(
    page: SignedIn, collaboration_id: str, form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    """What each would get if the reader cancelled now. Where it cannot be cancelled, the refusal says why."""
    request = QuoteCancellationRequest(collaboration_id=collaboration_id)
    found, answer = await asyncio.gather(
        asked(page, collaboration_id), page.ask(page.services.campaigns.QuoteCancellation, request)
    )
    names, titles = await asyncio.gather(page.creators([found.creator_id]), page.titles([found.campaign_id]))
    return page.show(
        "collaborations/cancel.html",
        work=found, quote=answer.quote, name=names[found.creator_id], title=titles[found.campaign_id], side=side(page),
        views={one.deliverable.deliverable_id: one.deliverable for one in found.deliverables}, reasons=reasons,
        form=form, problem=problem, **WORDS,
    )  # fmt: skip


@router.post("/cancel")
async def cancel(page: Page, collaboration_id: Id, form: Filled) -> Response:
    """Refused where the price has changed since it was shown: nobody pays what it has not seen."""

    async def act() -> Response:
        kill_fee_minor = await _price_now(page, collaboration_id)
        if kill_fee_minor not in ("", form.first("kill_fee_minor")):
            raise Problem("conflict", "quote.changed")
        return await _sent(page, collaboration_id, "cancel", form, {"reason": form.needed("reason")}, CANCELLED)

    async def again(typed: Form, problem: Problem) -> Response:
        return await _priced_or_seen(page, collaboration_id, typed, problem)

    return await page.submit(again, form, act)


async def _price_now(page: SignedIn, collaboration_id: str) -> str:
    """What a cancellation costs now; "" where none is possible: a form that is sent twice is still answered once."""
    try:
        request = QuoteCancellationRequest(collaboration_id=collaboration_id)
        return str((await page.ask(page.services.campaigns.QuoteCancellation, request)).quote.kill_fee_minor)
    except Problem as problem:
        if problem.kind != "refused":
            raise
        return ""


async def _priced_or_seen(page: SignedIn, collaboration_id: str, form: Form, problem: Problem) -> Response:
    """The price anew; the collaboration itself where it cannot be cancelled any more."""
    try:
        return await _priced(page, collaboration_id, form, problem)
    except Problem as refused:
        return await overview(page, collaboration_id, form, refused)


@router.post("/open-dispute")
async def open_dispute(page: Page, collaboration_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        return await _sent(page, collaboration_id, "open-dispute", form, {"reason": form.needed("reason")}, OPENED)

    return await page.submit(lambda typed, problem: overview(page, collaboration_id, typed, problem), form, act)


@router.post("/withdraw-dispute")
async def withdraw_dispute(page: Page, collaboration_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        return await _sent(page, collaboration_id, "withdraw-dispute", form, None, WITHDRAWN)

    return await page.submit(lambda typed, problem: overview(page, collaboration_id, typed, problem), form, act)


async def _sent(page: SignedIn, collaboration_id: str, verb: str, form: Form, body: object, said: str) -> Response:
    receipt = await page.send("campaigns", "POST", f"/collaborations/{collaboration_id}/{verb}", form, body)
    return page.done(f"/collaborations/{collaboration_id}", receipt, said)
