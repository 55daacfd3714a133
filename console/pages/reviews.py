"""Reviews: what waits for a person, one of them with its findings at their place, and the decision."""

import asyncio

from dandelion.compliance.v1.queries_pb2 import (
    GetReviewRequest,
    ListLooksRequest,
    ListReviewQueueRequest,
    ListReviewQueueResponse,
    ListReviewsRequest,
    ListReviewsResponse,
    ListRulesRequest,
    Rule,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.findings import pieces, told
from console.look.menu import ALL
from console.page import Cursor, Id, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/reviews")
QUEUE = ("reviewer", "operator", "auditor")
SHOWN = 25
RULES_AT_ONCE = 200


@router.get("", dependencies=[needs(*QUEUE)])
async def queue(page: Page, jurisdiction: str = "", decided: str = "", cursor: Cursor = "") -> Response:
    """What waits, the longest waiting first; or all reviews, the newest first."""
    place, compliance = jurisdiction[:8].upper(), page.services.compliance
    if decided:
        every = ListReviewsRequest(page_size=SHOWN, page_token=cursor)
        answer: ListReviewsResponse | ListReviewQueueResponse = await page.ask(compliance.ListReviews, every)
    else:
        waiting = ListReviewQueueRequest(jurisdiction=place, page_size=SHOWN, page_token=cursor)
        answer = await page.ask(compliance.ListReviewQueue, waiting)
    titles, creators = await asyncio.gather(
        page.titles(one.campaign_id for one in answer.reviews), page.creators(one.creator_id for one in answer.reviews)
    )
    return page.show(
        "reviews/queue.html", reviews=answer.reviews, info=answer.page, jurisdiction=place, decided=bool(decided),
        titles=titles, creators=creators, me=page.person.subject,
    )  # fmt: skip


@router.get("/{review_id}", dependencies=[needs(*sorted(ALL))])
async def review(page: Page, review_id: Id) -> Response:
    return await _shown(page, review_id)


@router.post("/{review_id}/decide", dependencies=[needs("reviewer")])
async def decide(page: Page, review_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        body = {"approved": form.is_set("approved"), "reason": form.needed("reason")}
        receipt = await page.send("compliance", "POST", f"/reviews/{review_id}/decide", form, body)
        said = mark("Your voice is given. This is the next one that waits.")
        following = await _next(page, review_id)
        if following is None:
            return page.done("/reviews", receipt, mark("Your voice is given. Nothing else waits for you."))
        return page.done(f"/reviews/{following}", receipt, said)

    return await page.submit(lambda typed, problem: _shown(page, review_id, typed, problem), form, act)


async def _next(page: SignedIn, review_id: str) -> str | None:
    """The longest waiting review that this reviewer has not voted on."""
    answer = await page.ask(page.services.compliance.ListReviewQueue, ListReviewQueueRequest(page_size=SHOWN))
    me = page.person.subject
    waiting = (one for one in answer.reviews if me not in {voice.reviewer_id for voice in one.voices})
    return next((one.review_id for one in waiting if one.review_id != review_id), None)


async def _shown(page: SignedIn, review_id: str, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    compliance = page.services.compliance
    answer = await page.ask(compliance.GetReview, GetReviewRequest(review_id=review_id))
    found = answer.review
    rules, versions, looks, titles, creators = await asyncio.gather(
        rules_of(page, found.jurisdiction),
        page.ask(compliance.ListReviews, ListReviewsRequest(deliverable_id=found.deliverable_id, page_size=10)),
        page.ask(compliance.ListLooks, ListLooksRequest(deliverable_id=found.deliverable_id, page_size=10)),
        page.titles([found.campaign_id]),
        page.creators([found.creator_id]),
    )
    findings = [(one, told(one, rules, page.lang)) for one in found.findings]
    parts = {
        "title": pieces(found.title, "title", found.findings),
        "text": pieces(found.text, "text", found.findings),
        "tags": [pieces(tag, f"tags[{n}]", found.findings) for n, tag in enumerate(found.tags)],
    }
    approvals = sum(voice.approved for voice in found.voices)
    mine = page.person.subject in {voice.reviewer_id for voice in found.voices}
    return page.show(
        "reviews/review.html", review=found, findings=findings, parts=parts, versions=versions.reviews,
        looks=looks.looks, title=titles[found.campaign_id], creator=creators[found.creator_id], form=form,
        problem=problem, approvals=approvals, decides=found.voices_needed and page.can("reviewer") and not mine,
        mine=mine, queue=page.can(*QUEUE),
    )  # fmt: skip


async def rules_of(page: SignedIn, jurisdiction: str) -> dict[str, Rule]:
    """The jurisdiction's rules of today by id, for what they say in the reader's language."""
    request = ListRulesRequest(jurisdiction=jurisdiction, page_size=RULES_AT_ONCE)
    answer = await page.ask(page.services.compliance.ListRules, request)
    return {rule.rule_id: rule for rule in answer.rules}
