"""Any order of commands of all sides: the budget holds, no stage is skipped, nothing is left without a clock."""

from collections.abc import Sequence

import pytest
from hypothesis import settings

from services.campaigns.domain.collaboration.commands import ExpireDeliverable
from services.campaigns.domain.collaboration.state import Status
from services.campaigns.domain.shared.budget import Budget
from services.campaigns.domain.shared.content_events import Verdict
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import BRAND_ID, BRIEF, CAMPAIGN_ID, NOON, SYSTEM
from tests.kit.decide import World
from tests.kit.histories import histories
from tests.unit.campaigns.machine import Campaigns
from tests.unit.campaigns.test_collaboration import CANCEL, SETTLE
from tests.unit.campaigns.working import D1, FUNDED, PAYING, STREAM, SUBMITTED, Step, day, in_force, played

TestCampaigns = Campaigns.TestCase
TestCampaigns.settings = settings(max_examples=histories(40), stateful_step_count=100, deadline=None)


def test_the_machine_reaches_the_end() -> None:
    """The rules lead to a settled collaboration when they are followed: the machine is not vacuous."""
    machine = Campaigns()
    machine.publish_campaign(shipped=True, outline=True, budget_minor=300_000)
    machine.agree(0, 10_000, invite=True)
    machine.begin(0)
    for _ in range(12):
        for index in (0, 1):
            machine.advance(0, index, Verdict.CLEAR, 0)
        machine.time_passes(60 * 24)
    ((_, state),) = machine.collaborations()
    assert state.status is Status.SETTLED, machine.stages()


@pytest.mark.parametrize(
    ("given", "when", "left_minor"),
    [
        pytest.param(SUBMITTED, CANCEL, 50_000, id="the_kill_fee_stays"),
        pytest.param(FUNDED, (SYSTEM, ExpireDeliverable(D1, day(14))), 0, id="a_lapsed_one_is_free"),
        pytest.param(PAYING, SETTLE, 110_000, id="a_paid_one_is_spent"),
    ],
)
def test_the_budget_gets_back_what_is_not_spent(given: Sequence[Step], when: Step, left_minor: int) -> None:
    budget = Budget(CAMPAIGN_ID, BRAND_ID, "published", "CNY", 1_000_000, 110_000)
    world = World(SERVICE, NOON, {**in_force(BRIEF, 1), ("budgets", (CAMPAIGN_ID,)): budget})
    world.given(STREAM, played(given), SYSTEM)
    world.execute(STREAM, when[1], when[0])
    assert world.row("budgets", CAMPAIGN_ID).committed_minor == left_minor
