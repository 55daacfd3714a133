"""Invitation of a creator to a campaign, at the prices of its rate card."""

import asyncio

from dandelion.campaigns.v1.queries_pb2 import (
    CAMPAIGN_STATUS_PUBLISHED,
    Campaign,
    DeliverableSpec,
    GetCampaignRequest,
    ListCampaignsRequest,
)
from dandelion.discovery.v1.queries_pb2 import Creator, GetCreatorRequest
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import BRANDS
from console.page import Id, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/creators", dependencies=[needs(*BRANDS)])
CAMPAIGNS_SHOWN = 100


@router.get("/{creator_id}/invite")
async def invitation(page: Page, creator_id: Id, campaign_id: str = "") -> Response:
    return await _invitation(page, creator_id, campaign_id)


@router.post("/{creator_id}/invite")
async def invite(page: Page, creator_id: Id, form: Filled) -> Response:
    campaign_id = form.text("campaign_id")

    async def act() -> Response:
        campaign = await _campaign(page, campaign_id)
        currency, count = campaign.brief.currency, len(pieces(campaign))
        fees = [form.minor(f"fees_minor.{at}", currency) for at in range(count)]
        body = {"creator_id": creator_id, "fees_minor": fees}
        receipt = await page.send("campaigns", "POST", f"/campaigns/{campaign_id}/invite", form, body)
        return page.done(f"/creators/{creator_id}", receipt, mark("Invited: the creator has been told."))

    return await page.submit(
        lambda typed, problem: _invitation(page, creator_id, campaign_id, typed, problem), form, act
    )


async def _campaign(page: SignedIn, campaign_id: str) -> Campaign:
    answer = await page.ask(page.services.campaigns.GetCampaign, GetCampaignRequest(campaign_id=campaign_id))
    return answer.campaign


async def _invitation(
    page: SignedIn, creator_id: str, campaign_id: str, form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    """The published campaigns, and of the chosen one a fee for each deliverable, as the rate card has it."""
    listed = ListCampaignsRequest(
        brand_id=page.runs_campaigns_of, statuses=[CAMPAIGN_STATUS_PUBLISHED], page_size=CAMPAIGNS_SHOWN
    )
    answer, campaigns = await asyncio.gather(
        page.ask(page.services.discovery.GetCreator, GetCreatorRequest(creator_id=creator_id)),
        page.ask(page.services.campaigns.ListCampaigns, listed),
    )
    chosen = next((one for one in campaigns.campaigns if one.campaign_id == campaign_id), None)
    return page.show(
        "creators/invite.html",
        creator=answer.creator,
        campaigns=campaigns.campaigns,
        chosen=chosen,
        prices=prices(page, answer.creator, chosen) if chosen else [],
        form=form,
        problem=problem,
    )


def pieces(campaign: Campaign) -> list[DeliverableSpec]:
    """What an offer prices: a recurring deliverable as often as it recurs."""
    return [one for one in campaign.detail.deliverables for _ in range(max(1, one.occurrences))]


def prices(page: SignedIn, creator: Creator, campaign: Campaign) -> list[tuple[DeliverableSpec, str]]:
    """Each piece with the price of its format on the rate card, as a form's field has it; "" for none in this currency."""
    same = creator.currency == campaign.brief.currency
    rates = {one.format: one.price_minor for one in creator.rates if same and not one.closed}
    priced = ((one, rates.get(one.format, 0)) for one in pieces(campaign))
    return [(one, page.formats.amount(minor, creator.currency) if minor else "") for one, minor in priced]
