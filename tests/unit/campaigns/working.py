"""A collaboration led to some point by its own commands: what is given to the tables of its tests."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from kernel.core.canonical import Hashed
from kernel.core.decider import Actor
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.domain.collaboration.commands import (
    ApproveContent,
    ContractCollaboration,
    ExpireDeliverable,
    FundCollaboration,
    PublishContent,
    ReceiveProduct,
    RecordReview,
    RequestRevision,
    SendProduct,
    SubmitContent,
    VerifyContent,
)
from services.campaigns.domain.shared.brief import Brief
from services.campaigns.domain.shared.budget import BriefInForce
from services.campaigns.domain.shared.content_events import Content, LabelPlacement, SubmissionStage, Verdict
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import (
    APPLICATION_ID,
    BRAND,
    BRAND_ID,
    BRIEF,
    CAMPAIGN_ID,
    CREATOR,
    NOON,
    SERUM,
    SPEC,
    SYSTEM,
    bookable,
    brief,
    contract,
)
from tests.kit.decide import RowKey, World, check

Step = tuple[Actor, Any]
STREAM = f"collaboration-{APPLICATION_ID}"
LABEL = "广告"
POST_URL = "https://post.test/1"
S1, S2, S3, S4 = (f"018f3a10-0000-7000-8000-0000000000{n}" for n in ("a1", "a2", "a3", "a4"))
ONE = contract()
TWO = contract((100_000, 50_000), brief(deliverables=(SPEC, SPEC)))
OUTLINED = contract(value=brief(deliverables=(type(SPEC)(SPEC.platform, SPEC.format, True),)))
SHIPPED = contract(value=brief(products=(SERUM,)))
D1, D2 = (each.deliverable_id for each in TWO.deliverables)
TEXT = Content("Spring", "A serum I like")


def day(days: float) -> datetime:
    """So many days after NOON."""
    return NOON + timedelta(days=days)


def contracted(value: Contract = ONE) -> Step:
    document = Hashed.of(value)
    return SYSTEM, ContractCollaboration(document, document.sha256)


def submit(submission_id: str = S1, stage: SubmissionStage = SubmissionStage.DRAFT, content: Content = TEXT) -> Step:
    return CREATOR, SubmitContent(D1, submission_id, stage, content)


def review(verdict: Verdict = Verdict.CLEAR, submission_id: str = S1, label: str = LABEL) -> Step:
    return SYSTEM, RecordReview(D1, submission_id, verdict, 0, label, LabelPlacement.TEXT_START)


def approve(submission_id: str = S1) -> Step:
    return BRAND, ApproveContent(D1, submission_id)


def revise(submission_id: str = S1) -> Step:
    return BRAND, RequestRevision(D1, submission_id, ("Show the box",))


def publish(post_id: str = "p1", text: str = f"{LABEL} A serum I like") -> Step:
    return CREATOR, PublishContent(D1, post_id, POST_URL, text)


FUND: Step = (SYSTEM, FundCollaboration())
SEND: Step = (BRAND, SendProduct("SF", "1"))
RECEIVE: Step = (CREATOR, ReceiveProduct())
VERIFY: Step = (SYSTEM, VerifyContent(D1, "look-1"))
OUTLINE = submit(S1, SubmissionStage.OUTLINE)

FUNDED = [contracted(), FUND]
SUBMITTED = [*FUNDED, submit()]
CLEARED = [*SUBMITTED, review()]
REVISED = [*CLEARED, revise(), submit(S2), review(Verdict.CLEAR, S2), revise(S2), submit(S3), review(Verdict.CLEAR, S3)]
IN_RULING = [*REVISED, revise(S3)]
APPROVED = [*CLEARED, approve()]
PUBLISHED = [*APPROVED, publish()]
VERIFIED = [*PUBLISHED, VERIFY]
PAY: Step = (SYSTEM, ExpireDeliverable(D1, day(3)))
PAYING = [*VERIFIED, PAY]


def in_force(value: Brief, version: int) -> dict[RowKey, Any]:
    """The brief, and the creator, as they stand at the head."""
    brief_in_force = BriefInForce(CAMPAIGN_ID, BRAND_ID, version, Hashed.of(value), Hashed.of(Terms()))
    return {("briefs", (CAMPAIGN_ID,)): brief_in_force, **bookable()}


def played(steps: Sequence[Step], at: datetime = NOON, value: Brief = BRIEF, version: int = 1) -> list[Any]:
    """The events of the steps; each must be accepted."""
    world = World(SERVICE, at, in_force(value, version))
    for actor, command in steps:
        world.execute(STREAM, command, actor)
    return [fact.event for fact in world.events]


def run(
    given: Sequence[Step],
    when: Step,
    then: Sequence[Any] | str,
    at: datetime = NOON,
    value: Brief = BRIEF,
    version: int = 1,
) -> None:
    """`then` may name event types instead of events: what is in them is said where it matters."""
    actor, command = when
    rows = in_force(value, version)
    before = played(given)
    if not isinstance(then, str) and then and all(isinstance(each, type) for each in then):
        made = decide(given, when, at, value, version)
        assert [type(each) for each in made] == list(then)
        then = made
    check(SERVICE, before, command, then, at=at, actor=actor, stream=STREAM, rows=rows)


def decide(
    given: Sequence[Step], when: Step, at: datetime = NOON, value: Brief = BRIEF, version: int = 1
) -> Sequence[Any]:
    """The events of one more step."""
    world = World(SERVICE, at, in_force(value, version))
    world.given(STREAM, played(given), SYSTEM)
    return world.execute(STREAM, when[1], when[0])


def state_after(given: Sequence[Step]) -> Any:
    state = COLLABORATION.initial
    for event in played(given):
        state = COLLABORATION.evolve(state, event)
    return state


def rung(given: Sequence[Step], days: int, then: Sequence[Step] = ()) -> World:
    """The steps, and every clock that rings within so many days, in order; what else happens then."""
    world = World(SERVICE, NOON, bookable())
    for actor, command in given:
        world.execute(STREAM, command, actor)
    while due := [row for row in world.table("deadlines").values() if row.due_at <= day(days)]:
        row = min(due, key=lambda row: row.due_at)
        world.at = row.due_at
        world.execute(STREAM, SERVICE.codec.decode(row.command, row.data.encode()), SYSTEM)
        if world.row("deadlines", STREAM, row.name) == row:
            world.put("deadlines", (STREAM, row.name), None)
    world.at = day(days)
    for actor, command in then:
        world.execute(STREAM, command, actor)
    return world
