"""Every end of the money ends the work, and the platform's own silence decides nothing: it is told to staff until it answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from services.campaigns.domain.collaboration.commands import (
    EndDeliverable,
    ExpireDeliverable,
    ExpireDispute,
    NotePaymentWait,
    OpenDispute,
    Outcome,
    RecordReview,
    RuleDispute,
    SettleDeliverable,
    WithdrawDispute,
)
from services.campaigns.domain.collaboration.deliverable import OVER, Stage
from services.campaigns.domain.collaboration.expiry import MAX_PAYMENT_ATTEMPTS, PATIENT_ATTEMPTS
from services.campaigns.domain.collaboration.standing import MAX_ESCALATIONS, escalation_s
from services.campaigns.domain.collaboration.state import State, Status
from services.campaigns.domain.shared.compensation import Compensation, CompensationKind
from services.campaigns.domain.shared.content_events import ContentReviewed, LabelPlacement, Verdict
from services.campaigns.domain.shared.terms import DAY_S
from services.campaigns.domain.shared.work_events import (
    Awaited,
    CollaborationCancelled,
    CollaborationSettled,
    DeliverableEscalated,
    DeliverableLapsed,
    DeliverableSettled,
    DisputeEscalated,
    DisputeOpened,
    DisputeRuled,
    Due,
    PaymentAuthorised,
    PaymentWaits,
)
from tests.kit.campaigns import BRAND, CREATOR, OPERATOR, SYSTEM, brief, contract
from tests.kit.decide import World
from tests.unit.campaigns.working import (
    APPROVED,
    D1,
    D2,
    FUND,
    FUNDED,
    IN_RULING,
    LABEL,
    PAYING,
    PUBLISHED,
    S1,
    SHIPPED,
    STREAM,
    SUBMITTED,
    TWO,
    VERIFIED,
    Step,
    contracted,
    day,
    decide,
    run,
    rung,
    state_after,
)

END: Step = (SYSTEM, EndDeliverable(D1, "escrow.expired", 110_000))
SETTLE: Step = (SYSTEM, SettleDeliverable(D1, "release", 95_000))
DISPUTE: Step = (CREATOR, OpenDispute("unpaid"))
BOTH = [contracted(TWO), FUND]
GIFT = contract((0,), brief(compensation=Compensation(CompensationKind.GIFT)))


def silent(deliverable: str, when: datetime) -> Step:
    return SYSTEM, ExpireDeliverable(deliverable, when)


def kinds(world: World) -> list[type]:
    return [type(fact.event) for fact in world.events]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([contracted()], id="before_it_is_funded"),
        pytest.param([contracted(SHIPPED), FUND], id="waiting_for_the_product"),
        pytest.param(FUNDED, id="open"),
        pytest.param(SUBMITTED, id="in_review"),
        pytest.param(IN_RULING, id="in_ruling"),
        pytest.param(APPROVED, id="approved"),
        pytest.param(PUBLISHED, id="published"),
        pytest.param(VERIFIED, id="owed"),
        pytest.param(PAYING, id="being_paid"),
    ],
)
def test_the_escrows_end_is_the_deliverables_end(given: Sequence[Step]) -> None:
    run(given, END, [DeliverableLapsed, CollaborationCancelled])
    run(given, SETTLE, [DeliverableSettled, CollaborationSettled])
    assert state_after([*given, END]).status is Status.CANCELLED


@pytest.mark.parametrize("end", [END, SETTLE])
def test_it_is_also_the_end_of_a_dispute_about_it(end: Step) -> None:
    made = decide([*VERIFIED, DISPUTE], end)
    assert (type(made[1]), made[1].outcome) == (DisputeRuled, "moot")
    assert state_after([*VERIFIED, DISPUTE, end]).dispute_due_at is None


def test_the_others_go_on() -> None:
    run(BOTH, END, [DeliverableLapsed])
    run([*BOTH, DISPUTE], END, [DeliverableLapsed])


def test_what_ended_before_the_work_began_is_not_begun() -> None:
    _, started = decide([contracted(TWO), END], FUND)
    assert [each.deliverable_id for each in started.clocks] == [D2]
    assert state_after([contracted(TWO), END, FUND]).deliverables[0].stage is Stage.ENDED


def test_it_costs_what_did_not_come_back() -> None:
    (lapsed, _) = decide(VERIFIED, (SYSTEM, EndDeliverable(D1, "staff.decided", 90_000)))
    assert (lapsed.ended.kill_fee_minor, lapsed.freed_minor) == (20_000, 90_000)


def test_only_the_process_ends_it_and_only_once() -> None:
    run(FUNDED, (BRAND, END[1]), "actor.role_missing")
    run([*PAYING, SETTLE], END, [])
    run([*PAYING, END], SETTLE, "content.not_being_paid")


@pytest.mark.parametrize(
    ("given", "awaits"),
    [
        pytest.param(SUBMITTED, Awaited.COMPLIANCE, id="no_verdict"),
        pytest.param(PUBLISHED, Awaited.PLATFORM, id="no_look"),
        pytest.param(IN_RULING, Awaited.STAFF, id="no_ruling"),
    ],
)
def test_the_platforms_silence_costs_neither_party(given: Sequence[Step], awaits: Awaited) -> None:
    """Nothing ends, nothing is paid, nobody's clock runs: staff are told after 7 days, then ever more rarely."""
    world = rung(given, 380)
    told = [fact.event for fact in world.events if isinstance(fact.event, DeliverableEscalated)]
    assert [each.escalations for each in told] == list(range(1, len(told) + 1))
    assert {each.awaits for each in told} == {awaits}
    assert len(told) == 17
    state: State = world.state(STREAM)
    assert (state.status, state.awaits) == (Status.FUNDED, awaits)
    assert not {DeliverableLapsed, DeliverableSettled, CollaborationCancelled} & set(kinds(world))


