"""What of collaborations is read: the list, the overview, the content of a deliverable, the contract."""

import asyncio
from collections.abc import Sequence

from dandelion.campaigns.v1.queries_pb2 import (
    Collaboration,
    CollaborationStatus,
    DeliverableView,
    GetCampaignRequest,
    GetCollaborationRequest,
    GetContractRequest,
    ListCollaborationsRequest,
    ListDisputesRequest,
    ListSubmissionsRequest,
    SubmissionVersion,
)
from dandelion.compliance.v1.events_pb2 import Finding
from dandelion.compliance.v1.queries_pb2 import GetReviewRequest
from dandelion.metrics.v1.queries_pb2 import GetPayableNumbersResponse
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Form
from console.look.findings import Told, told
from console.look.menu import BRANDS, CREATORS
from console.page import Cursor, Id, Many, Page, SignedIn
from console.pages.deals import progress, reasons
from console.pages.deals.terms import unusual_told
from console.pages.deals.texts import compared, marked
from console.pages.deals.timeline import timeline, who
from console.pages.deals.words import DEFAULT_ZONE, WORDS, known, options
from console.pages.performance.payable import METRICS, asked_numbers
from console.pages.reviews import rules_of

router = APIRouter()
SHOWN = 25
SUBMISSIONS = 10


@router.get("")
async def collaborations(page: Page, status: Many = (), awaits: Many = (), cursor: Cursor = "") -> Response:
    request = ListCollaborationsRequest(
        statuses=known(CollaborationStatus, status),  # type: ignore[arg-type]
        awaits=[one for one in awaits if one in ("compliance", "platform", "staff", "ledger")],
        page_size=SHOWN,
        page_token=cursor,
    )
    answer = await page.ask(page.services.campaigns.ListCollaborations, request)
    found = answer.collaborations
    names, titles = await asyncio.gather(
        page.creators([one.creator_id for one in found]), page.titles([one.campaign_id for one in found])
    )
    return page.show(
        "collaborations/list.html",
        works=found, info=answer.page, names=names, titles=titles, chosen=status, statuses=options(CollaborationStatus),
        turns={one.collaboration_id: progress.next_turn(one, page.formats.now) for one in found},
    )  # fmt: skip


@router.get("/{collaboration_id}")
async def collaboration(page: Page, collaboration_id: Id) -> Response:
    return await overview(page, collaboration_id)


