"""Creators side by side, and their invitation to one campaign: a command each, and a report of each refusal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID, uuid5

from dandelion.campaigns.v1.queries_pb2 import (
    CAMPAIGN_STATUS_PUBLISHED,
    Campaign,
    DeliverableSpec,
    ListCampaignsRequest,
)
from dandelion.discovery.v1.queries_pb2 import BatchGetCreatorsRequest, Creator
from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import BRANDS, STAFF
from console.page import Page, SignedIn, needs
from console.pages.invitations import CAMPAIGNS_SHOWN, pieces, prices

router = APIRouter(prefix="/creators")
COMPARED, INVITED = 5, 50
AT_ONCE = 4
"""So many invitations are under way at a time."""
Ids = Annotated[Sequence[str], Query()]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one creator's invitation: None, or why it was refused."""

    creator: Creator
    refused: Problem | None


@router.get("/compare", dependencies=[needs(*BRANDS, *STAFF)])
async def compare(page: Page, ids: Ids = ()) -> Response:
    """The first five of these creators, side by side."""
    found = await _creators(page, ids[:COMPARED])
    return page.show("creators/compare.html", creators=found, left_out=max(0, len(ids) - COMPARED))


@router.get("/invite", dependencies=[needs(*BRANDS)])
async def invitations(page: Page, ids: Ids = (), campaign_id: str = "") -> Response:
    return await _invitations(page, ids[:INVITED], campaign_id)


@router.post("/invite", dependencies=[needs(*BRANDS)])
async def invite(page: Page, form: Filled) -> Response:
    """Sends an invitation to each creator under a key of its own: the same form again invites nobody twice."""
    ids, campaign_id = form.many("ids")[:INVITED], form.text("campaign_id")

    async def act() -> Response:
        campaign = await _campaign(page, campaign_id)
        creators, currency = await _creators(page, ids), campaign.brief.currency
        each = range(len(pieces(campaign)))
        fees = [[form.minor(f"fees.{one.creator_id}.{at}", currency) for at in each] for one in creators]
        form.check()
        gate = asyncio.Semaphore(AT_ONCE)
        sent = (_invite(page, form, campaign_id, *one, gate) for one in zip(creators, fees, strict=True))
        return page.show("creators/invited.html", told=await asyncio.gather(*sent), campaign=campaign)

    return await page.submit(lambda again, problem: _invitations(page, ids, campaign_id, again, problem), form, act)


async def _invite(
    page: SignedIn, form: Form, campaign_id: str, creator: Creator, fees: Sequence[int], gate: asyncio.Semaphore
) -> Told:
    key = str(uuid5(UUID(form.key), creator.creator_id))
    body, path = {"creator_id": creator.creator_id, "fees_minor": list(fees)}, f"/campaigns/{campaign_id}/invite"
    async with gate:
        try:
            await page.services.command("campaigns", "POST", path, body, page.person.token, key)
        except Problem as problem:
            if problem.kind == "unauthenticated":
                raise
            return Told(creator, problem)
    return Told(creator, None)


async def _creators(page: SignedIn, ids: Sequence[str]) -> list[Creator]:
    if not ids:
        return []
    answer = await page.ask(page.services.discovery.BatchGetCreators, BatchGetCreatorsRequest(creator_ids=ids))
    return list(answer.creators)


async def _campaigns(page: SignedIn) -> list[Campaign]:
    listed = ListCampaignsRequest(
        brand_id=page.runs_campaigns_of, statuses=[CAMPAIGN_STATUS_PUBLISHED], page_size=CAMPAIGNS_SHOWN
    )
    return list((await page.ask(page.services.campaigns.ListCampaigns, listed)).campaigns)


async def _campaign(page: SignedIn, campaign_id: str) -> Campaign:
    """Raises the Problem of a campaign that invites nobody."""
    found = next((one for one in await _campaigns(page) if one.campaign_id == campaign_id), None)
    if found is None:
        raise Problem("not_found", "campaign.not_found")
    return found


async def _invitations(
    page: SignedIn, ids: Sequence[str], campaign_id: str, form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    """The creators with a fee for each deliverable of the chosen campaign, as their rate cards have it."""
    try:
        creators, campaigns = await asyncio.gather(_creators(page, ids), _campaigns(page))
    except Problem as refused:
        if refused.kind != "invalid":
            raise
        creators, campaigns, problem = [], await _campaigns(page), problem or refused
    chosen = next((one for one in campaigns if one.campaign_id == campaign_id), None)
    rows: list[tuple[Creator, list[tuple[DeliverableSpec, str]]]] = (
        [(one, prices(page, one, chosen)) for one in creators] if chosen else []
    )
    return page.show(
        "creators/invite_many.html",
        422 if problem else 200,
        creators=creators,
        campaigns=campaigns,
        chosen=chosen,
        rows=rows,
        form=form,
        problem=problem,
    )