def test_an_unanswered_payment_is_asked_for_ever_more_rarely_and_staff_are_told() -> None:
    """No attempt is the last: each sets the next clock. The escrow's own end comes within 400 days."""
    world = rung(VERIFIED, 400)
    asked = [fact.event.attempt for fact in world.events if isinstance(fact.event, PaymentAuthorised)]
    told = [fact.event for fact in world.events if isinstance(fact.event, DeliverableEscalated)]
    assert asked == list(range(1, len(asked) + 1))
    assert len(asked) < MAX_PAYMENT_ATTEMPTS
    assert [each.awaits for each in told] == [Awaited.LEDGER] * (len(asked) - PATIENT_ATTEMPTS)
    assert world.row("deadlines", STREAM, D1) is not None


WAITS: Step = (SYSTEM, NotePaymentWait(D1, "tax.residence_unknown"))


def test_what_only_the_payee_can_give_is_no_silence_of_the_platform_s() -> None:
    """The payee is reminded ever more rarely, nobody is paged, and the payment comes by itself."""
    world = rung([*PAYING, WAITS], 200)
    told = [fact.event for fact in world.events if isinstance(fact.event, PaymentWaits)]
    assert [each.reminders for each in told] == list(range(len(told)))
    assert len(told) > 5
    assert DeliverableEscalated not in kinds(world)
    assert world.state(STREAM).awaits == ""
    assert kinds(world).count(PaymentAuthorised) == 1
    world.execute(STREAM, SettleDeliverable(D1, "release", 95_000), SYSTEM)
    one = world.state(STREAM).deliverables[0]
    assert (one.stage, one.waits_for) == (Stage.SETTLED, "")


def test_a_wait_is_noted_once_and_of_a_payment_only() -> None:
    run([*PAYING, WAITS], WAITS, [])
    run(VERIFIED, WAITS, [])
    run(PAYING, (BRAND, WAITS[1]), "actor.role_missing")
    run([*PAYING, WAITS], (SYSTEM, NotePaymentWait(D1, "tax.rate_unknown")), [PaymentWaits])


def test_a_rate_that_is_missing_is_the_platform_s_silence() -> None:
    world = rung([*PAYING, (SYSTEM, NotePaymentWait(D1, "tax.rate_unknown"))], 20)
    assert world.state(STREAM).awaits == "ledger"


