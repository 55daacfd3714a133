"""Commands over HTTP: a reviewer's decision, a person's erasure, and the check of a text that is not submitted."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, Field, StringConstraints

from kernel.core.bounds import each, whole
from kernel.core.clock import Clock, system_clock
from kernel.core.events import Receipt
from kernel.core.ids import stream_id
from kernel.edge.fields import REASON_WORDS, Body, Day, LongText, ShortText, Uuid, worded
from kernel.edge.http import Caller, CommandRequest, charge, create_api
from kernel.host.app import App
from services.compliance.domain.disclosure import with_label
from services.compliance.domain.erasure import CATEGORY, Command, DeclineErasure, EraseSubject, RequestErasure
from services.compliance.domain.findings import Content, Evidence, Severity, Verdict
from services.compliance.domain.packs import day_of
from services.compliance.domain.review import (
    DecideReview,
    Judgement,
    check_content,
)
from services.compliance.packs import shipped_packs
from services.compliance.packs.judging import judging, tokens_of
from services.compliance.settings import voices_of

Word = Annotated[
    str, StringConstraints(max_length=64, pattern=worded(r"^[^\x00-\x1f\x7f]*$", "text without control characters"))
]
Items = Annotated[tuple[ShortText, ...], whole(Content, "tags")]
Link = Annotated[str, each(Content, "links"), StringConstraints(min_length=1)]
Links = Annotated[tuple[Link, ...], whole(Content, "links")]


class DecisionBody(Body):
    """`reason` is kept with the review, for its parties and staff."""

    approved: bool
    reason: Annotated[ShortText, whole(DecideReview, "reason")]


class NothingBody(Body):
    """No fields."""


class ErasureBody(Body):
    """`reason` is a stable code such as `request.subject`: it is published and kept for ever."""

    reason: Annotated[
        str, whole(EraseSubject, "reason"), StringConstraints(pattern=worded(r"^[a-z][a-z0-9_.]*$", REASON_WORDS))
    ]


class EvidenceBody(Body):
    """`kind`: "registered_name" (with the name as `phrase`), "approval", "efficacy_report"...: as in a submission.

    `reference` is what a person can look up, `expires_on` the last day on which it holds.
    """

    kind: Annotated[str, StringConstraints(pattern=worded(r"^[a-z_]{1,40}$", "a word of small letters and _"))]
    phrase: Annotated[LongText, StringConstraints(max_length=200)] = ""
    reference: ShortText
    expires_on: Day | None = None


class CheckBody(Body):
    """A text as it might be submitted. An empty `compensation` counts as paid; "none" is a post without a deal."""

    text: Annotated[LongText, whole(Content, "text")]
    title: Annotated[str, whole(Content, "title")] = ""
    tags: Items = ()
    links: Links = ()
    codes: Items = ()
    platform: Word = ""
    format: Word = ""
    jurisdiction: Annotated[
        str, StringConstraints(pattern=worded(r"^[A-Z]{2,3}$", "a code of 2 or 3 capitals, such as CN"))
    ] = "CN"
    product_category: Word = ""
    compensation: Word = ""
    ai_made: bool = False
    product_used: bool = True
    evidence: Annotated[tuple[EvidenceBody, ...], Field(max_length=20)] = ()

    def content(self) -> Content:
        plain = self.model_dump(exclude={"evidence"})
        shown = tuple(Evidence(one.kind, one.phrase, one.reference, one.expires_on) for one in self.evidence)
        return Content(**plain, evidence=shown)


class FindingAnswer(BaseModel):
    """`start` and `end` count characters of `part` as sent."""

    rule_id: str
    jurisdiction: str
    law: str
    article: str
    severity: Severity
    part: str
    start: int
    end: int
    excerpt: str
    why: str
    fix: str


class CheckAnswer(BaseModel):
    """`label` is attached on publication ("" when this is no advert); `final_title` and `final_text` carry it."""

    verdict: Verdict
    findings: list[FindingAnswer]
    rule_packs: list[str]
    advert: bool
    label: str
    placement: str
    final_title: str
    final_text: str


def make_api(app: App, clock: Clock = system_clock) -> FastAPI:
    """The command API of compliance."""
    api = create_api(
        "Dandelion compliance",
        app.admission,
        fingerprint_key=app.fingerprint_key,
        health=app.health,
        live_requests=app.settings.live_requests,
        body_limits={"/checks": 512 * 1024},
        description="Reviews of content against dated rule packs, and reviewers' decisions.",
    )
    api.include_router(_reviews(app))
    api.include_router(_subjects(app))
    api.include_router(_checks(clock))
    return api


def _reviews(app: App) -> APIRouter:
    router = APIRouter(prefix="/reviews/{review_id}", tags=["reviews"])
    voices = voices_of(app.settings)

    @router.post("/decide")
    async def decide(review_id: Uuid, body: DecisionBody, request: CommandRequest) -> Receipt:
        """A reviewer approves or rejects what waits; nobody decides on content of their own organisation."""
        stream = stream_id("review", review_id)
        command = DecideReview(body.approved, body.reason, voices)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router


def _subjects(app: App) -> APIRouter:
    router = APIRouter(prefix="/subjects/{subject_id}", tags=["subjects"])

    async def send(subject_id: str, command: Command, body: Body, request: CommandRequest) -> Receipt:
        stream = stream_id(CATEGORY, subject_id)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    @router.post("/request-erasure")
    async def ask(subject_id: Uuid, body: NothingBody, request: CommandRequest) -> Receipt:
        """A person asks to be forgotten (subject_id is its organisation), or an operator to whom the person wrote does."""
        return await send(subject_id, RequestErasure(), body, request)

    @router.post("/erase")
    async def erase(subject_id: Uuid, body: ErasureBody, request: CommandRequest) -> Receipt:
        """Operators only: every service forgets the person. It cannot be undone."""
        return await send(subject_id, EraseSubject(body.reason), body, request)

    @router.post("/decline-erasure")
    async def decline(subject_id: Uuid, body: ErasureBody, request: CommandRequest) -> Receipt:
        """Operators only: a request is answered with the reason why the person is not erased now."""
        return await send(subject_id, DeclineErasure(body.reason), body, request)

    return router


def _checks(clock: Clock) -> APIRouter:
    router = APIRouter(tags=["checks"])

    @router.post("/checks")
    async def check(body: CheckBody, caller: Caller, request: Request) -> CheckAnswer:
        """What a review would say today; nothing is stored and no idempotency key is needed. A long text costs more of the rate
        limit than a short one."""
        content = body.content()
        check_content(content)
        charge(request, caller, tokens_of(content))
        at = clock()
        judged = await judging().check(content, at, caller.tenant)
        return answer_of(content, judged, day_of(shipped_packs(), content.jurisdiction, at))

    return router


def answer_of(content: Content, judged: Judgement, day: date) -> CheckAnswer:
    label = judged.label
    title, text = with_label(label, content.title, content.text, day) if label else (content.title, content.text)
    return CheckAnswer(
        verdict=judged.verdict,
        findings=[FindingAnswer.model_validate(finding, from_attributes=True) for finding in judged.findings],
        rule_packs=list(judged.packs),
        advert=label is not None,
        label=label.label if label else "",
        placement=label.placement if label else "",
        final_title=title,
        final_text=text,
    )
