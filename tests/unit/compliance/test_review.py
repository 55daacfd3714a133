"""The review of a submission: judged, labelled, and decided by a person where the pack is unsure."""

from dataclasses import replace
from typing import Any

import pytest

from kernel.core.decider import Actor
from services.compliance.domain.findings import Content, Verdict
from services.compliance.domain.review import (
    DecideReview,
    DisclosureAttached,
    ReviewCompleted,
    ReviewContent,
    ReviewerDecided,
    ReviewOpened,
    judge,
    review_decider,
)
from services.compliance.packs import shipped_packs
from tests.unit.compliance.given import (
    ABOUT,
    CLEAN,
    NOON,
    OUTSIDER,
    PARTY,
    REVIEWER,
    SECOND,
    SYSTEM,
    decided,
    refused,
)

REVIEW = review_decider(shipped_packs())
UNSURE = replace(CLEAN, text="这是首选的粉底")
ILLEGAL = replace(CLEAN, text="这是全网最低价的粉底")
APPROVE, REJECT = DecideReview(True, "有依据"), DecideReview(False, "没有依据")
FOUR_EYES = DecideReview(True, "有依据", voices_needed=2)


def submitted(content: Content = CLEAN, text_hash: str = "a" * 64) -> ReviewContent:
    return ReviewContent(ABOUT, content, 1, "zh-CN", text_hash, NOON)


def reviewed(content: Content) -> list[Any]:
    return decided(REVIEW, [], submitted(content))


@pytest.mark.parametrize(
    ("content", "verdict", "rules"),
    [
        (CLEAN, Verdict.CLEAR, set()),
        (replace(CLEAN, text="周末出门妆"), Verdict.CLEAR, {"cn.label.missing"}),
        (UNSURE, Verdict.NEEDS_HUMAN, {"cn.superlative", "cn.label.missing"}),
        (ILLEGAL, Verdict.BLOCKED, {"cn.superlative", "cn.label.missing"}),
        (
            replace(CLEAN, product_category="保健食品"),
            Verdict.BLOCKED,
            {"cn.health_food.gate", "cn.health_food.notice"},
        ),
        (replace(CLEAN, jurisdiction="XX"), Verdict.NEEDS_HUMAN, {"pack.none_in_force"}),
    ],
)
def test_a_submission_is_opened_labelled_and_judged(content: Content, verdict: Verdict, rules: set[str]) -> None:
    opened, attached, completed = reviewed(content)
    assert isinstance(opened, ReviewOpened)
    assert isinstance(attached, DisclosureAttached)
    assert isinstance(completed, ReviewCompleted)
    assert (completed.verdict, {finding.rule_id for finding in completed.findings}) == (verdict, rules)
    assert not completed.by_reviewer


def test_the_label_is_attached_by_jurisdiction_platform_and_format() -> None:
    _, attached, completed = reviewed(replace(CLEAN, jurisdiction="US", platform="youtube", format="video"))
    assert (attached.label, attached.placement) == ("Paid promotion", "overlay")
    assert attached.rule == "US@2024-10-21/us.label.missing"
    assert completed.packs == ("US@2024-10-21",)


def test_what_is_no_advert_gets_no_label() -> None:
    events = reviewed(replace(CLEAN, text="今天的晚饭", compensation="none"))
    assert [type(event) for event in events] == [ReviewOpened, ReviewCompleted]


def test_a_note_beside_a_link_is_an_advert_whoever_paid() -> None:
    events = reviewed(replace(CLEAN, text="今天的晚饭", compensation="none", links=("https://shop.example/1",)))
    assert any(isinstance(event, DisclosureAttached) for event in events)


