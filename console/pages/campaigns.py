"""Campaigns of a brand or agency: the list, the board, one of them with its offers, collaborations and brief."""

import asyncio
from collections.abc import Awaitable, Callable

from dandelion.campaigns.v1.queries_pb2 import (
    Application,
    Campaign,
    CampaignStatus,
    Collaboration,
    GetCampaignRequest,
    ListApplicationsRequest,
    ListBriefVersionsRequest,
    ListCampaignsRequest,
    ListCollaborationsRequest,
)
from dandelion.common.v1.common_pb2 import CampaignType
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import BRANDS
from console.page import Cursor, Id, Many, Page, SignedIn, needs
from console.pages.deals import progress, reasons
from console.pages.deals.terms import told, unusual_told
from console.pages.deals.words import WORDS, known, options, zone_of
from console.tasks import WAITING
from console.words import mark

router = APIRouter(prefix="/campaigns", dependencies=[needs(*BRANDS)])
SHOWN, BOARD = 25, 200
ORDERS = {
    "changed_at desc": mark("Changed last"),
    "drafted_at desc": mark("Drafted last"),
    "budget_minor desc": mark("Largest budget"),
}
BOARD_OF = (
    (CampaignStatus.CAMPAIGN_STATUS_DRAFT, mark("Draft")),
    (CampaignStatus.CAMPAIGN_STATUS_PUBLISHED, mark("Published")),
    (CampaignStatus.CAMPAIGN_STATUS_PAUSED, mark("Paused")),
    (CampaignStatus.CAMPAIGN_STATUS_CLOSED, mark("Closed")),
    (CampaignStatus.CAMPAIGN_STATUS_CANCELLED, mark("Cancelled")),
)
STEERED = {
    "publish": mark("Published: creators see it now."),
    "pause": mark("Paused: no new agreements until you resume it."),
    "resume": mark("It takes new agreements again."),
    "close": mark("Closed: what runs goes on, nothing new begins."),
    "cancel": mark("Cancelled."),
}
"""What is said after each command to a campaign."""


@router.get("")
async def campaigns(
    page: Page, status: Many = (), type: Many = (), order: str = "", view: str = "", cursor: Cursor = ""
) -> Response:
    is_board = view == "board"
    request = ListCampaignsRequest(
        brand_id=page.person.tenant,
        statuses=known(CampaignStatus, status),  # type: ignore[arg-type]
        types=known(CampaignType, type),  # type: ignore[arg-type]
        order_by=order if order in ORDERS else "",
        page_size=BOARD if is_board else SHOWN,
        page_token=cursor,
    )
    answer = await page.ask(page.services.campaigns.ListCampaigns, request)
    return page.show(
        "campaigns/list.html",
        campaigns=answer.campaigns, info=answer.page, is_board=is_board, columns=BOARD_OF, chosen=(*status, *type),
        order=order, orders=ORDERS,
        statuses=options(CampaignStatus), types=options(CampaignType),
    )  # fmt: skip


@router.get("/{campaign_id}")
async def campaign(page: Page, campaign_id: Id) -> Response:
    return await _overview(page, campaign_id)


