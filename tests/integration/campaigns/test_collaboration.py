"""Collaborations from acceptance to payment, and every way back: the other services are played by the test."""

from typing import Any

from dandelion.campaigns.v1 import events_pb2 as events
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.ledger.v1 import commands_pb2 as ledger_commands
from dandelion.ledger.v1 import events_pb2 as ledger

from tests.integration.campaigns.story import LABEL, Story
from tests.kit.running import Running
from tests.kit.until import until


async def test_from_brief_to_payment(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish()
    await story.agree(100_000)
    await story.hold()
    deliverable_id = (await story.stage(pb.DELIVERABLE_STATUS_OPEN)).deliverable.deliverable_id
    await story.funded()
    submission_id = await story.submit(deliverable_id, "The best serum")
    await story.reviewed(submission_id, "blocked")
    await story.stage(pb.DELIVERABLE_STATUS_REVISION_REQUESTED)
    submission_id = await story.submit(deliverable_id)
    await story.reviewed(submission_id, "clear", 2)
    cleared = await story.stage(pb.DELIVERABLE_STATUS_REVIEWED)
    assert (cleared.label, cleared.findings) == (LABEL, 0), "a notice is no finding"
    await story.act("approve", {"deliverable_id": deliverable_id, "submission_id": submission_id}, story.brand)
    post = {"deliverable_id": deliverable_id, "post_id": f"p-{deliverable_id}", "post_url": "https://post.test/1"}
    assert await story.refused("publish", post | {"text": "A serum I like"}, story.creator) == "content.label_missing"
    changed = post | {"text": f"{LABEL} Another text"}
    assert await story.refused("publish", changed, story.creator) == "content.text_differs_from_approved"
    await story.act("publish", post | {"text": f"{LABEL} A serum I like"}, story.creator)
    await story.look(deliverable_id, ok=True)
    await story.pay()
    settled = await story.stage(pb.DELIVERABLE_STATUS_SETTLED)
    assert (settled.creator_net_minor, settled.post_id, settled.url) == (95_000, post["post_id"], post["post_url"])
    assert (await story.get()).status == pb.COLLABORATION_STATUS_SETTLED

    async def counted() -> bool:
        return (await story.campaign()).collaborations_settled == 1

    await until(counted)
    found = await story.campaign()
    assert (found.reserved_minor, found.applications, found.collaborations) == (110_000, 1, 1)
    assert found.paid_minor == 110_000, "the fee and the platform's fee on top"


async def test_money_that_is_not_there_is_waited_for(campaigns: Running) -> None:
    """Two deliverables: one is held, the other is not covered; both sides see what is missing, and a covered retry goes on."""
    story = Story(campaigns)
    await story.publish(deliverables=[{"platform": "douyin", "format": "video", "occurrences": 2, "every_s": 60}])
    await story.agree(100_000, 200_000)
    first, second = await story.asked("ledger", ledger_commands.HoldEscrow, 2)
    held = ledger.EscrowHeld(deliverable_id=first.deliverable_id, collaboration_id=story.collaboration_id)
    await campaigns.tell(f"escrow-{first.deliverable_id}", held)
    await story.not_covered(second.deliverable_id)
    missing_minor = second.fee_minor + second.brand_fee_minor
    await story.until(lambda one: one.funding_waits_for == "escrow.not_covered")
    for who in (story.brand, story.creator):
        found = await story.seen_by(who)
        assert (found.status, found.uncovered_minor) == (pb.COLLABORATION_STATUS_CONTRACTED, missing_minor)
        assert found.HasField("funding_retry_at")
    assert await story.refused("fund", None, story.creator) == "collaboration.only_the_brand"
    await story.act("fund", None, story.brand)
    again = (await story.asked("ledger", ledger_commands.HoldEscrow, 3))[2]
    assert (again.deliverable_id, again.revision) == (second.deliverable_id, 2)
    held = ledger.EscrowHeld(deliverable_id=second.deliverable_id, collaboration_id=story.collaboration_id)
    await campaigns.tell(f"escrow-{second.deliverable_id}", held)
    funded = await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_FUNDED)
    assert (funded.funding_waits_for, funded.uncovered_minor) == ("", 0)

    async def told() -> bool:
        waits, tried = [
            [one.attempt for one in await campaigns.messages("campaigns.events.v1", kind) if _is_of(one, story)]
            for kind in (events.FundingWaits, events.FundingRetried)
        ]
        return (waits, tried) == ([1], [2])

    await until(told)


def _is_of(message: Any, story: Story) -> bool:
    return bool(message.collaboration_id == story.collaboration_id)


async def test_money_that_never_comes_ends_it_by_its_clock(campaigns: Running) -> None:
    story = Story(campaigns, {"funding_s": 1})
    await story.publish(deliverables=[{"platform": "douyin", "format": "video", "occurrences": 2, "every_s": 60}])
    await story.agree(100_000, 200_000)
    first, second = await story.asked("ledger", ledger_commands.HoldEscrow, 2)
    held = ledger.EscrowHeld(deliverable_id=first.deliverable_id, collaboration_id=story.collaboration_id)
    await campaigns.tell(f"escrow-{first.deliverable_id}", held)
    await story.not_covered(second.deliverable_id)
    found = await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_CANCELLED)
    assert found.reason == "funding.expired"
    returned = await story.asked("ledger", ledger_commands.CancelEscrow)
    assert [(one.deliverable_id, one.kill_fee_minor) for one in returned] == [(first.deliverable_id, 0)]

    async def freed() -> bool:
        return (await story.campaign()).reserved_minor == 0

    await until(freed)


