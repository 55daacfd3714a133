"""A paid post that breaks the agreement in its protection days: notice, 48 hours to restore it, then claw-back or a dispute."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from services.campaigns.domain.collaboration.commands import (
    EndDeliverable,
    ExpireDeliverable,
    OpenDispute,
    Outcome,
    PublishContent,
    RecordClawBack,
    RefuseClawBack,
    RuleDispute,
    SettleDeliverable,
    TakeDownContent,
    VerifyContent,
)
from services.campaigns.domain.collaboration.deliverable import Stage
from services.campaigns.domain.collaboration.expiry import PATIENT_ATTEMPTS
from services.campaigns.domain.shared.budget import Budget
from services.campaigns.domain.shared.compensation import Compensation, CompensationKind
from services.campaigns.domain.shared.content_events import BreachCured, BreachNoticed, ContentPublished, Ruler
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.terms import Terms, check_terms
from services.campaigns.domain.shared.work_events import (
    Awaited,
    ClawBackOrdered,
    ClawBackRefused,
    CollaborationSettled,
    DeliverableClawedBack,
    DeliverableEscalated,
    DeliverableSettled,
    DisputeOpened,
    DisputeRuled,
)
from tests.kit.campaigns import (
    CAMPAIGN_ID,
    CREATOR,
    OPERATOR,
    PARTIES,
    SYSTEM,
    brief,
    contract,
)
from tests.unit.campaigns.working import (
    D1,
    LABEL,
    PAY,
    POST_URL,
    STREAM,
    VERIFIED,
    Step,
    contracted,
    day,
    decide,
    publish,
    run,
    rung,
    state_after,
)

SHARED = contract(rules=Terms(claw_back_bps=6_000))
GIFT = contract((0,), brief(compensation=Compensation(CompensationKind.GIFT)), Terms(claw_back_bps=6_000))
SETTLE: Step = (SYSTEM, SettleDeliverable(D1, "release", 95_001))
GOOD: Step = (SYSTEM, VerifyContent(D1, "look-9"))
AGAIN = publish("p2")
BOOKED: Step = (SYSTEM, RecordClawBack(D1, "claw", 30_000, 27_000))


UNPAID: Step = (SYSTEM, RefuseClawBack(D1, "claw", "escrow.not_released"))


def paid(value: Contract = SHARED) -> list[Step]:
    return [contracted(value), *VERIFIED[1:], PAY, SETTLE]


def bad(look_id: str = "look-2", looked_at: datetime | None = None) -> Step:
    return SYSTEM, TakeDownContent(D1, "content.gone", look_id, looked_at)


def rings(days: float) -> Step:
    return SYSTEM, ExpireDeliverable(D1, day(days))


BREACHED = [*paid(), bad()]
CLAWING = [*BREACHED, rings(2)]


@pytest.mark.parametrize(
    ("given", "when", "then", "at"),
    [
        pytest.param(paid(), bad(), [BreachNoticed(PARTIES, D1, "look-2", "content.gone", day(2))], 0, id="notice"),
        pytest.param(BREACHED, bad("look-3"), [], 1, id="one_notice"),
        pytest.param(BREACHED, GOOD, [BreachCured(PARTIES, D1, "look-9", Ruler.SYSTEM)], 1, id="restored_in_place"),
        pytest.param(BREACHED, AGAIN, [ContentPublished], 1, id="reported_once_more"),
        pytest.param(BREACHED, publish("p1"), [ContentPublished], 1, id="also_the_same_post"),
        pytest.param([*BREACHED, AGAIN], GOOD, [BreachCured], 1, id="and_seen_restored"),
        pytest.param([*BREACHED, AGAIN], bad("look-3"), [BreachNoticed], 1, id="or_seen_as_bad_as_before"),
        pytest.param(BREACHED, rings(2), [ClawBackOrdered], 2, id="the_contracts_share_is_clawed_back"),
        pytest.param(BREACHED, rings(1), [], 2, id="an_older_clock"),
        pytest.param([*paid(contract()), bad()], rings(2), [DisputeOpened], 2, id="no_share_a_dispute_decides"),
        pytest.param(CLAWING, BOOKED, [DeliverableClawedBack], 2, id="the_ledger_has_booked_it"),
        pytest.param([*CLAWING, BOOKED], BOOKED, [], 2, id="once"),
        pytest.param([*CLAWING, BOOKED], bad("look-4"), [], 3, id="no_second_notice"),
        pytest.param(
            CLAWING, UNPAID, [ClawBackRefused(PARTIES, D1, "claw", "escrow.not_released")], 2, id="or_refused"
        ),
        pytest.param([*CLAWING, UNPAID], UNPAID, [], 2, id="refused_once"),
        pytest.param([*CLAWING, UNPAID], bad("look-4"), [], 3, id="then_no_second_notice_either"),
        pytest.param([*CLAWING, UNPAID], rings(3), [], 4, id="and_no_clock"),
        pytest.param(BREACHED, UNPAID, [], 1, id="nothing_was_ordered_that_is_refused"),
        pytest.param(CLAWING, (CREATOR, UNPAID[1]), "actor.role_missing", 1, id="only_the_process_refuses"),
        pytest.param(BREACHED, BOOKED, "content.not_being_clawed_back", 1, id="nothing_was_ordered"),
        pytest.param(CLAWING, (CREATOR, BOOKED[1]), "actor.role_missing", 1, id="only_the_process_records"),
        pytest.param(BREACHED, SETTLE, [], 1, id="it_is_paid_already"),
        pytest.param(BREACHED, (SYSTEM, EndDeliverable(D1, "x", 0)), [], 1, id="and_not_in_escrow"),
        pytest.param(BREACHED, (CREATOR, OpenDispute("not_true")), [DisputeOpened], 1, id="the_creator_objects"),
        pytest.param(paid(), (CREATOR, OpenDispute("x")), "collaboration.not_running", 1, id="only_to_a_notice"),
    ],
)
def test_a_breach(given: Sequence[Step], when: Step, then: Any, at: float) -> None:
    run(given, when, then, at=day(at))


def test_the_collaboration_is_settled_all_the_while() -> None:
    assert [type(each) for each in decide([*VERIFIED, PAY], SETTLE)] == [
        DeliverableSettled, CollaborationSettled,
    ]  # fmt: skip
    assert state_after(BREACHED).status == state_after([*CLAWING, BOOKED]).status == "settled"


def test_protection_has_an_end() -> None:
    """30 days by default, counted to the look and not to its arrival."""
    run(paid(), bad(looked_at=day(30)), [], at=day(31))
    run(paid(), bad(looked_at=day(29.9)), [BreachNoticed], at=day(31))


def test_a_report_of_restoring_is_looked_at_also_after_the_protection_days() -> None:
    """Taken down on the last day and reported as restored on the next: the look decides, whenever it comes."""
    late = [*paid(), bad(looked_at=day(29.9))]
    run([*late, AGAIN], bad("look-3", day(31)), [BreachNoticed], at=day(31))


def test_the_share_is_of_what_reached_the_creator() -> None:
    (ordered,) = decide(BREACHED, rings(2), day(2))
    assert (ordered.share_bps, ordered.amount_minor, ordered.attempt) == (6_000, 57_000, 1)
    assert (ordered.reason, ordered.due_at) == ("content.gone", day(3))
    one = state_after([*CLAWING, BOOKED]).deliverables[0]
    assert (one.stage, one.clawed_back_minor, one.owed_minor) == (Stage.CLAWED_BACK, 57_000, 27_000)


def test_where_nothing_was_paid_nothing_is_taken() -> None:
    given = [contracted(GIFT), *VERIFIED[1:], PAY, bad()]
    made = decide(given, rings(2), day(2))
    assert [type(each) for each in made] == [ClawBackOrdered, DeliverableClawedBack]


def test_a_report_wins_no_time_when_the_post_is_as_bad_as_before() -> None:
    (noticed,) = decide([*BREACHED, AGAIN], bad("look-3"), day(1))
    assert noticed.due_at == day(2)
    (late,) = decide([*BREACHED, AGAIN], bad("look-3"), day(5))
    assert late.due_at == day(5)


def test_a_restored_post_is_protected_for_the_rest_of_its_days_and_not_paid_again() -> None:
    (again,) = decide(BREACHED, AGAIN, day(1.5))
    assert again.protection_s == 28.5 * 86_400
    assert state_after([*BREACHED, AGAIN]).deliverables[0].stage is Stage.CURING
    assert state_after([*BREACHED, AGAIN, GOOD]).deliverables[0].stage is Stage.SETTLED


def test_a_restored_post_that_nobody_looks_at_is_the_platforms_silence() -> None:
    (told,) = decide([*BREACHED, AGAIN], rings(7), day(8))
    assert (type(told), told.awaits) == (DeliverableEscalated, Awaited.PLATFORM)


def test_the_platforms_silence_about_a_restored_post_costs_nobody_and_ends() -> None:
    world = rung([*BREACHED, AGAIN], 500)
    assert world.row("deadlines", STREAM, D1) is None
    assert world.events[-1].event == BreachCured(PARTIES, D1, "", Ruler.CLOCK)


def test_a_claw_back_without_an_answer_is_asked_for_again_and_told_to_staff() -> None:
    world = rung(BREACHED, 60)
    asked = [fact.event.attempt for fact in world.events if isinstance(fact.event, ClawBackOrdered)]
    told = [fact.event.awaits for fact in world.events if isinstance(fact.event, DeliverableEscalated)]
    assert asked == list(range(1, len(asked) + 1))
    assert told == [Awaited.LEDGER] * (len(asked) - PATIENT_ATTEMPTS)
    assert world.row("deadlines", STREAM, D1) is not None


@pytest.mark.parametrize(
    ("ruling", "then"),
    [
        pytest.param(RuleDispute(Outcome.CANCEL, 2_500), [DisputeRuled, ClawBackOrdered], id="keeps_a_quarter"),
        pytest.param(RuleDispute(Outcome.CANCEL, 10_000), [DisputeRuled, BreachCured], id="keeps_all"),
        pytest.param(RuleDispute(Outcome.RESUME), [DisputeRuled, BreachCured], id="is_excused"),
    ],
)
def test_staff_rule_on_a_breach(ruling: RuleDispute, then: list[type]) -> None:
    world = rung([*paid(contract()), bad()], 3, [(OPERATOR, ruling)])
    made = [fact.event for fact in world.events][-len(then) :]
    assert [type(each) for each in made] == then
    assert world.state(STREAM).disputed_at is None
    if ruling.share_bps == 2_500:
        assert made[1].amount_minor == 71_250


def test_a_notice_that_was_objected_to_in_time_runs_on_after_the_ruling() -> None:
    made = decide([*BREACHED, (CREATOR, OpenDispute("not_true"))], (OPERATOR, RuleDispute(Outcome.RESUME)), day(3))
    assert [type(each) for each in made] == [DisputeRuled]
    assert [each.due_at for each in made[0].clocks] == [day(5)]


def test_what_a_dispute_stopped_of_a_notice_is_left_for_the_next_look_too() -> None:
    world = rung([*BREACHED, (CREATOR, OpenDispute("not_true"))], 3, [(OPERATOR, RuleDispute(Outcome.RESUME)), AGAIN])
    (noticed,) = world.execute(STREAM, bad("look-3", day(3))[1], SYSTEM)
    assert noticed.due_at == day(5)


def test_what_is_clawed_back_is_free_in_the_budget_again() -> None:
    world = rung(BREACHED, 2)
    world.put("budgets", (CAMPAIGN_ID,), Budget(CAMPAIGN_ID, PARTIES.brand_id, "published", "CNY", 500_000, 110_000))
    world.execute(STREAM, BOOKED[1], SYSTEM)
    assert world.row("budgets", CAMPAIGN_ID).committed_minor == 110_000 - 57_000


def test_terms_leave_48_hours_at_least() -> None:
    with pytest.raises(Exception, match=r"terms\.clock_out_of_range"):
        check_terms(replace(Terms(), clocks=replace(Terms().clocks, cure_s=3_600)))
    with pytest.raises(Exception, match=r"terms\.claw_back_out_of_range"):
        check_terms(Terms(claw_back_bps=10_001))


def test_the_label_stands_in_a_restored_post_too() -> None:
    bare = (CREATOR, PublishContent(D1, "p2", POST_URL, f"{LABEL} Another text"))
    run(BREACHED, bare, "content.text_differs_from_approved", at=day(1))