async def _overview(page: SignedIn, campaign_id: str, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    found, works, offers = await asyncio.gather(
        _own(page, campaign_id), _works(page, campaign_id), _offers(page, campaign_id)
    )
    columns = progress.board(works)
    late = progress.late_ones(works, page.formats.now)[:SHOWN]
    waiting = [one for one in offers if one.status in WAITING][:SHOWN]
    named = [one.creator_id for one in works[:SHOWN]] + [one.creator_id for one in waiting]
    names = await page.creators([*named, *(one.work.creator_id for one in late)])
    return page.show(
        "campaigns/overview.html",
        campaign=found, works=works, shown=works[:SHOWN], waiting=waiting, late=late, names=names, columns=columns,
        labels=dict(progress.COLUMNS),
        paid_minor=found.paid_minor, turns={one.collaboration_id: progress.next_turn(one, page.formats.now) for one in works},
        reasons=reasons, form=form, problem=problem,
    )  # fmt: skip


async def _own(page: SignedIn, campaign_id: str) -> Campaign:
    """A campaign of the reader's organisation; raises Problem: one of others is not there, though it be open to agencies."""
    request = GetCampaignRequest(campaign_id=campaign_id)
    found = (await page.ask(page.services.campaigns.GetCampaign, request)).campaign
    if found.brand_id != page.person.tenant:
        raise Problem("not_found", "page.not_found")
    return found


async def _works(page: SignedIn, campaign_id: str) -> list[Collaboration]:
    request = ListCollaborationsRequest(campaign_id=campaign_id, page_size=BOARD)
    return list((await page.ask(page.services.campaigns.ListCollaborations, request)).collaborations)


async def _offers(page: SignedIn, campaign_id: str) -> list[Application]:
    request = ListApplicationsRequest(campaign_id=campaign_id, page_size=BOARD)
    return list((await page.ask(page.services.campaigns.ListApplications, request)).applications)


@router.get("/{campaign_id}/board")
async def board(page: Page, campaign_id: Id) -> Response:
    """Its collaborations by stage."""
    found, works = await asyncio.gather(_own(page, campaign_id), _works(page, campaign_id))
    names = await page.creators([one.creator_id for one in works])
    turns = {one.collaboration_id: progress.next_turn(one, page.formats.now) for one in works}
    return page.show(
        "campaigns/board.html",
        campaign=found,
        columns=progress.board(works),
        labels=progress.COLUMNS,
        names=names,
        turns=turns,
    )


@router.get("/{campaign_id}/offers")
async def offers(page: Page, campaign_id: Id) -> Response:
    found, shown = await asyncio.gather(_own(page, campaign_id), _offers(page, campaign_id))
    names = await page.creators([one.creator_id for one in shown])
    return page.show("campaigns/offers.html", campaign=found, offers=shown, names=names)


@router.get("/{campaign_id}/brief")
async def brief(page: Page, campaign_id: Id, cursor: Cursor = "") -> Response:
    """The brief in force, and every version before it."""
    request = ListBriefVersionsRequest(campaign_id=campaign_id, page_token=cursor)
    found, versions = await asyncio.gather(
        _own(page, campaign_id), page.ask(page.services.campaigns.ListBriefVersions, request)
    )
    terms = list(told(page.formats, found.brief.terms, found.unusual_terms))
    return page.show(
        "campaigns/brief.html",
        campaign=found, versions=versions.versions, info=versions.page, terms=terms, zone=zone_of(found.brief), **WORDS,
    )  # fmt: skip


@router.get("/{campaign_id}/publish")
async def preview(page: Page, campaign_id: Id) -> Response:
    return await _previewed(page, campaign_id)


async def _previewed(page: SignedIn, campaign_id: str, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    """The brief as a creator reads it, and what publishing it means."""
    found = await _own(page, campaign_id)
    return page.show(
        "campaigns/publish.html",
        campaign=found, zone=zone_of(found.brief), unusual=unusual_told(page.formats, found.unusual_terms),
        terms=list(told(page.formats, found.brief.terms)), form=form, problem=problem, **WORDS,
    )  # fmt: skip


@router.post("/{campaign_id}/publish")
async def publish(page: Page, campaign_id: Id, form: Filled) -> Response:
    again = _again(page, campaign_id, _previewed)
    return await page.submit(again, form, lambda: _steer(page, campaign_id, "publish", form))


@router.post("/{campaign_id}/resume")
async def resume(page: Page, campaign_id: Id, form: Filled) -> Response:
    return await page.submit(
        _again(page, campaign_id, _overview), form, lambda: _steer(page, campaign_id, "resume", form)
    )


@router.post("/{campaign_id}/pause")
async def pause(page: Page, campaign_id: Id, form: Filled) -> Response:
    return await _with_reason(page, campaign_id, "pause", form)


@router.post("/{campaign_id}/close")
async def close(page: Page, campaign_id: Id, form: Filled) -> Response:
    return await _with_reason(page, campaign_id, "close", form)


@router.post("/{campaign_id}/cancel")
async def cancel(page: Page, campaign_id: Id, form: Filled) -> Response:
    return await _with_reason(page, campaign_id, "cancel", form)


async def _with_reason(page: SignedIn, campaign_id: str, verb: str, form: Form) -> Response:
    async def act() -> Response:
        return await _steer(page, campaign_id, verb, form, {"reason": form.needed("reason")})

    return await page.submit(_again(page, campaign_id, _overview), form, act)


async def _steer(
    page: SignedIn, campaign_id: str, verb: str, form: Form, body: dict[str, str] | None = None
) -> Response:
    receipt = await page.send("campaigns", "POST", f"/campaigns/{campaign_id}/{verb}", form, body)
    return page.done(f"/campaigns/{campaign_id}", receipt, STEERED[verb])


def _again(
    page: SignedIn, campaign_id: str, shown: Callable[[SignedIn, str, Form, Problem], Awaitable[Response]]
) -> Callable[[Form, Problem], Awaitable[Response]]:
    """The page once more, with what was typed and what was refused."""
    return lambda form, problem: shown(page, campaign_id, form, problem)
