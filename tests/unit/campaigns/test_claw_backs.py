"""Claw-backs in the processes: what settlement asks of the ledger and hears from it, and the sanction after repeats."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from kernel.core.events import CommandRefused, Delivered
from services.campaigns.domain.conduct import conduct
from services.campaigns.domain.conduct.events import SanctionRequested, StrikeCounted
from services.campaigns.domain.settlement.causes import ContentLookedAt, PaymentClawedBack
from services.campaigns.domain.settlement.events import (
    ClawBackConfirmed,
    ClawBackFailed,
    ClawBackRequested,
    SettlementRequested,
    TakeDownRequested,
    VerificationRequested,
)
from services.campaigns.domain.shared.requests import RequestRefused
from services.campaigns.domain.shared.work_events import (
    ClawBackOrdered,
)
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import (
    APPLICATION_ID,
    CREATOR_ID,
    NOON,
    PARTIES,
    SYSTEM,
)
from tests.kit.decide import check
from tests.unit.campaigns.working import (
    D1,
    STREAM,
    day,
)


def caused(event: Any, at: datetime = NOON, number: int = 1) -> Delivered[Any]:
    return Delivered("campaigns", f"{STREAM}@{number}", STREAM, number, number, "tenant", at, event)


def looked(found: bool) -> ContentLookedAt:
    return ContentLookedAt(APPLICATION_ID, D1, "l2", found, found, found, day(5))


PAID = SettlementRequested(APPLICATION_ID, D1, "release", 95_001, "CNY")
SEEN = VerificationRequested(APPLICATION_ID, D1, "l1")
DOWN = TakeDownRequested(APPLICATION_ID, D1, "l2", "content.gone", day(5))
ORDERED = ClawBackOrdered(PARTIES, D1, "claw", 1, 6_000, 57_000, "CNY", "content.gone", day(3))
REQUESTED = ClawBackRequested(APPLICATION_ID, PARTIES, D1, "claw", 1, 57_000, "CNY", "content.gone")
ANSWER = PaymentClawedBack(APPLICATION_ID, D1, "claw", 30_000, 27_000, "CNY")
NOT_RELEASED = CommandRefused("c1", f"settlement-{D1}", "ClawBackPayment", "escrow.not_released", "{}")
NOTED = RequestRefused("c1", "ClawBackPayment", "escrow.not_released")
FAILED = ClawBackFailed(APPLICATION_ID, D1, "claw", "escrow.not_released")
CONFIRMED = ClawBackConfirmed(APPLICATION_ID, D1, "claw", 30_000, 27_000, "CNY")


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([SEEN, PAID], looked(found=False), [DOWN], id="a_bad_look_after_the_payment"),
        pytest.param([SEEN, PAID, DOWN], replace(looked(found=True), look_id="l3"),
                     [VerificationRequested(APPLICATION_ID, D1, "l3")], id="a_good_one_after_it"),
        pytest.param([PAID], ORDERED, [REQUESTED], id="asks_the_ledger"),
        pytest.param([PAID, REQUESTED], ORDERED, [], id="once_an_attempt"),
        pytest.param([PAID], replace(ORDERED, amount_minor=0), [], id="for_money"),
        pytest.param([PAID, REQUESTED], ANSWER, [CONFIRMED], id="hears_the_answer"),
        pytest.param([PAID, REQUESTED, CONFIRMED], ANSWER, [], id="once"),
        pytest.param([PAID, REQUESTED], NOT_RELEASED, [NOTED, FAILED], id="or_the_refusal"),
        pytest.param([PAID, REQUESTED, NOTED, FAILED], NOT_RELEASED, [], id="refused_once"),
        pytest.param([PAID, REQUESTED, CONFIRMED], NOT_RELEASED, [NOTED], id="a_late_refusal_of_what_is_booked"),
        pytest.param([PAID, REQUESTED], replace(NOT_RELEASED, command="ReleasePayment"),
                     [replace(NOTED, command="ReleasePayment")], id="a_refusal_of_something_else"),
    ],
)  # fmt: skip
def test_settlement_goes_on_after_the_payment(given: Sequence[Any], when: Any, then: Sequence[Any]) -> None:
    check(SERVICE, given, caused(when), then, at=NOON, actor=SYSTEM, stream=f"settlement-{D1}")


def strike(number: int, days: float) -> StrikeCounted:
    return StrikeCounted(f"d{number}", "content.gone", day(days))


def order(number: int, attempt: int = 1) -> ClawBackOrdered:
    return replace(ORDERED, deliverable_id=f"d{number}", attempt=attempt)


SANCTION = SanctionRequested(CREATOR_ID, "sanction.breach_not_cured", day(100 + 90), 3)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([], order(1), [strike(1, 100)], id="counts"),
        pytest.param([], order(1, attempt=2), [], id="not_an_attempt_to_collect"),
        pytest.param([strike(1, 9)], order(1), [], id="a_deliverable_once"),
        pytest.param([strike(1, 9), strike(2, 9)], order(3), [strike(3, 100), SANCTION], id="the_third_is_a_sanction"),
        pytest.param([strike(1, -300), strike(2, 9)], order(3), [strike(3, 100)], id="within_a_year"),
        pytest.param([strike(1, 1), strike(2, 2), strike(3, 3), SANCTION], order(4), [strike(4, 100)], id="then_anew"),
    ],
)
def test_repeats_lead_to_a_sanction(given: Sequence[Any], when: Any, then: Sequence[Any]) -> None:
    cause = caused(when, at=day(100))
    assert conduct.route(cause) == f"conduct-{CREATOR_ID}"
    check(SERVICE, given, cause, then, at=day(100), actor=SYSTEM, stream=f"conduct-{CREATOR_ID}")
