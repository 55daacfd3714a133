"""What the ledger ends ends here too, whoever asked for it; and the platform's silence is shown to staff and in a gauge."""

import pytest
from dandelion.campaigns.v1 import events_pb2 as pb_events
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub
from dandelion.ledger.v1 import commands_pb2 as ledger_commands
from dandelion.ledger.v1 import events_pb2 as ledger

from kernel.runtime import telemetry
from tests.integration.campaigns.story import Story
from tests.kit.running import Running
from tests.kit.until import until

OPERATOR = ("olga", "platform", "operator")


async def working(campaigns: Running, **clocks: int) -> tuple[Story, str]:
    """A funded collaboration and its deliverable."""
    story = Story(campaigns, {"settlement_delay_s": 1, **clocks})
    await story.publish()
    await story.agree(100_000)
    return story, (await story.funded()).deliverables[0].deliverable.deliverable_id


async def refund(story: Story, deliverable_id: str, reason: str, amount_minor: int = 110_000) -> None:
    """The ledger ends the escrow though nobody here has asked it to."""
    ended = ledger.RefundIssued(
        refund_id="by hand", deliverable_id=deliverable_id, collaboration_id=story.collaboration_id,
        amount_minor=amount_minor, currency="CNY", reason=reason,
    )  # fmt: skip
    await story.campaigns.tell(f"escrow-{deliverable_id}", ended)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        pytest.param("escrow.expired", "escrow.expired", id="clock"),
        pytest.param("The creator is gone", "escrow.returned", id="hand"),
    ],
)
async def test_an_escrow_that_the_ledger_ends_ends_the_work(campaigns: Running, said: str, heard: str) -> None:
    story, deliverable_id = await working(campaigns)
    await refund(story, deliverable_id, said)
    ended = await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_CANCELLED)
    assert ended.deliverables[0].status == pb.DELIVERABLE_STATUS_CANCELLED
    lapsed = [one for one in await campaigns.messages("campaigns.events.v1", pb_events.DeliverableLapsed)
              if one.collaboration_id == story.collaboration_id]  # fmt: skip
    assert [(one.reason, one.freed_minor) for one in lapsed] == [(heard, 110_000)]
    assert await story.requests("ledger", ledger_commands.CancelEscrow) == []


async def test_a_payment_in_flight_ends_with_the_escrow(campaigns: Running) -> None:
    story, deliverable_id = await working(campaigns)
    await story.post(deliverable_id)
    await story.look(deliverable_id, ok=True)
    await story.asked("ledger", ledger_commands.ReleasePayment)
    await refund(story, deliverable_id, "escrow.expired")
    await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_CANCELLED)


async def test_what_finance_pays_by_hand_is_settled_with_its_parts(campaigns: Running) -> None:
    story, deliverable_id = await working(campaigns)
    for release_id, partial in (("first", True), ("second", False)):
        paid = ledger.PaymentReleased(
            release_id=release_id, deliverable_id=deliverable_id, collaboration_id=story.collaboration_id,
            kind=ledger.RELEASE_KIND_SETTLEMENT, creator_net_minor=40_000, currency="CNY", partial=partial,
        )  # fmt: skip
        await campaigns.tell(f"escrow-{deliverable_id}", paid)
    settled = await story.stage(pb.DELIVERABLE_STATUS_SETTLED)
    assert settled.creator_net_minor == 80_000


async def test_staff_see_what_the_platform_owes_an_answer_and_a_late_answer_counts(campaigns: Running) -> None:
    story, deliverable_id = await working(campaigns, compliance_s=1)
    submission_id = await story.submit(deliverable_id)
    late = await story.until(lambda one: one.awaits == "compliance")
    assert (late.deliverables[0].awaits, late.deliverables[0].escalations) == ("compliance", 1)
    assert (late.status, late.deliverables[0].status) == (
        pb.COLLABORATION_STATUS_FUNDED,
        pb.DELIVERABLE_STATUS_IN_REVIEW,
    )
    assert story.collaboration_id in await waiting_for(campaigns, "compliance")
    assert story.collaboration_id not in await waiting_for(campaigns, "ledger")
    assert await silent(campaigns) == 1
    await story.reviewed(submission_id, "clear")
    await story.stage(pb.DELIVERABLE_STATUS_REVIEWED)
    assert (await story.get()).awaits == ""
    assert await silent(campaigns) == 0


async def waiting_for(campaigns: Running, awaits: str) -> list[str]:
    async with campaigns.channel(OPERATOR) as channel:
        request = pb.ListCollaborationsRequest(awaits=[awaits])
        answer = await CampaignQueryServiceStub(channel).ListCollaborations(request)
    return [one.collaboration_id for one in answer.collaborations]


async def silent(campaigns: Running) -> float | None:
    """The gauge that alert PlatformSilent reads, as role relay sets it."""
    await campaigns.app._gauges().update()
    return telemetry.REGISTRY.get_sample_value("platform_silent", {"awaits": "compliance"})


async def test_a_dispute_shows_its_clock_escalates_and_is_withdrawn(campaigns: Running) -> None:
    story, _ = await working(campaigns, dispute_s=1)
    await story.act("open-dispute", {"reason": "unpaid"}, story.creator)
    late = await story.until(lambda one: one.awaits == "staff")
    assert late.HasField("disputed_at")
    assert late.dispute_due_at.seconds > late.disputed_at.seconds
    only = "collaboration.only_who_opened_the_dispute"
    assert await story.refused("withdraw-dispute", None, story.brand) == only
    await story.act("withdraw-dispute", None, story.creator)
    over = await story.until(lambda one: one.awaits == "")
    assert not over.HasField("disputed_at")

    async def told() -> bool:
        return any(
            one.collaboration_id == story.collaboration_id
            for one in await campaigns.messages("campaigns.events.v1", pb_events.DisputeEscalated)
        )

    await until(told)
