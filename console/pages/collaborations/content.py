"""What is done with the content of a deliverable: hand in, approve, send back, rule, schedule, publish; and the product."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import Filled, Form
from console.page import Id, Page, SignedIn
from console.pages.collaborations.shown import content_page, overview
from console.words import mark

router = APIRouter(prefix="/{collaboration_id}")
Body = Callable[[], dict[str, Any]]
UUID = 36
SAID = {
    "submit": mark("Handed in: compliance looks at it, then the brand."),
    "approve": mark("Approved."),
    "request-revision": mark("Sent back with your notes."),
    "rule-content": mark("Ruled."),
    "schedule": mark("Scheduled."),
    "publish": mark("Reported: the platform looks at the post."),
    "send-product": mark("The creator sees that the product is on its way."),
    "receive-product": mark("Received: the work begins."),
    "fund": mark("The escrow is asked for again."),
    "consent": mark("Agreed: the amended brief holds for you too."),
}


@router.post("/content/{deliverable_id}/submit")
async def submit(page: Page, collaboration_id: Id, deliverable_id: Id, form: Filled) -> Response:
    def body() -> dict[str, Any]:
        return {
            "deliverable_id": deliverable_id,
            "submission_id": form.first("submission_id") or str(uuid4()),
            "stage": form.first("stage", "draft"),
            "content": _content(form),
        }

    return await _act(page, collaboration_id, deliverable_id, "submit", form, body)


def _content(form: Form) -> dict[str, Any]:
    owned, language = form.text("content.evidence.0.reference"), form.first("content.language", "zh")
    return {
        "title": form.text("content.title"),
        "text": form.needed("content.text"),
        "tags": [tag.lstrip("#") for tag in form.many("content.tags")],
        "links": form.many("content.links"),
        "language": language,
        "evidence": [{"kind": "product_owned", "phrase": "", "reference": owned}] if owned else [],
    }


@router.post("/content/{deliverable_id}/approve")
async def approve(page: Page, collaboration_id: Id, deliverable_id: Id, form: Filled) -> Response:
    return await _act(page, collaboration_id, deliverable_id, "approve", form, lambda: _of(deliverable_id, form))


@router.post("/content/{deliverable_id}/request-revision")
async def request_revision(page: Page, collaboration_id: Id, deliverable_id: Id, form: Filled) -> Response:
    def body() -> dict[str, Any]:
        form.needed("notes")
        return _of(deliverable_id, form) | {"notes": form.many("notes")}

    return await _act(page, collaboration_id, deliverable_id, "request-revision", form, body)


@router.post("/content/{deliverable_id}/rule-content")
async def rule(page: Page, collaboration_id: Id, deliverable_id: Id, form: Filled) -> Response:
    def body() -> dict[str, Any]:
        return _of(deliverable_id, form) | {"approved": form.is_set("approved")}

    return await _act(page, collaboration_id, deliverable_id, "rule-content", form, body)


@router.post("/content/{deliverable_id}/schedule")
async def schedule(page: Page, collaboration_id: Id, deliverable_id: Id, form: Filled) -> Response:
    def body() -> dict[str, Any]:
        return {"deliverable_id": deliverable_id, "publish_at": form.moment("publish_at", page.zone)}

    return await _act(page, collaboration_id, deliverable_id, "schedule", form, body)


@router.post("/content/{deliverable_id}/publish")
async def publish(page: Page, collaboration_id: Id, deliverable_id: Id, form: Filled) -> Response:
    def body() -> dict[str, Any]:
        return {
            "deliverable_id": deliverable_id,
            "post_url": form.needed("post_url"),
            "post_id": form.needed("post_id"),
            "text": form.needed("text"),
            "disclosure": form.first("disclosure", "text"),
        }

    return await _act(page, collaboration_id, deliverable_id, "publish", form, body)


def _of(deliverable_id: str, form: Form) -> dict[str, Any]:
    """Which submission is decided on: the one that the page showed."""
    return {"deliverable_id": deliverable_id, "submission_id": form.needed("submission_id")}


async def _act(
    page: SignedIn, collaboration_id: str, deliverable_id: str, verb: str, form: Form, body: Body
) -> Response:
    async def again(typed: Form, problem: Problem) -> Response:
        return await content_page(page, collaboration_id, deliverable_id, typed, problem)

    to = f"/collaborations/{collaboration_id}/content/{deliverable_id}"
    return await page.submit(again, form, lambda: _sent(page, collaboration_id, verb, form, body, to))


async def _sent(page: SignedIn, collaboration_id: str, verb: str, form: Form, body: Body, to: str) -> Response:
    receipt = await page.send("campaigns", "POST", f"/collaborations/{collaboration_id}/{verb}", form, body())
    return page.done(to, receipt, SAID[verb])


@router.post("/send-product")
async def send_product(page: Page, collaboration_id: Id, form: Filled) -> Response:
    def body() -> dict[str, Any]:
        return {"carrier": form.needed("carrier"), "tracking": form.needed("tracking")}

    return await _on_whole(page, collaboration_id, "send-product", form, body)


@router.post("/receive-product")
async def receive_product(page: Page, collaboration_id: Id, form: Filled) -> Response:
    return await _on_whole(page, collaboration_id, "receive-product", form, dict)


@router.post("/fund")
async def fund(page: Page, collaboration_id: Id, form: Filled) -> Response:
    return await _on_whole(page, collaboration_id, "fund", form, dict)


@router.post("/consent")
async def consent(page: Page, collaboration_id: Id, form: Filled) -> Response:
    def body() -> dict[str, Any]:
        return {"brief_version": form.whole("brief_version")}

    return await _on_whole(page, collaboration_id, "consent", form, body)


async def _on_whole(page: SignedIn, collaboration_id: str, verb: str, form: Form, body: Body) -> Response:
    again: Callable[[Form, Problem], Awaitable[Response]] = lambda typed, problem: overview(  # noqa: E731
        page, collaboration_id, typed, problem
    )
    to = f"/collaborations/{collaboration_id}"
    return await page.submit(again, form, lambda: _sent(page, collaboration_id, verb, form, body, to))