async def test_a_late_cancellation_costs_what_the_ladder_says(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish()
    await story.agree(100_000)
    funded = await story.funded()
    await story.submit(funded.deliverables[0].deliverable.deliverable_id)
    await story.act("cancel", {"reason": "budget_cut"}, story.brand)
    (returned,) = await story.asked("ledger", ledger_commands.CancelEscrow)
    assert (returned.kill_fee_minor, returned.reason) == (50_000, "budget_cut")
    assert (await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_CANCELLED)).reason == "budget_cut"

    async def freed() -> bool:
        return (await story.campaign()).reserved_minor == 50_000

    await until(freed)


async def test_unpaid_contracts_expire(campaigns: Running) -> None:
    story = Story(campaigns, {"funding_s": 1})
    await story.publish()
    await story.agree(100_000)
    found = await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_CANCELLED)
    assert found.reason == "funding.expired"


async def test_money_that_comes_too_late_goes_back(campaigns: Running) -> None:
    story = Story(campaigns, {"funding_s": 1})
    await story.publish()
    await story.agree(100_000)
    await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_CANCELLED)
    await story.hold()
    (returned,) = await story.asked("ledger", ledger_commands.CancelEscrow)
    assert (returned.kill_fee_minor, returned.reason) == (0, "funding.expired")


async def test_a_bad_look_takes_the_post_down_and_a_new_post_counts(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish()
    await story.agree(100_000)
    deliverable_id = (await story.funded()).deliverables[0].deliverable.deliverable_id
    submission_id = await story.submit(deliverable_id)
    await story.reviewed(submission_id, "clear")
    await story.stage(pb.DELIVERABLE_STATUS_REVIEWED)
    await story.act("approve", {"deliverable_id": deliverable_id, "submission_id": submission_id}, story.brand)
    post = {"deliverable_id": deliverable_id, "post_url": "https://post.test/1", "text": f"{LABEL}A serum I like"}
    await story.act("publish", post | {"post_id": f"p-{deliverable_id}"}, story.creator)
    await story.look(deliverable_id, ok=False)
    await story.stage(pb.DELIVERABLE_STATUS_TAKEN_DOWN)
    await story.act("publish", post | {"post_id": f"p2-{deliverable_id}"}, story.creator)
    await story.look(deliverable_id, ok=True)
    await story.stage(pb.DELIVERABLE_STATUS_VERIFIED)
    await story.pay()
    await story.stage(pb.DELIVERABLE_STATUS_SETTLED)


async def test_a_gift_needs_no_escrow(campaigns: Running) -> None:
    """Seeding: the product is the pay; work starts when it has arrived."""
    story = Story(campaigns)
    product = {"product_id": "sku-1", "name": "Serum", "category": "cosmetics", "value_minor": 29_900}
    await story.publish(campaign_type="seeding", compensation={"kind": "gift"}, products=[product])
    await story.agree(0)
    funded = await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_FUNDED)
    deliverable_id = funded.deliverables[0].deliverable.deliverable_id
    draft = {
        "deliverable_id": deliverable_id,
        "submission_id": deliverable_id,
        "stage": "draft",
        "content": {"title": "", "text": "x"},
    }
    assert await story.refused("submit", draft, story.creator) == "content.stage_not_expected"
    await story.act("send-product", {"carrier": "SF", "tracking": "1"}, story.brand)
    await story.act("receive-product", None, story.creator)
    await story.submit(deliverable_id)
    assert await story.requests("ledger", ledger_commands.HoldEscrow) == []


async def test_both_sides_see_what_a_payment_waits_for(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish()
    await story.agree(100_000)
    deliverable_id = (await story.funded()).deliverables[0].deliverable.deliverable_id
    await story.post(deliverable_id)
    await story.look(deliverable_id, ok=True)
    await story.asked("ledger", ledger_commands.ReleasePayment)
    waits = ledger.PaymentDeferred(
        deliverable_id=deliverable_id,
        collaboration_id=story.collaboration_id,
        brand_id=story.brand[1],
        creator_id=story.creator[1],
        reason="tax.residence_unknown",
    )
    await campaigns.tell(f"escrow-{deliverable_id}", waits)
    for who in (story.brand, story.creator):

        async def shown(who: tuple[str, ...] = who) -> bool:
            return (await story.seen_by(who)).deliverables[0].waits_for == "tax.residence_unknown"

        await until(shown)

    async def told() -> bool:
        found = await campaigns.messages("campaigns.events.v1", events.PaymentWaits)
        return [(one.reason, one.reminders) for one in found if one.deliverable_id == deliverable_id] == [
            ("tax.residence_unknown", 0)
        ]

    await until(told)
    await story.pay()
    assert (await story.stage(pb.DELIVERABLE_STATUS_SETTLED)).waits_for == ""