async def overview(
    page: SignedIn, collaboration_id: str, form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    """The page of a collaboration, with what was typed and refused there."""
    campaigns = page.services.campaigns
    found, disputes, submissions = await asyncio.gather(
        asked(page, collaboration_id),
        page.ask(campaigns.ListDisputes, ListDisputesRequest(collaboration_id=collaboration_id)),
        _submissions(page, collaboration_id),
    )
    names, title, version = await asyncio.gather(
        page.creators([found.creator_id]), page.titles([found.campaign_id]), _brief_version(page, found)
    )
    now = page.formats.now
    return page.show(
        "collaborations/overview.html",
        work=found, name=names[found.creator_id], title=title[found.campaign_id], side=side(page), reasons=reasons,
        disputes=disputes.disputes, whole=progress.whole_turn(found, now), is_running=found.status in (1, 2),
        turns={view.deliverable.deliverable_id: progress.turn_of(view, now) for view in found.deliverables},
        entries=timeline(found, submissions, disputes.disputes), unusual=unusual_told(page.formats, found.unusual_terms),
        zone=found.timezone or DEFAULT_ZONE, in_force=version, form=form, problem=problem, **WORDS,
    )  # fmt: skip


def side(page: SignedIn) -> str:
    """As whom the reader is here: "brand", "creator" or "staff"."""
    return "brand" if page.can(*BRANDS) else "creator" if page.can(*CREATORS) else "staff"


async def asked(page: SignedIn, collaboration_id: str) -> Collaboration:
    """A collaboration; raises Problem."""
    request = GetCollaborationRequest(collaboration_id=collaboration_id)
    return (await page.ask(page.services.campaigns.GetCollaboration, request)).collaboration


async def _submissions(page: SignedIn, collaboration_id: str, deliverable_id: str = "") -> Sequence[SubmissionVersion]:
    request = ListSubmissionsRequest(
        collaboration_id=collaboration_id, deliverable_id=deliverable_id, page_size=SUBMISSIONS
    )
    return (await page.ask(page.services.campaigns.ListSubmissions, request)).submissions


async def _brief_version(page: SignedIn, found: Collaboration) -> int:
    """Version of the brief in force; that of the contract where the reader may not read the campaign any more."""
    try:
        request = GetCampaignRequest(campaign_id=found.campaign_id)
        return (await page.ask(page.services.campaigns.GetCampaign, request)).campaign.brief.version
    except Problem as problem:
        if problem.kind not in ("not_found", "forbidden"):
            raise
        return found.brief_version


@router.get("/{collaboration_id}/content/{deliverable_id}")
async def content(page: Page, collaboration_id: Id, deliverable_id: Id) -> Response:
    return await content_page(page, collaboration_id, deliverable_id)


async def content_page(
    page: SignedIn, collaboration_id: str, deliverable_id: str, form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    """The versions of a deliverable with their findings and what changed, and the next step."""
    found, versions = await asyncio.gather(
        asked(page, collaboration_id), _submissions(page, collaboration_id, deliverable_id)
    )
    view = next((one for one in found.deliverables if one.deliverable.deliverable_id == deliverable_id), None)
    if view is None:
        raise Problem("not_found", "deliverable.unknown")
    names, title, (findings, note), numbers = await asyncio.gather(
        page.creators([found.creator_id]),
        page.titles([found.campaign_id]),
        _findings(page, versions),
        _numbers(page, view),
    )
    return page.show(
        "collaborations/content.html",
        work=found, view=view, versions=versions, findings=findings, note=note, name=names[found.creator_id], who=who,
        reasons=reasons, title=title[found.campaign_id], side=side(page), turn=progress.turn_of(view, page.formats.now),
        numbers=numbers, metrics=METRICS,
        form=form, marked=marked, compared=compared, zone=found.timezone or DEFAULT_ZONE, problem=problem, **WORDS,
    )  # fmt: skip


async def _numbers(page: SignedIn, view: DeliverableView) -> GetPayableNumbersResponse | None:
    """What money may hang on of a published content; None before, and while metrics has not heard of it."""
    if not view.HasField("published_at"):
        return None
    try:
        return await asked_numbers(page, view.deliverable.deliverable_id)
    except Problem as problem:
        if problem.kind not in ("not_found", "forbidden"):
            raise
        return None


async def _findings(
    page: SignedIn, versions: Sequence[SubmissionVersion]
) -> tuple[Sequence[tuple[Finding, Told]], str]:
    """What compliance found in the newest version, in the reader's words, and a reviewer's reason; nothing without a review that
    the reader may read."""
    if not versions or not any(each.ruling == "reviewed" for each in versions[0].rulings):
        return (), ""
    try:
        request = GetReviewRequest(review_id=versions[0].submission_id)
        review = (await page.ask(page.services.compliance.GetReview, request)).review
        rules = await rules_of(page, review.jurisdiction) if review.findings else {}
        return [(one, told(one, rules, page.lang)) for one in review.findings], review.note
    except Problem as problem:
        if problem.kind not in ("not_found", "forbidden"):
            raise
        return (), ""


@router.get("/{collaboration_id}/contract")
async def contract(page: Page, collaboration_id: Id) -> Response:
    """The contract as text in the reader's language; clauses with an unusual term are marked."""
    language = "zh" if page.lang.startswith("zh") else "en"
    request = GetContractRequest(collaboration_id=collaboration_id, language=language)
    found, answer = await asyncio.gather(
        asked(page, collaboration_id), page.ask(page.services.campaigns.GetContract, request)
    )
    names, title = await asyncio.gather(page.creators([found.creator_id]), page.titles([found.campaign_id]))
    return page.show(
        "collaborations/contract.html",
        work=found, contract=answer.contract, name=names[found.creator_id], title=title[found.campaign_id],
        odd={one.term for one in found.unusual_terms}, unusual=unusual_told(page.formats, found.unusual_terms),
        ordinals={one.deliverable.deliverable_id: one.deliverable.ordinal for one in found.deliverables}, **WORDS,
    )  # fmt: skip
