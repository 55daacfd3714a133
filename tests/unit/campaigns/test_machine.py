"""Any order of commands of all sides: the budget holds, no stage is skipped, nothing is left without a clock."""

from hypothesis import settings

from services.campaigns.domain.collaboration.state import Status
from services.campaigns.domain.shared.content_events import Verdict
from tests.unit.campaigns.machine import Campaigns

TestCampaigns = Campaigns.TestCase
TestCampaigns.settings = settings(max_examples=100, stateful_step_count=100, deadline=None)


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
