"""Offers between a brand and a creator: the list, one of them, and answering it."""

import asyncio
from collections.abc import Awaitable, Callable

from dandelion.campaigns.v1.events_pb2 import PARTY_BRAND, PARTY_CREATOR
from dandelion.campaigns.v1.queries_pb2 import (
    Application,
    ApplicationStatus,
    GetCampaignRequest,
    ListApplicationsRequest,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import ALL, BRANDS, CREATORS
from console.page import Cursor, Id, Many, Page, SignedIn, needs
from console.pages.deals import reasons
from console.pages.deals.terms import told, unusual_told
from console.pages.deals.words import WORDS, known, options, zone_of
from console.tasks import WAITING
from console.words import mark

router = APIRouter(prefix="/applications", dependencies=[needs(*ALL)])
PARTIES = needs(*BRANDS, *CREATORS)
SHOWN = 25
STALE = "application.offer_changed"
SAID = {
    "counter": mark("Your offer is on the table."),
    "accept": mark("Accepted: the contract is made, and the money is put into escrow."),
    "decline": mark("Declined."),
    "withdraw": mark("Withdrawn."),
    "renew": mark("Your offer stands under the amended brief."),
}


@router.get("")
async def applications(page: Page, status: Many = (), cursor: Cursor = "") -> Response:
    statuses = known(ApplicationStatus, status) or list(WAITING if "all" not in status else ())
    request = ListApplicationsRequest(statuses=statuses, page_size=SHOWN, page_token=cursor)  # type: ignore[arg-type]
    answer = await page.ask(page.services.campaigns.ListApplications, request)
    shown = answer.applications
    names, titles = await asyncio.gather(
        page.creators([one.creator_id for one in shown]), page.titles([one.campaign_id for one in shown])
    )
    return page.show(
        "applications/list.html",
        applications=shown, info=answer.page, names=names, titles=titles, chosen=status, me=side(page),
        statuses=[("all", mark("All")), *options(ApplicationStatus)],
    )  # fmt: skip


def side(page: SignedIn) -> int:
    """Which side the reader is; 0: neither."""
    return PARTY_BRAND if page.can(*BRANDS) else PARTY_CREATOR if page.can(*CREATORS) else 0


@router.get("/{application_id}")
async def application(page: Page, application_id: Id) -> Response:
    return await _shown(page, application_id)


async def _shown(page: SignedIn, application_id: str, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    found = await _asked(page, application_id)
    campaign_, names = await asyncio.gather(
        page.ask(page.services.campaigns.GetCampaign, GetCampaignRequest(campaign_id=found.campaign_id)),
        page.creators([found.creator_id]),
    )
    campaign = campaign_.campaign
    me, is_open = side(page), found.status in WAITING
    return page.show(
        "applications/offer.html",
        application=found, campaign=campaign, names=names, is_open=is_open, reasons=reasons,
        is_mine=is_open and found.offered_by == me, is_theirs=is_open and me and found.offered_by != me,
        is_amended=found.offer and found.brief_version != campaign.brief.version, me=me, zone=zone_of(campaign.brief),
        unusual=unusual_told(page.formats, found.offer.unusual_terms or campaign.unusual_terms),
        terms=list(told(page.formats, campaign.brief.terms)), form=form, problem=problem, round=_round(found, form, problem),
        before=_before(found, form, problem), **WORDS,
    )  # fmt: skip


async def _asked(page: SignedIn, application_id: str) -> Application:
    """The application; raises Problem where there is none, or none of the reader's."""
    request = ListApplicationsRequest(application_id=application_id)
    found = (await page.ask(page.services.campaigns.ListApplications, request)).applications
    if not found:
        raise Problem("not_found", "application.unknown")
    return found[0]


@router.get("/{application_id}/accept", dependencies=[PARTIES])
async def confirm(page: Page, application_id: Id) -> Response:
    return await _confirmed(page, application_id)


async def _confirmed(
    page: SignedIn, application_id: str, form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    """What accepting means, with the numbers, before it is done."""
    found = await _asked(page, application_id)
    answer, names = await asyncio.gather(
        page.ask(page.services.campaigns.GetCampaign, GetCampaignRequest(campaign_id=found.campaign_id)),
        page.creators([found.creator_id]),
    )
    fees_minor = sum(one.fee_minor for one in found.offer.deliverables)
    return page.show(
        "applications/accept.html",
        application=found, campaign=answer.campaign, names=names, me=side(page), fees_minor=fees_minor,
        kept_minor=fees_minor * found.offer.creator_fee_bps // 10_000, form=form, problem=problem,
        unusual=unusual_told(page.formats, found.offer.unusual_terms), round=_round(found, form, problem),
        before=_before(found, form, problem), **WORDS,
    )  # fmt: skip


def _round(found: Application, form: Form, problem: Problem | None) -> str:
    """The round that the page's forms answer: the one that its reader has seen, until another one is shown as changed."""
    is_told = problem is not None and problem.code == STALE
    return str(found.offer.round) if is_told else form.first("offer_round") or str(found.offer.round)


def _before(found: Application, form: Form, problem: Problem | None) -> list[tuple[int, int, int]]:
    """(ordinal, fee that was seen, fee now) of each deliverable, where the offer has changed since the page was shown."""
    if problem is None or problem.code != STALE:
        return []
    seen = [int(one) for one in form.first("seen_fees").split(",") if one.isdecimal()]
    return [(one.ordinal, fee, one.fee_minor) for one, fee in zip(found.offer.deliverables, seen, strict=False)]


@router.post("/{application_id}/accept", dependencies=[PARTIES])
async def accept(page: Page, application_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        body = {"brief_version": form.whole("brief_version"), "offer_round": form.whole("offer_round")}
        receipt = await page.send("campaigns", "POST", f"/applications/{application_id}/accept", form, body)
        return page.done(f"/applications/{application_id}", receipt, SAID["accept"])

    return await page.submit(lambda typed, problem: _confirmed(page, application_id, typed, problem), form, act)


@router.post("/{application_id}/counter", dependencies=[PARTIES])
async def counter(page: Page, application_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        offer = (await _asked(page, application_id)).offer
        fees = [form.minor(f"fees_minor.{number}", offer.currency) for number in range(len(offer.deliverables))]
        body = {"fees_minor": fees, "offer_round": form.whole("offer_round")}
        return await _answer(page, application_id, "counter", form, body)

    return await page.submit(_again(page, application_id), form, act)


@router.post("/{application_id}/renew", dependencies=[PARTIES])
async def renew(page: Page, application_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        return await _answer(page, application_id, "renew", form, {"brief_version": form.whole("brief_version")})

    return await page.submit(_again(page, application_id), form, act)


@router.post("/{application_id}/decline", dependencies=[PARTIES])
async def decline(page: Page, application_id: Id, form: Filled) -> Response:
    return await _with_reason(page, application_id, "decline", form)


@router.post("/{application_id}/withdraw", dependencies=[PARTIES])
async def withdraw(page: Page, application_id: Id, form: Filled) -> Response:
    return await _with_reason(page, application_id, "withdraw", form)


async def _with_reason(page: SignedIn, application_id: str, verb: str, form: Form) -> Response:
    async def act() -> Response:
        return await _answer(page, application_id, verb, form, {"reason": form.needed("reason")})

    return await page.submit(_again(page, application_id), form, act)


async def _answer(page: SignedIn, application_id: str, verb: str, form: Form, body: object) -> Response:
    receipt = await page.send("campaigns", "POST", f"/applications/{application_id}/{verb}", form, body)
    return page.done(f"/applications/{application_id}", receipt, SAID[verb])


def _again(page: SignedIn, application_id: str) -> Callable[[Form, Problem], Awaitable[Response]]:
    """The offer once more, with what was typed and what was refused."""
    return lambda form, problem: _shown(page, application_id, form, problem)
