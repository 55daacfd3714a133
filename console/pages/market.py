"""The market of a creator: briefs that take applications, one of them as a creator reads it, and applying with an offer."""

import asyncio

from dandelion.campaigns.v1.queries_pb2 import (
    CAMPAIGN_STATUS_PUBLISHED,
    Application,
    Campaign,
    GetCampaignRequest,
    ListApplicationsRequest,
    ListCampaignsRequest,
)
from dandelion.common.v1.common_pb2 import CampaignType
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import CREATORS
from console.page import Cursor, Id, Many, Page, SignedIn, needs
from console.pages.deals.terms import told, unusual_told
from console.pages.deals.words import WORDS, known, options, priced, zone_of
from console.words import mark

router = APIRouter(prefix="/market", dependencies=[needs(*CREATORS)])
SHOWN = 24


@router.get("")
async def market(page: Page, type: Many = (), cursor: Cursor = "") -> Response:
    """Open briefs, the newest change first, with what in their terms is not as usual."""
    request = ListCampaignsRequest(
        statuses=[CAMPAIGN_STATUS_PUBLISHED],
        types=known(CampaignType, type),  # type: ignore[arg-type]
        page_size=SHOWN,
        page_token=cursor,
    )
    answer, mine = await asyncio.gather(
        page.ask(page.services.campaigns.ListCampaigns, request),
        page.ask(page.services.campaigns.ListApplications, ListApplicationsRequest(page_size=200)),
    )
    return page.show(
        "market/list.html",
        campaigns=answer.campaigns, info=answer.page, chosen=type, types=options(CampaignType),
        mine={one.campaign_id: one for one in mine.applications}, **WORDS,
    )  # fmt: skip


@router.get("/{campaign_id}")
async def brief(page: Page, campaign_id: Id) -> Response:
    return await _shown(page, campaign_id)


async def _shown(page: SignedIn, campaign_id: str, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    found, mine = await asyncio.gather(_campaign(page, campaign_id), _application(page, campaign_id))
    return page.show(
        "market/brief.html",
        campaign=found, application=mine, zone=zone_of(found.brief), fees=range(priced(found)),
        unusual=unusual_told(page.formats, found.unusual_terms), terms=list(told(page.formats, found.brief.terms)),
        form=form, problem=problem, **WORDS,
    )  # fmt: skip


async def _campaign(page: SignedIn, campaign_id: str) -> Campaign:
    return (await page.ask(page.services.campaigns.GetCampaign, GetCampaignRequest(campaign_id=campaign_id))).campaign


async def _application(page: SignedIn, campaign_id: str) -> Application | None:
    """The reader's own one, if there is any."""
    request = ListApplicationsRequest(campaign_id=campaign_id, creator_id=page.person.tenant, page_size=1)
    found = (await page.ask(page.services.campaigns.ListApplications, request)).applications
    return found[0] if found else None


@router.post("/{campaign_id}/apply")
async def apply(page: Page, campaign_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        found = await _campaign(page, campaign_id)
        fees = [form.minor(f"fees_minor.{number}", found.brief.currency, 0) for number in range(priced(found))]
        receipt = await page.send("campaigns", "POST", f"/campaigns/{campaign_id}/apply", form, {"fees_minor": fees})
        return page.done(f"/applications/{receipt.id}", receipt, mark("Applied: the brand sees your offer now."))

    return await page.submit(lambda typed, problem: _shown(page, campaign_id, typed, problem), form, act)