@pytest.mark.parametrize(
    ("command", "actor", "code"),
    [
        (submitted(replace(CLEAN, text="字" * 20_001)), SYSTEM, "review.text_too_long"),
        (submitted(replace(CLEAN, title="字" * 201)), SYSTEM, "review.title_too_long"),
        (submitted(replace(CLEAN, tags=("a",) * 51)), SYSTEM, "review.too_many_items"),
        (submitted(replace(CLEAN, links=("a" * 2_001,))), SYSTEM, "review.item_too_long"),
        (replace(submitted(), about=replace(ABOUT, brand_id="acme")), SYSTEM, "id.malformed"),
        (submitted(), OUTSIDER, "actor.role_missing"),
        (APPROVE, REVIEWER, "review.not_opened"),
    ],
)
def test_what_is_refused_at_first(command: object, actor: Actor, code: str) -> None:
    assert refused(REVIEW, [], command, actor) == code


def test_other_content_under_the_same_id_is_refused() -> None:
    assert refused(REVIEW, reviewed(CLEAN), submitted(text_hash="b" * 64)) == "review.content_differs"


@pytest.mark.parametrize(("command", "verdict"), [(APPROVE, Verdict.CLEAR), (REJECT, Verdict.BLOCKED)])
def test_a_reviewer_decides_what_waits(command: DecideReview, verdict: Verdict) -> None:
    voice, completed = decided(REVIEW, reviewed(UNSURE), command, REVIEWER)
    assert isinstance(voice, ReviewerDecided)
    assert (voice.reviewer_id, voice.approved) == ("rev-1", command.approved)
    assert (completed.verdict, completed.by_reviewer, completed.note) == (verdict, True, command.reason)
    assert completed.findings


@pytest.mark.parametrize(
    ("content", "command", "actor", "code"),
    [
        (CLEAN, APPROVE, REVIEWER, "review.not_waiting"),
        (ILLEGAL, APPROVE, REVIEWER, "review.not_waiting"),
        (UNSURE, APPROVE, SYSTEM, "actor.role_missing"),
        (UNSURE, APPROVE, OUTSIDER, "actor.role_missing"),
        (UNSURE, APPROVE, PARTY, "review.party_may_not_decide"),
        (UNSURE, DecideReview(True, " "), REVIEWER, "review.reason_length"),
        (UNSURE, DecideReview(True, "x" * 1_001), REVIEWER, "review.reason_length"),
    ],
)
def test_who_may_not_decide(content: Content, command: DecideReview, actor: Actor, code: str) -> None:
    assert refused(REVIEW, reviewed(content), command, actor) == code


def test_a_decision_stands() -> None:
    given = [*reviewed(UNSURE), *decided(REVIEW, reviewed(UNSURE), APPROVE, REVIEWER)]
    assert refused(REVIEW, given, REJECT, SECOND) == "review.already_decided"
    assert decided(REVIEW, given, APPROVE, SECOND) == []


def test_with_four_eyes_an_approval_needs_two_reviewers() -> None:
    opened = reviewed(UNSURE)
    first = decided(REVIEW, opened, FOUR_EYES, REVIEWER)
    assert [type(event) for event in first] == [ReviewerDecided]
    assert decided(REVIEW, [*opened, *first], FOUR_EYES, REVIEWER) == []
    second = decided(REVIEW, [*opened, *first], FOUR_EYES, SECOND)
    assert second[-1].verdict is Verdict.CLEAR


def test_with_four_eyes_one_reviewer_can_reject() -> None:
    rejected = replace(FOUR_EYES, approved=False)
    assert decided(REVIEW, reviewed(UNSURE), rejected, REVIEWER)[-1].verdict is Verdict.BLOCKED


def test_the_same_content_is_judged_by_the_law_of_its_day() -> None:
    made_by_ai = replace(CLEAN, ai_made=True)
    before = judge(shipped_packs(), made_by_ai, NOON.replace(year=2025, month=8))
    after = judge(shipped_packs(), made_by_ai, NOON)
    assert (before.verdict, after.verdict) == (Verdict.CLEAR, Verdict.NEEDS_HUMAN)