def test_a_late_verdict_counts_and_the_brands_time_is_whole() -> None:
    review = RecordReview(D1, S1, Verdict.CLEAR, 0, LABEL, LabelPlacement.TEXT_START)
    world = rung(SUBMITTED, 40, [(SYSTEM, review)])
    reviewed = world.events[-1].event
    assert isinstance(reviewed, ContentReviewed)
    assert reviewed.due_at == day(45)
    assert world.state(STREAM).awaits == ""


def test_where_no_money_is_held_a_year_of_silence_ends_it() -> None:
    world = rung([contracted(GIFT), *SUBMITTED[1:]], 500)
    lapsed = [fact.event for fact in world.events if isinstance(fact.event, DeliverableLapsed)]
    assert [each.reason for each in lapsed] == ["platform.silent"]


def test_a_pause_grows_to_a_month() -> None:
    assert [escalation_s(n) // DAY_S for n in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert 350 < 7 + sum(escalation_s(n) for n in range(MAX_ESCALATIONS)) // DAY_S < 400


def test_a_dispute_has_a_clock() -> None:
    (opened,) = decide(FUNDED, DISPUTE)
    assert opened.due_at == day(14)
    (told,) = decide([*FUNDED, DISPUTE], (SYSTEM, ExpireDispute(day(14))), day(14))
    assert (type(told), told.escalations, told.due_at) == (DisputeEscalated, 1, day(15))
    run([*FUNDED, DISPUTE], (SYSTEM, ExpireDispute(day(13))), [], at=day(14))
    run([*FUNDED, DISPUTE], (BRAND, ExpireDispute(day(14))), "actor.role_missing")


def test_staffs_silence_decides_no_dispute_for_months_then_the_work_goes_on() -> None:
    world = rung([*VERIFIED, DISPUTE], 330)
    assert world.state(STREAM).awaits == "staff"
    assert set(kinds(world)[-10:]) == {DisputeEscalated}
    world = rung([*VERIFIED, DISPUTE], 376)
    (ruled,) = [fact.event for fact in world.events if isinstance(fact.event, DisputeRuled)]
    assert (ruled.outcome, [each.deliverable_id for each in ruled.clocks]) == ("resume", [D1])


def test_a_payment_that_was_asked_for_goes_on_in_a_dispute() -> None:
    """The ledger was asked before the dispute began: it is asked again, and its clock is not moved by the ruling."""
    paying = [contracted(TWO), *PAYING[1:], DISPUTE]
    (again,) = decide(paying, (SYSTEM, ExpireDeliverable(D1, day(1))), day(1))
    assert again.attempt == 2
    (ruled,) = decide(paying, (OPERATOR, RuleDispute(Outcome.RESUME)), day(3))
    assert ruled.clocks == (Due(D2, day(17)),)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([*FUNDED, DISPUTE], (CREATOR, WithdrawDispute()), [DisputeRuled], id="by_who_opened_it"),
        pytest.param(
            [*FUNDED, DISPUTE],
            (BRAND, WithdrawDispute()),
            "collaboration.only_who_opened_the_dispute",
            id="not_the_other",
        ),
        pytest.param(FUNDED, (CREATOR, WithdrawDispute()), "collaboration.not_disputed", id="where_there_is_one"),
    ],
)
def test_a_dispute_is_withdrawn(given: Sequence[Step], when: Step, then: Any) -> None:
    run(given, when, then)


def test_staff_may_open_a_dispute_where_the_platform_is_silent() -> None:
    late = [*SUBMITTED, silent(D1, day(7))]
    run(late, (OPERATOR, OpenDispute("platform.silent")), [DisputeOpened], at=day(8))
    run(SUBMITTED, (OPERATOR, OpenDispute("platform.silent")), "collaboration.only_the_parties")


def test_over_has_no_clock() -> None:
    for given in ([*PAYING, SETTLE], [*FUNDED, END]):
        assert all(one.stage in OVER and one.due_at is None for one in state_after(given).deliverables)
