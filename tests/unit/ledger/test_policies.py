"""Fee policies: for a later date, by two people; the escrow's fee is what the policy says, whoever asks for the hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kernel.core.decider import Actor
from kernel.core.faults import Fault
from services.ledger.domain.fees import FIRST, FeePolicy, policy_at
from services.ledger.domain.policies import (
    ApproveFeePolicy,
    FeePolicyApproved,
    FeePolicyProposed,
    FeePolicyRejected,
    ProposeFeePolicy,
    RejectFeePolicy,
    name_of,
)
from services.ledger.wiring import SERVICE
from tests.kit.decide import check
from tests.unit.ledger.given import DELIVERABLE, do, funded
from tests.unit.ledger.world import AS_BRAND, FINANCE, NOON, SYSTEM, World, hold_command

ID = "018f3a10-0000-7000-8000-0000000000f1"
STREAM = f"policy-{ID}"
SINCE = datetime(2027, 1, 1, tzinfo=UTC)
POLICY = FeePolicy("fees@2027-01-01", SINCE, 1_200, 300)
PROPOSE = ProposeFeePolicy(SINCE, 1_200, 300)
SECOND = Actor("fred", "platform", frozenset({"finance"}))
PROPOSED, APPROVED = FeePolicyProposed(POLICY, "fin"), FeePolicyApproved(POLICY, "fin", "fred")
REJECTED = FeePolicyRejected(POLICY, "too high")


@pytest.mark.parametrize(
    ("given", "who", "when", "then"),
    [
        pytest.param([], FINANCE, PROPOSE, [PROPOSED], id="proposes"),
        pytest.param([PROPOSED], SECOND, ApproveFeePolicy(), [APPROVED], id="another_approves"),
        pytest.param([PROPOSED], FINANCE, ApproveFeePolicy(), "fee.own_policy", id="never_ones_own"),
        pytest.param([], SECOND, ApproveFeePolicy(), "fee.not_proposed", id="nothing_to_approve"),
        pytest.param([PROPOSED, REJECTED], SECOND, ApproveFeePolicy(), "fee.not_proposed", id="not_what_was_rejected"),
        pytest.param([PROPOSED, APPROVED], SECOND, ApproveFeePolicy(), [], id="is_approved"),
        pytest.param([PROPOSED, APPROVED], FINANCE, ApproveFeePolicy(), "fee.own_policy", id="nor_once_approved"),
        pytest.param([PROPOSED], FINANCE, RejectFeePolicy("too high"), [REJECTED], id="takes_it_back"),
        pytest.param([PROPOSED, APPROVED], SECOND, RejectFeePolicy("x"), "fee.not_proposed", id="not_once_approved"),
        pytest.param([PROPOSED], FINANCE, replace(PROPOSE, brand_fee_bps=1), "fee.already_proposed", id="one_per_id"),
        pytest.param([], FINANCE, replace(PROPOSE, since=NOON), "fee.policy_not_later", id="not_from_now"),
        pytest.param(
            [], FINANCE, replace(PROPOSE, since=NOON - timedelta(days=1)), "fee.policy_not_later", id="not_back"
        ),
        pytest.param([], FINANCE, replace(PROPOSE, brand_fee_bps=5_001), "fee.share_out_of_range", id="brand"),
        pytest.param([], FINANCE, replace(PROPOSE, creator_fee_bps=1_001), "fee.share_out_of_range", id="creator"),
        pytest.param([], FINANCE, replace(PROPOSE, since=SINCE.replace(tzinfo=None)), "fee.time_not_utc", id="naive"),
        pytest.param([], AS_BRAND, PROPOSE, "actor.role_missing", id="no_party_proposes"),
        pytest.param([PROPOSED], AS_BRAND, ApproveFeePolicy(), "actor.role_missing", id="no_party_approves"),
        pytest.param([PROPOSED], SYSTEM, ApproveFeePolicy(), "actor.role_missing", id="no_process_approves"),
    ],
)
def test_a_policy_takes_two_people_and_a_later_date(given: list[Any], who: Actor, when: Any, then: Any) -> None:
    check(SERVICE, given, when, then, at=NOON, actor=who, stream=STREAM)


def test_what_was_proposed_is_not_approved_when_its_date_has_come() -> None:
    check(SERVICE, [PROPOSED], ApproveFeePolicy(), "fee.policy_not_later", at=SINCE, actor=SECOND, stream=STREAM)


def test_a_date_has_one_policy() -> None:
    world = approved()
    other = "policy-018f3a10-0000-7000-8000-0000000000f2"
    with pytest.raises(Fault, match=r"fee\.date_taken"):
        world.execute(other, replace(PROPOSE, brand_fee_bps=0), SECOND)


def approved() -> World:
    world = World()
    world.execute(STREAM, PROPOSE, FINANCE)
    world.execute(STREAM, ApproveFeePolicy(), SECOND)
    return world


def test_the_policy_of_the_day_is_in_force() -> None:
    policies = approved().row("fee_policies", "platform").policies
    assert policies == (FIRST, POLICY)
    assert policy_at(SINCE - timedelta(microseconds=1), policies) == FIRST
    assert policy_at(SINCE, policies) == POLICY
    with pytest.raises(Fault, match=r"fee\.no_policy"):
        policy_at(datetime(2024, 12, 31, tzinfo=UTC), policies)


def test_names_tell_the_time_where_a_day_is_not_enough() -> None:
    assert name_of(SINCE) == "fees@2027-01-01"
    assert name_of(SINCE + timedelta(hours=8)) == "fees@2027-01-01T08:00:00Z"


@pytest.mark.parametrize(
    ("fee_policy", "brand_fee_minor", "code"),
    [
        pytest.param("fees@2025-01-01", 100_000, "", id="as_sealed"),
        pytest.param("fees@2027-01-01", 120_000, "", id="sealed_under_the_next"),
        pytest.param("fees@2025-01-01", 0, "fee.not_by_policy", id="nobody_chooses_nothing"),
        pytest.param("fees@2025-01-01", 120_000, "fee.not_by_policy", id="nobody_chooses_more"),
        pytest.param("fees@1999-01-01", 100_000, "fee.policy_unknown", id="no_such_policy"),
    ],
)
def test_an_escrow_holds_the_fee_of_its_policy(fee_policy: str, brand_fee_minor: int, code: str) -> None:
    world = approved()
    funded(world)
    command = hold_command(DELIVERABLE, 1_000_000, brand_fee_minor, fee_policy=fee_policy)
    if code:
        with pytest.raises(Fault) as refused:
            world.run(command)
        assert refused.value.code == code
        return
    do(world, command)
    assert world.escrow(DELIVERABLE).policy_id == fee_policy
