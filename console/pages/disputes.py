"""Disputes for staff: what waits for a ruling, the longest due first, and the ruling."""

import asyncio

from dandelion.campaigns.v1.queries_pb2 import (
    DISPUTE_STATUS_OPEN,
    Collaboration,
    Dispute,
    DisputeStatus,
    GetCollaborationRequest,
    ListDisputesRequest,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.page import Cursor, Id, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/disputes", dependencies=[needs("operator", "reviewer", "auditor")])
RULERS = ("operator", "reviewer")
SHOWN = 25
OUTCOMES = {
    "resume": mark("The work goes on: clocks that stopped go on with the time they had left."),
    "cancel": mark(
        "The work ends: the creator keeps a share of the fees that are not paid yet, the rest goes back to the brand."
    ),
}


@router.get("")
async def disputes(page: Page, over: str = "", cursor: Cursor = "") -> Response:
    statuses = [number for number in DisputeStatus.values() if number not in (0, DISPUTE_STATUS_OPEN)]
    request = ListDisputesRequest(
        statuses=statuses if over else [DISPUTE_STATUS_OPEN], order_by="opened_at desc" if over else "due_at",
        page_size=SHOWN, page_token=cursor,
    )  # fmt: skip
    answer = await page.ask(page.services.campaigns.ListDisputes, request)
    titles, creators = await asyncio.gather(
        page.titles(one.campaign_id for one in answer.disputes),
        page.creators(one.creator_id for one in answer.disputes),
    )
    return page.show(
        "disputes/list.html",
        disputes=answer.disputes,
        info=answer.page,
        over=bool(over),
        titles=titles,
        creators=creators,
    )


@router.get("/{collaboration_id}")
async def dispute(page: Page, collaboration_id: Id) -> Response:
    return await _shown(page, collaboration_id)


@router.post("/{collaboration_id}", dependencies=[needs(*RULERS)])
async def rule(page: Page, collaboration_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        outcome = form.needed("outcome")
        share = form.basis_points("share_bps", 0) if outcome == "cancel" else 0
        form.check()
        to = f"/disputes/{collaboration_id}"
        if not is_sure(form):
            pairs = [(page.words(mark("Ruling")), page.words(OUTCOMES.get(outcome, outcome)))]
            if outcome == "cancel":
                pairs.append((page.words(mark("The creator keeps")), page.formats.share(share)))
            said, button = page.words(mark("A ruling cannot be taken back.")), page.words(mark("Rule so"))
            return confirm(page, form, Question(page.words(mark("Rule this dispute?")), pairs, said, button, to, True))
        body = {"outcome": outcome, "share_bps": share}
        receipt = await page.send("campaigns", "POST", f"/collaborations/{collaboration_id}/rule-dispute", form, body)
        return page.done("/disputes", receipt, mark("The dispute is ruled."))

    return await page.submit(lambda typed, problem: _shown(page, collaboration_id, typed, problem), form, act)


async def _shown(page: SignedIn, collaboration_id: str, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    campaigns = page.services.campaigns
    answer, work = await asyncio.gather(
        page.ask(campaigns.ListDisputes, ListDisputesRequest(collaboration_id=collaboration_id)),
        page.ask(campaigns.GetCollaboration, GetCollaborationRequest(collaboration_id=collaboration_id)),
    )
    found: Collaboration = work.collaboration
    titles, creators = await asyncio.gather(page.titles([found.campaign_id]), page.creators([found.creator_id]))
    open_: Dispute | None = next((one for one in answer.disputes if one.status == DISPUTE_STATUS_OPEN), None)
    return page.show(
        "disputes/dispute.html", disputes=answer.disputes, work=found, open=open_, title=titles[found.campaign_id],
        creator=creators[found.creator_id], rules=page.can(*RULERS), outcomes=list(OUTCOMES.items()), form=form,
        problem=problem,
    )  # fmt: skip
