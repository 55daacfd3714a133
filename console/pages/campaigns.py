"""Campaigns of a brand or agency: the list, one of them, and pausing it."""

from dandelion.campaigns.v1.queries_pb2 import CampaignStatus, GetCampaignRequest, ListCampaignsRequest
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import BRANDS
from console.page import Cursor, Id, Many, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/campaigns", dependencies=[needs(*BRANDS)])
SHOWN = 25


@router.get("")
async def campaigns(page: Page, status: Many = (), cursor: Cursor = "") -> Response:
    statuses = [CampaignStatus.Value(one) for one in status if one in set(CampaignStatus.keys())]
    request = ListCampaignsRequest(statuses=statuses, page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.campaigns.ListCampaigns, request)
    return page.show("campaigns/list.html", campaigns=answer.campaigns, info=answer.page, chosen=status)


@router.get("/{campaign_id}")
async def campaign(page: Page, campaign_id: Id) -> Response:
    return await _shown(page, campaign_id)


@router.post("/{campaign_id}/pause")
async def pause(page: Page, campaign_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        body = {"reason": form.needed("reason")}
        receipt = await page.send("campaigns", "POST", f"/campaigns/{campaign_id}/pause", form, body)
        return page.done(f"/campaigns/{campaign_id}", receipt, mark("Paused: no new agreements until you resume it."))

    return await page.submit(lambda typed, problem: _shown(page, campaign_id, typed, problem), form, act)


async def _shown(page: SignedIn, campaign_id: str, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    answer = await page.ask(page.services.campaigns.GetCampaign, GetCampaignRequest(campaign_id=campaign_id))
    return page.show("campaigns/detail.html", campaign=answer.campaign, form=form, problem=problem)
