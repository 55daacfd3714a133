"""Disputes and amendments: what freezes, what goes on, and what binds by consent alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kernel.core.decider import DecidedEvent, GivenRows
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.domain.collaboration.commands import (
    CancelCollaboration,
    ConsentToAmendment,
    ExpireCollaboration,
    OpenDispute,
    Outcome,
    RuleDispute,
    TakeDownContent,
)
from services.campaigns.domain.shared.brief import Freedom
from services.campaigns.domain.shared.content_events import Ruler
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.domain.shared.work_events import (
    AmendmentConsented,
    CollaborationCancelled,
    DisputeOpened,
    DisputeRuled,
    Due,
)
from services.campaigns.process import clocks
from tests.kit.campaigns import (
    BRAND,
    BRIEF,
    CREATOR,
    NOON,
    OPERATOR,
    PARTIES,
    SERUM,
    SYSTEM,
    brief,
)
from tests.unit.campaigns.working import (
    APPROVED,
    CLEARED,
    D1,
    FUND,
    FUNDED,
    ONE,
    PAYING,
    PUBLISHED,
    RECEIVE,
    SEND,
    SHIPPED,
    STREAM,
    SUBMITTED,
    VERIFIED,
    VERIFY,
    Step,
    approve,
    contracted,
    day,
    decide,
    publish,
    review,
    revise,
    run,
    rung,
    state_after,
    submit,
)

CANCEL: Step = (BRAND, CancelCollaboration("budget_cut"))
DISPUTE: Step = (CREATOR, OpenDispute("unpaid"))
RESUME: Step = (OPERATOR, RuleDispute(Outcome.RESUME))
SHIPPING = [contracted(SHIPPED), FUND]


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param(FUNDED, DISPUTE, [DisputeOpened], id="opens"),
        pytest.param(FUNDED, (OPERATOR, DISPUTE[1]), "collaboration.only_the_parties", id="staff_dispute_nothing"),
        pytest.param([*FUNDED, CANCEL], DISPUTE, "collaboration.not_running", id="not_after_the_end"),
        pytest.param(PAYING, DISPUTE, "collaboration.nothing_to_dispute", id="not_while_being_paid"),
        pytest.param([*FUNDED, DISPUTE], RESUME, [DisputeRuled], id="resumes"),
        pytest.param([*SHIPPING, DISPUTE], RESUME, [DisputeRuled], id="resumes_waiting_for_a_product"),
        pytest.param(
            [*VERIFIED, DISPUTE],
            (OPERATOR, RuleDispute(Outcome.CANCEL, 2_500)),
            [DisputeRuled, CollaborationCancelled],
            id="cancels",
        ),
        pytest.param(FUNDED, RESUME, "collaboration.not_disputed", id="rules_what_is_disputed"),
        pytest.param([*FUNDED, DISPUTE], (BRAND, RESUME[1]), "actor.role_missing", id="parties_rule_not"),
        pytest.param(
            [*FUNDED, DISPUTE],
            (OPERATOR, RuleDispute(Outcome.CANCEL, 10_001)),
            "dispute.share_out_of_range",
            id="share",
        ),
        pytest.param(
            [*SHIPPING, DISPUTE], (SYSTEM, ExpireCollaboration(day(14))), [], id="stops_the_clock_of_the_whole"
        ),
    ],
)
def test_disputes(given: Sequence[Step], when: Step, then: Sequence[Any] | str) -> None:
    run(given, when, then)


def test_stopped_clocks_go_on_with_the_time_they_had_left() -> None:
    (ruled,) = decide([*FUNDED, DISPUTE], RESUME, at=day(10))
    assert ruled.clocks == (Due(D1, day(24)),)


CLOCKS = Terms().clocks


def meanwhile(given: Sequence[Step], step: Step) -> DisputeRuled:
    """The step on the sixth day of a dispute that is ruled on the tenth."""
    world = rung([*given, DISPUTE], 6, [step])
    world.at = day(10)
    (ruled,) = world.execute(STREAM, RESUME[1], OPERATOR)
    assert isinstance(ruled, DisputeRuled)
    return ruled


@pytest.mark.parametrize(
    ("given", "step", "whole_s"),
    [
        pytest.param(FUNDED, submit(), CLOCKS.compliance_s, id="a_draft"),
        pytest.param(SUBMITTED, review(), CLOCKS.brand_review_s, id="a_verdict"),
        pytest.param(CLEARED, revise(), CLOCKS.revision_s, id="a_revision"),
        pytest.param(CLEARED, approve(), CLOCKS.publish_s, id="an_approval"),
        pytest.param(APPROVED, publish(), CLOCKS.verify_s, id="a_publication"),
        pytest.param(PUBLISHED, VERIFY, CLOCKS.settlement_delay_s, id="a_look"),
        pytest.param(VERIFIED, (SYSTEM, TakeDownContent(D1, "content.gone", "l")), CLOCKS.revision_s, id="a_bad_look"),
    ],
)
def test_a_clock_set_while_a_dispute_is_open_has_just_its_time_after_the_ruling(
    given: Sequence[Step], step: Step, whole_s: int
) -> None:
    assert meanwhile(given, step).clocks == (Due(D1, day(10) + timedelta(seconds=whole_s)),)


def test_so_has_the_clock_of_a_product_and_that_of_the_work_it_begins() -> None:
    assert meanwhile(SHIPPING, SEND).product_due_at == day(10) + timedelta(seconds=CLOCKS.product_s)
    assert meanwhile([*SHIPPING, SEND], RECEIVE).clocks == (Due(D1, day(10) + timedelta(seconds=CLOCKS.draft_s)),)


def test_a_dispute_of_before_it_named_its_time_has_a_clock_too() -> None:
    old = DisputeOpened(PARTIES, Ruler.BRAND, "unpaid", NOON)
    ((key, row),) = clocks.fold(DecidedEvent(STREAM, "tenant", 9, NOON, old), GivenRows({}))
    assert row is not None
    assert (key, row.due_at) == ((STREAM, "dispute"), day(14))
    assert COLLABORATION.evolve(state_after(FUNDED), old).dispute_due_at == day(14)


def test_a_ruling_names_its_price() -> None:
    _, cancelled = decide([*VERIFIED, DISPUTE], (OPERATOR, RuleDispute(Outcome.CANCEL, 2_500)))
    assert [each.kill_fee_minor for each in cancelled.deliverables] == [25_000]


FREER = brief(creative_freedom=Freedom.HIGH)
CONSENT: Step = (CREATOR, ConsentToAmendment(2))


def test_an_amendment_binds_by_consent_alone() -> None:
    run(FUNDED, CONSENT, [AmendmentConsented], value=FREER, version=2)
    (consented,) = decide(FUNDED, CONSENT, value=FREER, version=2)
    assert consented.contract.value.brief.value == replace(FREER, budget_minor=0), "the budget is no part of the deal"
    assert consented.contract.value.deliverables == ONE.deliverables
    assert state_after(FUNDED).contract.value.brief.value == replace(BRIEF, budget_minor=0)


@pytest.mark.parametrize(
    ("given", "when", "value", "code"),
    [
        pytest.param(FUNDED, (BRAND, CONSENT[1]), FREER, "collaboration.only_the_creator", id="the_creators"),
        pytest.param(FUNDED, (CREATOR, ConsentToAmendment(3)), FREER, "collaboration.brief_amended", id="as_read"),
        pytest.param([*FUNDED, CANCEL], CONSENT, FREER, "collaboration.not_running", id="while_it_runs"),
        pytest.param(
            FUNDED, CONSENT, brief(products=(SERUM,)), "collaboration.amendment_changes_the_deal", id="another_deal"
        ),
    ],
)
def test_consents_refused(given: Sequence[Step], when: Step, value: Any, code: str) -> None:
    run(given, when, code, value=value, version=2)
