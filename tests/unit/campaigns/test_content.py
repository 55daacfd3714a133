"""Content: from the first outline to the verified post, step by step, and nothing out of turn."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import pytest

from services.campaigns.domain.collaboration.commands import (
    EndDeliverable,
    RequestRevision,
    RuleContent,
    ScheduleContent,
    SettleDeliverable,
    TakeDownContent,
)
from services.campaigns.domain.collaboration.content import MAX_SUBMISSIONS, content_sha256
from services.campaigns.domain.shared.content_events import (
    Content,
    ContentApproved,
    ContentPublished,
    ContentReviewed,
    ContentScheduled,
    ContentSubmitted,
    ContentTakenDown,
    ContentVerified,
    Evidence,
    EvidenceKind,
    Media,
    RevisionRequested,
    Ruler,
    RulingRequested,
    SubmissionStage,
    Verdict,
)
from services.campaigns.domain.shared.work_events import CollaborationCancelled, DeliverableLapsed
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import BRAND, CREATOR, NOON, OPERATOR, STRANGER, SYSTEM, bookable, brief, contract
from tests.kit.decide import World
from tests.unit.campaigns.working import (
    APPROVED,
    CLEARED,
    D1,
    FUND,
    FUNDED,
    IN_RULING,
    LABEL,
    OUTLINE,
    OUTLINED,
    PUBLISHED,
    RECEIVE,
    REVISED,
    S1,
    S2,
    S3,
    S4,
    SEND,
    SHIPPED,
    STREAM,
    SUBMITTED,
    TEXT,
    VERIFIED,
    VERIFY,
    Step,
    approve,
    contracted,
    day,
    decide,
    in_force,
    played,
    publish,
    review,
    revise,
    run,
    submit,
)

WITH_OUTLINE = [contracted(OUTLINED), FUND]
LATER = day(3)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param(FUNDED, submit(), [ContentSubmitted], id="submits"),
        pytest.param([contracted()], submit(), "content.stage_not_expected", id="not_before_funding"),
        pytest.param(FUNDED, (STRANGER, submit()[1]), "collaboration.unknown", id="no_stranger"),
        pytest.param(FUNDED, (BRAND, submit()[1]), "collaboration.only_the_creator", id="not_the_brand"),
        pytest.param(FUNDED, (CREATOR, replace(submit()[1], deliverable_id=S1)), "deliverable.unknown", id="unknown"),
        pytest.param(FUNDED, submit("S"), "id.malformed", id="malformed_id"),
        pytest.param(SUBMITTED, submit(S2), "content.stage_not_expected", id="one_at_a_time"),
        pytest.param(CLEARED, submit(content=replace(TEXT, text="B")), "content.submission_id_used", id="id_used"),
        pytest.param(WITH_OUTLINE, submit(), "content.stage_not_expected", id="outline_first"),
        pytest.param(WITH_OUTLINE, OUTLINE, [ContentSubmitted], id="outlines"),
        pytest.param([*WITH_OUTLINE, OUTLINE, approve()], submit(S2), [ContentSubmitted], id="draft_after_outline"),
        pytest.param(
            [*WITH_OUTLINE, OUTLINE, revise()], submit(S2), "content.stage_not_expected", id="a_revised_outline_is_one"
        ),
        pytest.param(SUBMITTED, review(), [ContentReviewed], id="clears"),
        pytest.param(SUBMITTED, review(Verdict.NEEDS_HUMAN), [ContentReviewed], id="needs_a_human"),
        pytest.param([*SUBMITTED, review(Verdict.NEEDS_HUMAN)], review(), [ContentReviewed], id="the_human_clears"),
        pytest.param(SUBMITTED, review(Verdict.BLOCKED), [ContentReviewed, RevisionRequested], id="blocks"),
        pytest.param(SUBMITTED, review(submission_id=S2), [], id="a_verdict_on_other_content"),
        pytest.param(APPROVED, review(Verdict.BLOCKED), [], id="a_late_verdict"),
        pytest.param(SUBMITTED, (BRAND, review()[1]), "actor.role_missing", id="brands_review_nothing"),
        pytest.param(SUBMITTED, approve(), "content.not_in_review", id="not_before_compliance"),
        pytest.param(CLEARED, approve(), [ContentApproved], id="approves"),
        pytest.param(CLEARED, approve(S2), "content.submission_superseded", id="approves_the_newest"),
        pytest.param(CLEARED, (CREATOR, approve()[1]), "collaboration.only_the_brand", id="creators_approve_nothing"),
        pytest.param(CLEARED, revise(), [RevisionRequested], id="requests_a_revision"),
        pytest.param(CLEARED, (BRAND, RequestRevision(D1, S1, ())), "content.revision_needs_notes", id="says_what"),
        pytest.param(APPROVED, revise(), "content.not_in_review", id="not_after_approval"),
        pytest.param(REVISED, revise(S3), [RulingRequested], id="the_third_asks_for_a_ruling"),
        pytest.param(IN_RULING, (OPERATOR, RuleContent(D1, S3, True)), [ContentApproved], id="ruled_for"),
        pytest.param(
            IN_RULING,
            (OPERATOR, RuleContent(D1, S3, False)),
            [DeliverableLapsed, CollaborationCancelled],
            id="ruled_against",
        ),
        pytest.param(CLEARED, (OPERATOR, RuleContent(D1, S1, True)), "content.not_in_ruling", id="no_ruling_unasked"),
        pytest.param(IN_RULING, (BRAND, RuleContent(D1, S3, True)), "actor.role_missing", id="parties_rule_not"),
        pytest.param(APPROVED, (CREATOR, ScheduleContent(D1, LATER)), [ContentScheduled], id="schedules"),
        pytest.param(CLEARED, (CREATOR, ScheduleContent(D1, LATER)), "content.not_approved", id="schedules_approved"),
        pytest.param(APPROVED, (CREATOR, ScheduleContent(D1, day(99))), "content.outside_posting_window", id="window"),
        pytest.param(APPROVED, (CREATOR, ScheduleContent(D1, day(-0.5))), "content.outside_posting_window", id="past"),
        pytest.param(
            APPROVED, (CREATOR, ScheduleContent(D1, NOON.replace(tzinfo=None))), "content.time_not_utc", id="naive_time"
        ),
        pytest.param(
            [*APPROVED, (CREATOR, ScheduleContent(D1, LATER))],
            (BRAND, ScheduleContent(D1, day(4))),
            [ContentScheduled],
            id="reschedules",
        ),
        pytest.param(APPROVED, publish(), [ContentPublished], id="publishes"),
        pytest.param([*APPROVED, (CREATOR, ScheduleContent(D1, LATER))], publish(), [ContentPublished], id="early"),
        pytest.param(CLEARED, publish(), "content.not_approved", id="publishes_what_is_approved"),
        pytest.param(APPROVED, publish(text="A serum I like"), "content.label_missing", id="not_without_the_label"),
        pytest.param(APPROVED, publish(text=f"{LABEL} Mine"), "content.text_differs_from_approved", id="as_approved"),
        pytest.param(
            [*SUBMITTED, review(label=""), approve()], publish(), "content.label_not_recorded", id="label_unrecorded"
        ),
        pytest.param(PUBLISHED, publish("p2"), "content.not_approved", id="publishes_once"),
        pytest.param(PUBLISHED, VERIFY, [ContentVerified], id="verifies"),
        pytest.param(APPROVED, VERIFY, "content.not_published", id="verifies_what_is_published"),
        pytest.param(PUBLISHED, (SYSTEM, TakeDownContent(D1, "content.gone")), [ContentTakenDown], id="taken_down"),
        pytest.param(APPROVED, (SYSTEM, TakeDownContent(D1, "content.gone")), [], id="nothing_to_take_down"),
        pytest.param(
            [*VERIFIED, (SYSTEM, TakeDownContent(D1, "content.gone"))], publish("p2"), [ContentPublished], id="again"
        ),
        pytest.param(
            [*VERIFIED, (SYSTEM, EndDeliverable(D1, "escrow.expired", 110_000))],
            (SYSTEM, SettleDeliverable(D1, "r", 1)),
            "content.not_being_paid",
            id="settles_nothing_that_ended",
        ),
    ],
)
def test_content(given: Sequence[Step], when: Step, then: Sequence[Any] | str) -> None:
    run(given, when, then)


def test_the_posting_window_opens() -> None:
    run(APPROVED, publish(), "content.before_posting_window", at=day(-2))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(replace(TEXT, title="t" * 201), "content.title_too_long", id="title"),
        pytest.param(replace(TEXT, text=" "), "content.text_malformed", id="text"),
        pytest.param(replace(TEXT, tags=("",)), "content.tags_malformed", id="tags"),
        pytest.param(replace(TEXT, links=("l",) * 21), "content.links_malformed", id="links"),
        pytest.param(replace(TEXT, language=""), "content.language_malformed", id="language"),
        pytest.param(replace(TEXT, media=(Media("a" * 64, "image"),) * 31), "content.too_many_media", id="media"),
        pytest.param(replace(TEXT, media=(Media("A", "image"),)), "content.media_hash_malformed", id="hash"),
        pytest.param(replace(TEXT, media=(Media("a" * 64, "gif"),)), "content.media_kind_unknown", id="kind"),
        pytest.param(replace(TEXT, media=(Media("a" * 64, "video", -1),)), "content.media_too_long", id="duration"),
    ],
)
def test_bounded_content(content: Content, code: str) -> None:
    run(FUNDED, submit(content=content), code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"post_id": ""}, "content.post_id_malformed", id="post_id"),
        pytest.param({"post_url": "http://post.test"}, "content.post_url_not_https", id="plain_http"),
        pytest.param({"post_url": "https://" + "p" * 2_000}, "content.post_url_malformed", id="long_url"),
        pytest.param({"text": ""}, "content.text_malformed", id="text"),
    ],
)
def test_bounded_posts(changes: dict[str, str], code: str) -> None:
    run(APPROVED, (CREATOR, replace(publish()[1], **changes)), code)


def test_submissions_end() -> None:
    ids = [f"018f3a10-0000-7000-8000-0000000001{n:02x}" for n in range(MAX_SUBMISSIONS)]
    given = list(FUNDED)
    for submission_id in ids:
        given += [submit(submission_id), review(Verdict.BLOCKED, submission_id)]
    run(given, submit(S4), "content.too_many_submissions")


def test_blocks_use_up_no_revision_of_the_brand() -> None:
    given = [*SUBMITTED, review(Verdict.BLOCKED), submit(S2), review(Verdict.CLEAR, S2)]
    (revision,) = decide(given, revise(S2))
    assert (revision.by, revision.revisions, revision.max_revisions) == (Ruler.BRAND, 1, 2)


def test_a_submission_says_what_compliance_must_know() -> None:
    (event,) = decide(FUNDED, submit())
    deal = event.setting
    assert (deal.jurisdiction, deal.product_category) == ("CN", "cosmetics")
    assert (event.round, event.due_at) == (1, NOON + timedelta(days=7))


def owned(kind: EvidenceKind = EvidenceKind.PRODUCT_OWNED, expires_on: date | None = None) -> Content:
    return replace(TEXT, evidence=(Evidence(kind, "", "order 4711", expires_on),))


@pytest.mark.parametrize(
    ("given", "content", "used"),
    [
        (FUNDED, TEXT, False),
        ([contracted(SHIPPED), FUND, SEND, RECEIVE], TEXT, True),
        (FUNDED, owned(), True),
        (FUNDED, owned(expires_on=NOON.date()), True),
        (FUNDED, owned(expires_on=NOON.date() - timedelta(days=1)), False),
        (FUNDED, owned(EvidenceKind.APPROVAL), False),
    ],
    ids=["no product", "received", "owned", "owned until today", "no longer owned", "another proof"],
)
def test_a_product_is_used_that_was_received_or_is_owned(given: list[Step], content: Content, used: bool) -> None:
    (event,) = decide(given, submit(content=content))
    assert (event.setting.product_used, event.content.evidence) == (used, content.evidence)


def test_what_is_owned_runs_out_at_midnight_of_the_campaigns_place() -> None:
    content, evening = owned(expires_on=NOON.date()), NOON.replace(hour=16, minute=30)
    places = [contract(value=brief(timezone=zone)) for zone in ("Asia/Shanghai", "Europe/Berlin")]
    told = [decide([contracted(one), FUND], submit(content=content), evening)[0] for one in places]
    assert [event.setting.product_used for event in told] == [False, True]


def test_other_evidence_is_another_submission_and_none_leaves_the_hash_of_before() -> None:
    assert content_sha256(TEXT) == "9551a412d8951cc983fb95657b9ddd11d8f22825f9d03ca147cf816d5be3c4ce"
    run([*FUNDED, submit(content=owned())], submit(), "content.submission_id_used")


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        ((Evidence(EvidenceKind.SOURCE, "", "x"),) * 21, "content.too_much_evidence"),
        ((Evidence(EvidenceKind.SOURCE, "", " "),), "content.evidence_malformed"),
        ((Evidence(EvidenceKind.SOURCE, "x" * 201, "x"),), "content.evidence_malformed"),
    ],
    ids=["too much", "blank", "too long"],
)
def test_bounded_evidence(evidence: tuple[Evidence, ...], code: str) -> None:
    run(FUNDED, submit(content=replace(TEXT, evidence=evidence)), code)


def test_a_post_is_sealed_in_the_normal_form_of_its_platform() -> None:
    (event,) = decide(APPROVED, publish(text=f"{LABEL} A serum\nI like "))
    assert event.normal_form == "xiaohongshu@1"
    assert event.text_sha256 == sha256(f"{LABEL} A serum I like".encode()).hexdigest()


def test_an_approved_outline_leaves_time_for_the_draft() -> None:
    (event,) = decide([contracted(OUTLINED), FUND, OUTLINE], approve())
    assert (event.stage, event.due_at) == (SubmissionStage.OUTLINE, day(14))


def test_the_repeat_of_a_verdict_is_silent() -> None:
    run([*SUBMITTED, review(Verdict.NEEDS_HUMAN)], review(Verdict.NEEDS_HUMAN), [])


@pytest.mark.parametrize("virtual", [True, False])
def test_what_a_virtual_human_hands_in_says_so(virtual: bool) -> None:
    world = World(SERVICE, NOON, in_force(brief(), 1) | bookable(virtual_human=virtual))
    world.given(STREAM, played(FUNDED), SYSTEM)
    actor, command = submit()
    (told,) = world.execute(STREAM, command, actor)
    assert told.setting.virtual_human is virtual
