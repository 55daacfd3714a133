"""Funding, review and settlement: the story, every way back, and silence for what is late or repeated."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kernel.core.canonical import Hashed
from kernel.core.events import CommandRefused, Delivered
from kernel.core.ids import derived_id
from services.campaigns.domain.funding.causes import EscrowHeld, EscrowRefused, RefundIssued
from services.campaigns.domain.funding.events import (
    ContractRequested,
    EndRequested,
    EscrowConfirmed,
    EscrowRequested,
    EscrowUncovered,
    FundingCompleted,
    FundingFailed,
    FundingRequested,
    FundingStopped,
    FundingWaitNoted,
    ReleaseRequested,
    ReturnRequested,
)
from services.campaigns.domain.review import review
from services.campaigns.domain.review.causes import DisclosureAttached, ReviewCompleted
from services.campaigns.domain.review.events import LabelNoted, ReviewPassedOn, ReviewRequested, VerdictNoted
from services.campaigns.domain.settlement import settlement
from services.campaigns.domain.settlement.causes import ContentLookedAt, PaymentReleased
from services.campaigns.domain.settlement.events import (
    PartPaid,
    PaymentRequested,
    SettlementRequested,
    TakeDownRequested,
    VerificationRequested,
)
from services.campaigns.domain.shared.compensation import Compensation, CompensationKind
from services.campaigns.domain.shared.content_events import LabelPlacement, Verdict
from services.campaigns.domain.shared.events import ApplicationAccepted, CampaignPaused, Side
from services.campaigns.domain.shared.floors import escrow_life_s
from services.campaigns.domain.shared.funding_events import FundingRetried
from services.campaigns.domain.shared.requests import RequestRefused
from services.campaigns.domain.shared.terms import LadderStage, Terms
from services.campaigns.domain.shared.work_events import (
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationFunded,
    DeliverableLapsed,
    Ended,
)
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import APPLICATION_ID, NOON, PARTIES, SYSTEM, brief, contract
from tests.kit.decide import check
from tests.unit.campaigns.working import D1, D2, FUNDED, PAYING, S1, TWO, VERIFIED, decide, submit

AGREED = Hashed.of(TWO)
FIRST = "fees@2025-01-01"
SEAL = AGREED.sha256
GIVEN = Hashed.of(contract((0,), brief(compensation=Compensation(CompensationKind.GIFT))))
OLD = Hashed.of(replace(TWO, terms=Hashed.of(Terms(brand_fee_bps=0, creator_fee_bps=500))))
LIFE_S = escrow_life_s(Terms())
UNNAMED = [EscrowRequested(APPLICATION_ID, PARTIES, each.deliverable_id, each.fee_minor, each.brand_fee_minor, "CNY", "CN", "",
                           LIFE_S) for each in TWO.deliverables]  # fmt: skip
HELD = [EscrowConfirmed(D1), EscrowConfirmed(D2)]
ASKED = [EscrowRequested(APPLICATION_ID, PARTIES, each.deliverable_id, each.fee_minor, each.brand_fee_minor, "CNY", "CN", FIRST,
                         LIFE_S) for each in TWO.deliverables]  # fmt: skip
CONTRACTING = [ContractRequested(AGREED, SEAL)]
HOLDING = [*CONTRACTING, *ASKED]
FUNDING = [*HOLDING, *HELD, FundingRequested(APPLICATION_ID)]
DONE = [*FUNDING, FundingCompleted()]
NOTED = RequestRefused("id", "HoldEscrow", "escrow.not_covered")
FAILED = FundingFailed(APPLICATION_ID, "escrow.not_covered")


UNCOVERED = EscrowRefused(APPLICATION_ID, D2, "escrow.not_covered")
MISSING, WAITS = (
    EscrowUncovered(D2, "escrow.not_covered"),
    FundingWaitNoted(APPLICATION_ID, "escrow.not_covered", 55_000, "CNY", 1),
)
AGAIN = replace(ASKED[1], attempt=2)
RETRIED = [*HOLDING, HELD[0], MISSING, WAITS, AGAIN]


def caused(event: Any, stream: str = f"collaboration-{APPLICATION_ID}") -> Delivered[Any]:
    return Delivered("campaigns", f"{stream}@1", stream, 1, 1, "tenant", NOON, event)


def ended(deliverable_id: str, kill_fee_minor: int = 0) -> Ended:
    return Ended(deliverable_id, LadderStage.AFTER_DRAFT, 5_000, 100_000, 10_000, kill_fee_minor, 110_000)


def back(deliverable_id: str, reason: str, kill_fee_minor: int = 0) -> ReturnRequested:
    return ReturnRequested(APPLICATION_ID, PARTIES, deliverable_id, kill_fee_minor, 0, "CNY", reason)


def refused(category: str, command: str = "HoldEscrow") -> CommandRefused:
    return CommandRefused("id", f"{category}-{APPLICATION_ID}", command, "escrow.not_covered", "{}")


ACCEPTED = ApplicationAccepted(Side.BRAND, AGREED, SEAL)
CONTRACTED = CollaborationContracted(AGREED, SEAL, NOON)
CANCELLED = CollaborationCancelled(PARTIES, "brand", "budget_cut", True, 0, "CNY", (ended(D1, 50_000), ended(D2)))  # type: ignore[arg-type]
STOPPED = FundingStopped("budget_cut")


def refunded(deliverable_id: str = D1, reason: str = "escrow.expired") -> RefundIssued:
    return RefundIssued(APPLICATION_ID, deliverable_id, reason, 110_000, "CNY")


END = EndRequested(APPLICATION_ID, D1, "escrow.expired", 110_000, "CNY")


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([], ACCEPTED, CONTRACTING, id="accepted_asks_for_the_contract"),
        pytest.param(HOLDING, ACCEPTED, [], id="accepted_late"),
        pytest.param(CONTRACTING, CONTRACTED, ASKED, id="contracted_asks_for_each_escrow"),
        pytest.param(CONTRACTING, CollaborationContracted(OLD, "", NOON), UNNAMED, id="fees_of_before_have_no_policy"),
        pytest.param(CONTRACTING, CollaborationContracted(GIVEN, "", NOON), [FundingRequested(APPLICATION_ID)], id="gift"),
        pytest.param(FUNDING, CONTRACTED, [], id="contracted_late"),
        pytest.param(HOLDING, EscrowHeld(APPLICATION_ID, D1), HELD[:1], id="one_is_held"),
        pytest.param([*HOLDING, HELD[0]], EscrowHeld(APPLICATION_ID, D2), FUNDING[-2:], id="the_last_is_held"),
        pytest.param([*HOLDING, HELD[0]], EscrowHeld(APPLICATION_ID, D1), [], id="held_twice"),
        pytest.param([], EscrowHeld(APPLICATION_ID, D1), [], id="held_for_nobody"),
        pytest.param([*HOLDING, HELD[0]], UNCOVERED, [MISSING, WAITS], id="not_covered_waits"),
        pytest.param(HOLDING, UNCOVERED, [MISSING], id="once_all_have_answered"),
        pytest.param([*HOLDING, MISSING], EscrowHeld(APPLICATION_ID, D1), [HELD[0], WAITS], id="in_any_order"),
        pytest.param([*HOLDING, HELD[0], MISSING, WAITS], UNCOVERED, [], id="not_covered_twice"),
        pytest.param([*HOLDING, HELD[0], MISSING, WAITS], FundingRetried(PARTIES, 2), [AGAIN], id="asks_for_the_rest"),
        pytest.param(RETRIED, EscrowHeld(APPLICATION_ID, D2), FUNDING[-2:], id="a_covered_retry_goes_on"),
        pytest.param(RETRIED, UNCOVERED, [MISSING, replace(WAITS, attempt=2)], id="or_waits_again"),
        pytest.param(HOLDING, FundingRetried(PARTIES, 2), [], id="asks_not_while_it_is_asking"),
        pytest.param(DONE, FundingRetried(PARTIES, 2), [], id="nor_once_all_is_held"),
        pytest.param([*HOLDING, HELD[0], MISSING, WAITS], CANCELLED, [back(D1, "budget_cut", 50_000), STOPPED],
                     id="cancelled_waiting"),
        pytest.param([*RETRIED, STOPPED], EscrowHeld(APPLICATION_ID, D2), [HELD[1], back(D2, "budget_cut")],
                     id="covered_too_late_goes_back"),
        pytest.param(DONE, EscrowRefused(APPLICATION_ID, D2, "escrow.not_covered"), [], id="refused_late"),
        pytest.param([*HOLDING, FAILED], EscrowHeld(APPLICATION_ID, D1),
                     [HELD[0], back(D1, "escrow.not_covered")], id="held_too_late_goes_back"),
        pytest.param([*HOLDING, FAILED], CANCELLED, [], id="cancelled_as_it_asked"),
        pytest.param(FUNDING, CollaborationFunded(PARTIES, 1, "CNY", None), [FundingCompleted()], id="funded"),
        pytest.param(DONE, CollaborationFunded(PARTIES, 1, "CNY", None), [], id="funded_twice"),
        pytest.param([*HOLDING, HELD[0]], CANCELLED, [back(D1, "budget_cut", 50_000), STOPPED], id="cancelled_holding"),
        pytest.param(DONE, CANCELLED, [back(D1, "budget_cut", 50_000), back(D2, "budget_cut"), STOPPED], id="cancelled"),
        pytest.param(DONE, DeliverableLapsed(PARTIES, "content.draft_overdue", ended(D1), 0, "CNY"),
                     [back(D1, "content.draft_overdue")], id="lapsed"),
        pytest.param([*DONE, back(D1, "content.draft_overdue")], CANCELLED,
                     [back(D2, "budget_cut"), STOPPED], id="what_lapsed_is_not_returned_again"),
        pytest.param([], DeliverableLapsed(PARTIES, "x", ended(D1), 0, "CNY"), [], id="lapsed_for_nobody"),
        pytest.param(DONE, refunded(), [END], id="the_ledger_ends_an_escrow"),
        pytest.param([*DONE, END], refunded(), [], id="which_is_heard_once"),
        pytest.param([*DONE, STOPPED], refunded(), [END], id="what_outlived_a_cancellation_ends_too"),
        pytest.param([*DONE, END], DeliverableLapsed(PARTIES, "escrow.expired", ended(D1), 0, "CNY"), [],
                     id="what_the_ledger_ended_is_not_asked_back"),
        pytest.param([*DONE, back(D1, "budget_cut")], refunded(), [], id="as_it_was_asked_to"),
        pytest.param([*HOLDING, HELD[0]], refunded(), [END, FundingFailed(APPLICATION_ID, "escrow.expired")],
                     id="before_the_work_begins_the_whole_is_called_off"),
        pytest.param([*HOLDING, *HELD], refunded(),
                     [END, back(D2, "escrow.expired"), FundingFailed(APPLICATION_ID, "escrow.expired")],
                     id="and_the_rest_returned"),
        pytest.param([], refunded(), [], id="refunded_for_nobody"),
        pytest.param(CONTRACTING, refused("funding"),
                     [NOTED, ReleaseRequested(APPLICATION_ID, "escrow.not_covered")], id="no_contract"),
        pytest.param([*HOLDING, HELD[0]], refused("funding"),
                     [NOTED, back(D1, "escrow.not_covered"), FAILED], id="hold_refused"),
        pytest.param(FUNDING, refused("funding"),
                     [NOTED, back(D1, "escrow.not_covered"), back(D2, "escrow.not_covered"), FAILED], id="fund_refused"),
        pytest.param(DONE, refused("funding"), [NOTED], id="nothing_to_undo"),
        pytest.param([], CampaignPaused("x"), [], id="not_its_business"),
    ],
)  # fmt: skip
def test_funding(given: Sequence[Any], when: Any, then: Sequence[Any]) -> None:
    check(SERVICE, given, caused(when), then, at=NOON, actor=SYSTEM, stream=f"funding-{APPLICATION_ID}")


SUBMISSION = decide(FUNDED, submit())[0]
REVIEWING = [ReviewRequested(APPLICATION_ID, SUBMISSION)]
PLACED = LabelPlacement.TEXT_START
LABELLED, CLEAR = LabelNoted("ad", PLACED), VerdictNoted(Verdict.CLEAR, 1)


def passed_on(verdict: Verdict, label: str = "", placement: LabelPlacement | None = None) -> ReviewPassedOn:
    return ReviewPassedOn(APPLICATION_ID, D1, S1, verdict, 1, label, placement)


WAITING = [*REVIEWING, passed_on(Verdict.NEEDS_HUMAN)]


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([], SUBMISSION, REVIEWING, id="a_draft_is_reviewed"),
        pytest.param(REVIEWING, ReviewCompleted(S1, Verdict.CLEAR, 1), [CLEAR], id="clear_waits_for_its_label"),
        pytest.param([*REVIEWING, CLEAR], DisclosureAttached(S1, "ad", PLACED),
                     [passed_on(Verdict.CLEAR, "ad", PLACED)], id="the_label_comes"),
        pytest.param(REVIEWING, DisclosureAttached(S1, "ad", PLACED), [LABELLED], id="the_label_comes_first"),
        pytest.param([*REVIEWING, LABELLED], ReviewCompleted(S1, Verdict.CLEAR, 1),
                     [passed_on(Verdict.CLEAR, "ad", PLACED)], id="then_the_verdict"),
        pytest.param(REVIEWING, ReviewCompleted(S1, Verdict.BLOCKED, 1), [passed_on(Verdict.BLOCKED)], id="blocked"),
        pytest.param(REVIEWING, ReviewCompleted(S1, Verdict.NEEDS_HUMAN, 1), WAITING[1:], id="needs_a_human"),
        pytest.param([*WAITING, LABELLED], ReviewCompleted(S1, Verdict.CLEAR, 1),
                     [passed_on(Verdict.CLEAR, "ad", PLACED)], id="the_human_clears"),
        pytest.param(WAITING, ReviewCompleted(S1, Verdict.BLOCKED, 1), [passed_on(Verdict.BLOCKED)], id="or_blocks"),
        pytest.param([*REVIEWING, passed_on(Verdict.BLOCKED)], ReviewCompleted(S1, Verdict.CLEAR, 1), [], id="blocked_is"),
        pytest.param([], ReviewCompleted(S1, Verdict.CLEAR, 1), [], id="a_verdict_for_nobody"),
        pytest.param([], DisclosureAttached(S1, "ad", PLACED), [], id="a_label_for_nobody"),
        pytest.param([], CampaignPaused("x"), [], id="not_its_business"),
    ],
)  # fmt: skip
def test_review(given: Sequence[Any], when: Any, then: Sequence[Any]) -> None:
    check(SERVICE, given, caused(when), then, at=NOON, actor=SYSTEM, stream=f"review-{S1}")


(AUTHORISED,) = decide(VERIFIED, PAYING[-1])
RELEASE = derived_id("release", D1)
PAY = PaymentRequested(APPLICATION_ID, PARTIES, D1, RELEASE, 1, 100_000, 10_000, 0, "CNY")
PAID = PaymentReleased(APPLICATION_ID, D1, RELEASE, 95_000, "CNY")
PART = PartPaid("by hand", 40_000)
SETTLED = SettlementRequested(APPLICATION_ID, D1, RELEASE, 95_000, "CNY")


def look(found: bool = True, label: bool = True, text: bool = True, look_id: str = "l1") -> ContentLookedAt:
    return ContentLookedAt(APPLICATION_ID, D1, look_id, found, label, text)


def taken_down(reason: str, look_id: str = "l1") -> TakeDownRequested:
    return TakeDownRequested(APPLICATION_ID, D1, look_id, reason)


SEEN = VerificationRequested(APPLICATION_ID, D1, "l1")


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([], look(), [SEEN], id="a_good_look_verifies"),
        pytest.param([SEEN], look(look_id="l2"), [], id="once"),
        pytest.param([], look(found=False, label=False), [taken_down("content.gone")], id="gone"),
        pytest.param([], replace(look(found=False), unreadable="platform.answer_malformed"), [], id="costs_nobody"),
        pytest.param([], look(label=False), [taken_down("content.label_missing")], id="without_its_label"),
        pytest.param([SEEN], look(text=False, look_id="l2"), [taken_down("content.text_changed", "l2")], id="changed"),
        pytest.param([taken_down("content.gone", "l0")], look(), [SEEN], id="up_again"),
        pytest.param(
            [SETTLED], look(found=False, label=False), [taken_down("content.gone")], id="after_the_payment_too"
        ),
        pytest.param([SEEN], AUTHORISED, [PAY], id="asks_for_the_payment"),
        pytest.param([SEEN, PAY, SETTLED], AUTHORISED, [], id="paid_already"),
        pytest.param([PAY], PAID, [SETTLED], id="settles"),
        pytest.param(
            [], PaymentReleased(APPLICATION_ID, D1, "by hand", 40_000, "CNY", True), [PART], id="a_part_by_hand"
        ),
        pytest.param(
            [PART], PaymentReleased(APPLICATION_ID, D1, "by hand", 40_000, "CNY", True), [], id="that_part_once"
        ),
        pytest.param(
            [PART], PAID, [SettlementRequested(APPLICATION_ID, D1, RELEASE, 135_000, "CNY")], id="with_the_rest"
        ),
        pytest.param([], CampaignPaused("x"), [], id="not_its_business"),
    ],
)
def test_settlement(given: Sequence[Any], when: Any, then: Sequence[Any]) -> None:
    check(SERVICE, given, caused(when), then, at=NOON, actor=SYSTEM, stream=f"settlement-{D1}")


@pytest.mark.parametrize("process", [review.REVIEW, settlement.SETTLEMENT])
def test_refusals_are_noted(process: Any) -> None:
    cause = caused(refused(process.category))
    check(SERVICE, [], cause, [NOTED], at=NOON, actor=SYSTEM, stream=f"{process.category}-{S1}")


def test_a_refused_verification_is_tried_at_the_next_look() -> None:
    state = settlement.SETTLEMENT.initial
    for event in (SEEN, RequestRefused("id", "VerifyContent", "content.not_published")):
        state = settlement.evolve(state, event)
    (again,) = settlement.decide(caused(look(look_id="l2")), state, None)  # type: ignore[arg-type]
    assert isinstance(again, VerificationRequested)
