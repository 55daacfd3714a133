"""A breach after the payment, through topics and queries: notice, claw-back, and the sanction after repeats."""

from typing import Any

from dandelion.campaigns.v1 import events_pb2 as events
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.discovery.v1 import commands_pb2 as discovery
from dandelion.ledger.v1 import commands_pb2 as ledger_commands
from dandelion.ledger.v1 import events_pb2 as ledger

from kernel.core.ids import new_id
from services.campaigns.domain.shared.terms import Terms
from tests.integration.campaigns.story import Story
from tests.kit.running import Running
from tests.kit.until import until

CREATOR = ("clara", new_id(), "creator")


async def paid(campaigns: Running, **terms: Any) -> tuple[Story, str]:
    """A collaboration that was paid for, and its deliverable."""
    story = Story(campaigns, terms=terms, creator=CREATOR)
    await story.publish()
    await story.agree(100_000)
    deliverable_id = (await story.funded()).deliverables[0].deliverable.deliverable_id
    await story.post(deliverable_id)
    await story.look(deliverable_id, ok=True)
    await story.pay()
    await story.stage(pb.DELIVERABLE_STATUS_SETTLED)
    return story, deliverable_id


async def heard(story: Story, kind: Any) -> list[Any]:
    found = await story.campaigns.messages("campaigns.events.v1", kind)
    return [one for one in found if one.collaboration_id == story.collaboration_id]


async def test_a_notice_names_the_fault_and_the_time_and_a_good_look_ends_it(campaigns: Running) -> None:
    story, deliverable_id = await paid(campaigns)
    await story.look(deliverable_id, ok=False)
    noticed = await story.stage(pb.DELIVERABLE_STATUS_BREACHED)
    assert (noticed.breach, noticed.cure_by.seconds > noticed.settled_at.seconds) == ("content.label_missing", True)
    (notice,) = await heard(story, events.BreachNoticed)
    assert notice.due_at.seconds - notice.noticed_at.seconds in (48 * 3_600, 48 * 3_600 - 1)
    await story.look(deliverable_id, ok=True)
    cured = await story.stage(pb.DELIVERABLE_STATUS_SETTLED)
    assert (cured.breach, cured.HasField("cure_by")) == ("", False)


async def test_three_breaches_that_a_ruling_upholds_cost_money_and_a_suspension(campaigns: Running) -> None:
    for _ in range(3):
        story, deliverable_id = await paid(campaigns)
        await story.look(deliverable_id, ok=False)
        await story.stage(pb.DELIVERABLE_STATUS_BREACHED)
        await story.act("open-dispute", {"reason": "not_restored"}, story.brand)
        ruling = {"outcome": "cancel", "share_bps": 2_500}
        await story.act("rule-dispute", ruling, ("olga", "platform", "operator"))
        (asked,) = await story.asked("ledger", ledger_commands.ClawBackPayment)
        assert (asked.amount_minor, asked.creator_id, asked.reason) == (71_250, CREATOR[1], "content.label_missing")
        await booked(story, asked)
        clawed = await story.stage(pb.DELIVERABLE_STATUS_CLAWED_BACK)
        assert (clawed.clawed_back_minor, clawed.owed_minor) == (71_250, 70_000)
    assert (await story.get()).status == pb.COLLABORATION_STATUS_SETTLED

    async def suspended() -> bool:
        found = await campaigns.messages("discovery.commands.v1", discovery.SuspendCreator)
        return [(one.creator_id, one.reason) for one in found] == [(CREATOR[1], "sanction.breach_not_cured")]

    await until(suspended)


async def test_a_claw_back_that_the_ledger_refuses_ends_and_both_sides_hear_of_it(campaigns: Running) -> None:
    story, deliverable_id = await paid(campaigns)
    await story.look(deliverable_id, ok=False)
    await story.stage(pb.DELIVERABLE_STATUS_BREACHED)
    await story.act("open-dispute", {"reason": "not_restored"}, story.brand)
    await story.act("rule-dispute", {"outcome": "cancel", "share_bps": 0}, ("olga", "platform", "operator"))
    (asked,) = await story.asked("ledger", ledger_commands.ClawBackPayment)
    refusal = ledger.CommandRefused(
        command_id=new_id(), requester=asked.requester, command="ClawBackPayment", code="escrow.not_released"
    )
    await campaigns.tell(f"escrow-{deliverable_id}", refusal)
    kept = await story.stage(pb.DELIVERABLE_STATUS_SETTLED)
    assert (kept.clawed_back_minor, kept.owed_minor) == (0, 0)
    (refused,) = await heard(story, events.ClawBackRefused)
    assert (refused.deliverable_id, refused.code) == (deliverable_id, "escrow.not_released")


async def booked(story: Story, asked: Any) -> None:
    """The ledger takes what the creator has and keeps the rest as a debt."""
    done = ledger.PaymentClawedBack(
        claw_back_id=asked.claw_back_id, deliverable_id=asked.deliverable_id, collaboration_id=story.collaboration_id,
        taken_minor=asked.amount_minor - 70_000, owed_minor=70_000, currency="CNY",
    )  # fmt: skip
    await story.campaigns.tell(f"escrow-{asked.deliverable_id}", done)


async def test_both_sides_see_the_share_before_they_agree(campaigns: Running) -> None:
    story, _ = await paid(campaigns, claw_back_bps=4_000)
    assert (await story.get()).terms.claw_back_bps == 4_000
    assert (await story.campaign()).brief.terms.claw_back_bps == 4_000
    assert Terms().claw_back_bps == 0
