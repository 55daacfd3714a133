"""Collaborations as a whole: contract, money, product, cancellation by the ladder, disputes, clocks, budget."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kernel.core.canonical import Hashed
from kernel.core.decider import Actor, Context
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.domain.collaboration.commands import (
    CancelCollaboration,
    ContractCollaboration,
    ExpireCollaboration,
    ExpireDeliverable,
    OpenDispute,
    Outcome,
    RuleDispute,
    ScheduleContent,
    SettleDeliverable,
    SubmitContent,
    TakeDownContent,
)
from services.campaigns.domain.collaboration.deliverable import Deliverable, Stage
from services.campaigns.domain.collaboration.expiry import expire
from services.campaigns.domain.collaboration.work import Work
from services.campaigns.domain.shared.compensation import Compensation, CompensationKind
from services.campaigns.domain.shared.content_events import ReviewReminded, Ruler
from services.campaigns.domain.shared.terms import LadderStage
from services.campaigns.domain.shared.work_events import (
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationFunded,
    CollaborationSettled,
    DeliverableEscalated,
    DeliverableLapsed,
    DeliverableSettled,
    PaymentAuthorised,
    ProductReceived,
    ProductSent,
    WorkStarted,
)
from tests.kit.campaigns import (
    BRAND,
    BRAND_ID,
    CAMPAIGN_ID,
    CREATOR,
    CREATOR_ID,
    NOON,
    OPERATOR,
    PARTIES,
    STRANGER,
    SYSTEM,
    brief,
    contract,
)
from tests.kit.rows import NoRows
from tests.unit.campaigns.working import (
    APPROVED,
    CLEARED,
    D1,
    D2,
    FUND,
    FUNDED,
    IN_RULING,
    ONE,
    OUTLINE,
    OUTLINED,
    PAY,
    PAYING,
    PUBLISHED,
    RECEIVE,
    REVISED,
    S2,
    SEND,
    SHIPPED,
    STREAM,
    SUBMITTED,
    TEXT,
    TWO,
    VERIFIED,
    Step,
    contracted,
    day,
    decide,
    revise,
    run,
    state_after,
)

SETTLE: Step = (SYSTEM, SettleDeliverable(D1, "r1", 95_000))
CANCEL: Step = (BRAND, CancelCollaboration("budget_cut"))
DISPUTE: Step = (CREATOR, OpenDispute("unpaid"))
RESUME: Step = (OPERATOR, RuleDispute(Outcome.RESUME))
SHIPPING = [contracted(SHIPPED), FUND]


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param(
            [], contracted(), [CollaborationContracted(Hashed.of(ONE), Hashed.of(ONE).sha256, day(2))], id="contracts"
        ),
        pytest.param([], (BRAND, contracted()[1]), "actor.role_missing", id="only_the_process_contracts"),
        pytest.param(
            [],
            (SYSTEM, ContractCollaboration(Hashed.of(ONE), "0" * 64)),
            "collaboration.contract_hash_differs",
            id="seal",
        ),
        pytest.param(
            [], contracted(replace(ONE, collaboration_id=D1)), "collaboration.id_differs", id="on_its_own_stream"
        ),
        pytest.param([contracted()], contracted(TWO), "collaboration.already_contracted", id="contracts_once"),
        pytest.param([], FUND, "collaboration.unknown", id="funds_a_contract"),
        pytest.param([contracted()], (BRAND, FUND[1]), "actor.role_missing", id="only_the_process_funds"),
        pytest.param([contracted()], FUND, [CollaborationFunded, WorkStarted], id="funds_and_starts"),
        pytest.param([contracted(), CANCEL], FUND, "collaboration.not_contracted", id="funds_nothing_cancelled"),
        pytest.param([contracted(SHIPPED)], FUND, [CollaborationFunded], id="waits_for_the_product"),
        pytest.param(SHIPPING, SEND, [ProductSent(PARTIES, "SF", "1", day(14))], id="sends"),
        pytest.param(SHIPPING, (CREATOR, SEND[1]), "collaboration.only_the_brand", id="the_brand_sends"),
        pytest.param(FUNDED, SEND, "product.not_awaited", id="sends_what_is_awaited"),
        pytest.param(SHIPPING, RECEIVE, "product.not_sent", id="receives_what_was_sent"),
        pytest.param([*SHIPPING, SEND], RECEIVE, [ProductReceived, WorkStarted], id="receives_and_starts"),
        pytest.param([*SHIPPING, SEND], (BRAND, RECEIVE[1]), "collaboration.only_the_creator", id="creator_receives"),
        pytest.param(FUNDED, (STRANGER, CANCEL[1]), "collaboration.unknown", id="strangers_cancel_nothing"),
        pytest.param(FUNDED, (BRAND, CancelCollaboration("Because!")), "reason.malformed", id="no_free_text"),
        pytest.param([*PAYING, SETTLE], CANCEL, "collaboration.not_running", id="cancels_nothing_settled"),
        pytest.param(VERIFIED, CANCEL, "collaboration.nothing_to_cancel", id="verified_work_is_owed"),
        pytest.param([*FUNDED, DISPUTE], CANCEL, "collaboration.disputed", id="not_while_disputed"),
        pytest.param(PAYING, SETTLE, [DeliverableSettled, CollaborationSettled], id="settles"),
        pytest.param(PAYING, (BRAND, SETTLE[1]), "actor.role_missing", id="only_the_process_settles"),
    ],
)
def test_collaboration(given: Sequence[Step], when: Step, then: Sequence[Any] | str) -> None:
    run(given, when, then)


@pytest.mark.parametrize(
    ("given", "who", "stage", "share_bps", "kill_minor"),
    [
        pytest.param([contracted()], BRAND, LadderStage.BEFORE_OUTLINE, 0, 0, id="before_funding"),
        pytest.param(FUNDED, BRAND, LadderStage.BEFORE_OUTLINE, 0, 0, id="before_the_outline"),
        pytest.param(
            [contracted(OUTLINED), FUND, OUTLINE], BRAND, LadderStage.AFTER_OUTLINE, 1_000, 10_000, id="outline"
        ),
        pytest.param(SUBMITTED, BRAND, LadderStage.AFTER_DRAFT, 5_000, 50_000, id="after_the_draft"),
        pytest.param([*CLEARED, revise()], BRAND, LadderStage.AFTER_DRAFT, 5_000, 50_000, id="after_one_feedback"),
        pytest.param(REVISED, BRAND, LadderStage.AFTER_FEEDBACK, 10_000, 100_000, id="after_the_second_feedback"),
        pytest.param(PUBLISHED, BRAND, LadderStage.AFTER_FEEDBACK, 10_000, 100_000, id="published"),
        pytest.param(
            [*APPROVED, (BRAND, ScheduleContent(D1, NOON))],
            BRAND,
            LadderStage.AFTER_FEEDBACK,
            10_000,
            100_000,
            id="day",
        ),
        pytest.param(
            [*APPROVED, (BRAND, ScheduleContent(D1, day(9)))],
            BRAND,
            LadderStage.AFTER_DRAFT,
            5_000,
            50_000,
            id="before",
        ),
        pytest.param(PUBLISHED, CREATOR, LadderStage.AFTER_FEEDBACK, 0, 0, id="a_creator_who_leaves"),
        pytest.param(PUBLISHED, SYSTEM, LadderStage.AFTER_FEEDBACK, 0, 0, id="the_system"),
    ],
)
def test_the_ladder(given: Sequence[Step], who: Any, stage: LadderStage, share_bps: int, kill_minor: int) -> None:
    run(given, (who, CANCEL[1]), [CollaborationCancelled])
    (cancelled,) = decide(given, (who, CANCEL[1]))
    (one,) = cancelled.deliverables
    assert (one.stage, one.share_bps, one.kill_fee_minor, one.freed_minor) == (
        stage,
        share_bps,
        kill_minor,
        110_000 - kill_minor,
    )


def test_the_day_of_publication_begins_at_midnight_of_the_campaigns_place() -> None:
    late = NOON.replace(hour=16, minute=30)
    places = [contract(value=brief(timezone=zone)) for zone in ("Asia/Shanghai", "Europe/Berlin")]
    ends = [
        decide([contracted(one), *APPROVED[1:], (BRAND, ScheduleContent(D1, day(1)))], CANCEL, late)[0]
        for one in places
    ]
    assert [one.deliverables[0].stage for one in ends] == [LadderStage.AFTER_FEEDBACK, LadderStage.AFTER_DRAFT]


def test_verified_work_is_paid_though_the_rest_is_cancelled() -> None:
    verified = [contracted(TWO), *VERIFIED[1:]]
    (cancelled,) = decide(verified, CANCEL)
    assert [each.deliverable_id for each in cancelled.deliverables] == [D2]
    run([*verified, CANCEL], PAY, [PaymentAuthorised])
    run([*verified, CANCEL, PAY], SETTLE, [DeliverableSettled])


@pytest.mark.parametrize(
    ("given", "due_at", "then"),
    [
        pytest.param(FUNDED, day(14), [DeliverableLapsed, CollaborationCancelled], id="no_draft"),
        pytest.param(FUNDED, day(13), [], id="an_older_clock"),
        pytest.param(SUBMITTED, day(7), [DeliverableEscalated], id="compliance_says_nothing"),
        pytest.param(CLEARED, day(5), [ReviewReminded], id="the_brand_is_reminded"),
        pytest.param([*CLEARED, revise()], day(7), [DeliverableLapsed, CollaborationCancelled], id="no_revision"),
        pytest.param(IN_RULING, day(7), [DeliverableEscalated], id="no_ruling"),
        pytest.param(APPROVED, day(30), [DeliverableLapsed, CollaborationCancelled], id="no_post"),
        pytest.param(PUBLISHED, day(7), [DeliverableEscalated], id="no_look"),
        pytest.param(
            [*PUBLISHED, (SYSTEM, TakeDownContent(D1, "content.gone"))],
            day(7),
            [DeliverableLapsed, CollaborationCancelled],
            id="not_put_up_again",
        ),
        pytest.param(VERIFIED, day(3), [PaymentAuthorised], id="is_paid"),
        pytest.param([*VERIFIED, DISPUTE], day(3), [], id="is_not_paid_while_disputed"),
    ],
)
def test_every_stage_ends_by_a_clock(given: Sequence[Step], due_at: Any, then: Sequence[Any]) -> None:
    run(given, (SYSTEM, ExpireDeliverable(D1, due_at)), then, at=due_at)


def test_the_brand_is_reminded_once_then_taken_to_agree() -> None:
    given = [*CLEARED, (SYSTEM, ExpireDeliverable(D1, day(5)))]
    (approved,) = decide(given, (SYSTEM, ExpireDeliverable(D1, day(2))), day(2))
    assert (approved.by, approved.submission_id) == (Ruler.CLOCK, CLEARED[2][1].submission_id)


@pytest.mark.parametrize("given", [[*PAYING, SETTLE], [contracted(SHIPPED), FUND]])
def test_what_has_no_clock_ends_by_none(given: Sequence[Step]) -> None:
    assert all(one.due_at is None for one in state_after(given).deliverables)
    run(given, (SYSTEM, ExpireDeliverable(D1, day(3))), [])


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.SETTLED, Stage.ENDED])
def test_a_clock_left_over_does_nothing(stage: Stage) -> None:
    left = Deliverable(ONE.deliverables[0], stage, due_at=NOON)
    context = Context(NOON, SYSTEM, NoRows(), STREAM, BRAND_ID)
    assert expire(ExpireDeliverable(D1, NOON), Work(ONE, left, context, False)) == []


def test_what_frees_budget_announces_its_row() -> None:
    assert [(table.name, key) for table, key in COLLABORATION.reads(CANCEL[1], state_after(FUNDED))] == [
        ("budgets", (CAMPAIGN_ID,))
    ]
    assert list(COLLABORATION.reads(FUND[1], state_after(FUNDED))) == []


def test_a_collaboration_belongs_to_the_brand() -> None:
    assert (COLLABORATION.owner(contracted()[1]), COLLABORATION.owner(FUND[1])) == (BRAND_ID, None)


@pytest.mark.parametrize("tenant", [BRAND_ID, CREATOR_ID, "platform"])
@pytest.mark.parametrize("given", [[contracted()], FUNDED, SUBMITTED], ids=["contracted", "funded", "submitted"])
def test_what_a_process_ends_is_no_partys_act(given: Sequence[Step], tenant: str) -> None:
    """A process acts for the tenant of what caused it: the brand that invited, or the creator that applied."""
    process = Actor("service:campaigns", tenant, frozenset({"system"}))
    (cancelled,) = decide(given, (process, CancelCollaboration("escrow.not_covered")))
    assert (cancelled.by, [each.kill_fee_minor for each in cancelled.deliverables]) == (
        Ruler.SYSTEM,
        [0, 0][: len(cancelled.deliverables)],
    )


def test_clocks_are_the_systems() -> None:
    run(FUNDED, (BRAND, ExpireDeliverable(D1, day(14))), "actor.role_missing")
    run([contracted()], (BRAND, ExpireCollaboration(day(2))), "actor.role_missing")


@pytest.mark.parametrize(
    ("given", "due_at", "reason"),
    [
        pytest.param([contracted()], day(2), "funding.expired", id="never_funded"),
        pytest.param(SHIPPING, day(14), "product.not_sent", id="never_sent"),
        pytest.param([*SHIPPING, SEND], day(14), "product.not_received", id="never_received"),
    ],
)
def test_the_whole_has_a_clock_too(given: Sequence[Step], due_at: Any, reason: str) -> None:
    run(given, (SYSTEM, ExpireCollaboration(due_at)), [CollaborationCancelled])
    assert decide(given, (SYSTEM, ExpireCollaboration(due_at)))[0].reason == reason
    run(FUNDED, (SYSTEM, ExpireCollaboration(due_at)), [])


def test_a_gift_is_settled_without_money() -> None:
    gift = contract((0,), brief(compensation=Compensation(CompensationKind.GIFT)))
    run([contracted(gift), *VERIFIED[1:]], PAY, [DeliverableSettled, CollaborationSettled])


@pytest.mark.parametrize("command", [SubmitContent, CancelCollaboration])
def test_nothing_before_the_contract(command: Any) -> None:
    when = CancelCollaboration("x") if command is CancelCollaboration else SubmitContent(D1, S2, "draft", TEXT)  # type: ignore[arg-type]
    run([], (BRAND, when), "collaboration.unknown")
