"""A contract whose money is not there: it waits as long as its funding clock says, and is asked for again."""

from datetime import timedelta
from typing import Any

import pytest

from services.campaigns.domain.collaboration.commands import (
    CancelCollaboration,
    ExpireCollaboration,
    NoteFundingWait,
    RetryFunding,
)
from services.campaigns.domain.collaboration.funding import FIRST_PAUSE_S, LONGEST_PAUSE_S, MAX_ATTEMPTS, pause_s
from services.campaigns.domain.shared.floors import CLOCKS
from services.campaigns.domain.shared.funding_events import FundingRetried, FundingWaits
from services.campaigns.domain.shared.work_events import CollaborationCancelled, CollaborationFunded, WorkStarted
from tests.kit.campaigns import BRAND, CREATOR, NOON, OPERATOR, PARTIES, STRANGER, SYSTEM
from tests.unit.campaigns import samples
from tests.unit.campaigns.test_publish import asked, message
from tests.unit.campaigns.working import FUND, Step, contracted, day, decide, run, rung, state_after

WAIT: Step = (SYSTEM, NoteFundingWait("escrow.not_covered", 110_000, 1))
RETRY_AT = NOON + timedelta(seconds=FIRST_PAUSE_S)
TOLD = FundingWaits(PARTIES, "escrow.not_covered", 110_000, "CNY", 1, RETRY_AT)
RETRY: Step = (BRAND, RetryFunding())
BY_CLOCK: Step = (SYSTEM, RetryFunding(RETRY_AT))
WAITING = [contracted(), WAIT]
RETRIED = FundingRetried(PARTIES, 2)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([contracted()], WAIT, [TOLD], id="is_told"),
        pytest.param(WAITING, WAIT, [], id="once"),
        pytest.param([contracted()], (BRAND, WAIT[1]), "actor.role_missing", id="by_the_process_alone"),
        pytest.param([contracted(), FUND], WAIT, [], id="not_once_funded"),
        pytest.param([*WAITING, RETRY], WAIT, [], id="nor_of_an_attempt_before"),
        pytest.param(WAITING, RETRY, [RETRIED], id="the_brand_tries_again"),
        pytest.param(WAITING, (CREATOR, RETRY[1]), "collaboration.only_the_brand", id="not_the_creator"),
        pytest.param(WAITING, (OPERATOR, RETRY[1]), "collaboration.only_the_brand", id="nor_staff"),
        pytest.param(WAITING, (STRANGER, RETRY[1]), "collaboration.unknown", id="nor_a_stranger"),
        pytest.param([*WAITING, RETRY], RETRY, [], id="one_attempt_at_a_time"),
        pytest.param([contracted()], RETRY, [], id="the_first_is_under_way"),
        pytest.param([contracted(), FUND], RETRY, [], id="all_is_held"),
        pytest.param([*WAITING, (BRAND, CancelCollaboration("x"))], RETRY, "collaboration.not_running", id="all_is_over"),
        pytest.param(WAITING, BY_CLOCK, [RETRIED], id="the_clock_tries_again"),
        pytest.param(WAITING, (SYSTEM, RetryFunding(day(1))), [], id="an_older_clock"),
        pytest.param(WAITING, (BRAND, BY_CLOCK[1]), "actor.role_missing", id="clocks_are_the_systems"),
        pytest.param([*WAITING, RETRY], BY_CLOCK, [], id="it_was_tried_meanwhile"),
        pytest.param([*WAITING, RETRY], FUND, [CollaborationFunded, WorkStarted], id="a_covered_retry_goes_on"),
        pytest.param(WAITING, (SYSTEM, ExpireCollaboration(day(2))), [CollaborationCancelled], id="the_clock_runs"),
    ],
)  # fmt: skip
def test_funding(given: list[Step], when: Step, then: Any) -> None:
    run(given, when, then)


def test_what_is_missing_is_known_until_it_is_asked_for_again() -> None:
    waits = state_after(WAITING)
    assert (waits.funding_waits_for, waits.uncovered_minor, waits.funding_retry_at) == (
        "escrow.not_covered", 110_000, RETRY_AT,
    )  # fmt: skip
    for after in ([*WAITING, RETRY], [*WAITING, FUND], [*WAITING, (BRAND, CancelCollaboration("x"))]):
        state = state_after(after)
        assert (state.funding_waits_for, state.uncovered_minor, state.funding_retry_at) == ("", 0, None)


def test_the_clock_tries_again_until_the_funding_clock_ends_it() -> None:
    world = rung(WAITING, 3)
    kinds = [type(fact.event).__name__ for fact in world.events]
    assert kinds == ["CollaborationContracted", "FundingWaits", "FundingRetried", "CollaborationCancelled"]
    assert world.events[-1].event.reason == "funding.expired"


def test_pauses_grow_and_attempts_end() -> None:
    assert [pause_s(1), pause_s(2), pause_s(3), pause_s(MAX_ATTEMPTS)] == [
        FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S, LONGEST_PAUSE_S,
    ]  # fmt: skip
    assert sum(pause_s(attempt) for attempt in range(1, MAX_ATTEMPTS)) > CLOCKS["funding_s"].most, "in any funding time"
    steps = [contracted()]
    for attempt in range(1, MAX_ATTEMPTS):
        steps += [(SYSTEM, NoteFundingWait("escrow.not_covered", 1, attempt)), RETRY]
    steps.append((SYSTEM, NoteFundingWait("escrow.not_covered", 1, MAX_ATTEMPTS)))
    run(steps, RETRY, "collaboration.too_many_funding_attempts")
    due_at = state_after(steps).funding_retry_at
    assert decide(steps, (SYSTEM, RetryFunding(due_at))) == []


def test_another_attempt_is_the_next_revision_of_its_escrow() -> None:
    assert message(asked(samples.REQUESTS[1])).revision == 2
