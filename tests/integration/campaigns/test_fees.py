"""A fee policy of the ledger from its topic to draft, offer and contract: shown to both sides, chosen by neither."""

from typing import Any

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub
from dandelion.ledger.v1 import commands_pb2 as ledger_commands
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion_contracts.wire import stamp

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from tests.integration.campaigns.story import Story, brief_body
from tests.kit.running import Running
from tests.kit.until import until

POLICY = "fees@now"


async def announced(campaigns: Running) -> None:
    """The ledger announces other fees, which begin at once; waits until campaigns has heard it."""
    changed = ledger.FeePolicyChanged(
        fee_policy=POLICY, since=stamp(system_clock()), brand_fee_bps=1_200, creator_fee_bps=300
    )
    await campaigns.tell(f"policy-{new_id()}", changed)

    async def heard() -> bool:
        table = campaigns.app.metadata.tables["fee_policies"]
        async with campaigns.app.database.reading() as connection:
            row = (await connection.execute(table.select())).mappings().first()
        return row is not None and POLICY in {policy.name for policy in row["policies"]}

    await until(heard)


async def terms_of(story: Story) -> Any:
    """The terms of the story's campaign, once the read model shows it."""
    found: list[Any] = []
    async with story.campaigns.channel(story.brand) as channel:

        async def shown() -> bool:
            request = pb.ListCampaignsRequest(brand_id=story.brand[1])
            found[:] = (await CampaignQueryServiceStub(channel).ListCampaigns(request)).campaigns
            return bool(found)

        await until(shown)
    return found[0].brief.terms


async def test_a_brand_does_not_choose_the_fees(campaigns: Running) -> None:
    for fee in ("brand_fee_bps", "creator_fee_bps", "fee_policy"):
        draft = {"brief": brief_body(), "terms": {fee: 0}}
        answer = await campaigns.send("PUT", f"/campaigns/{new_id()}", draft, ("bella", new_id(), "brand"))
        assert answer.status_code == 422, answer.text


async def test_both_sides_see_the_fees_that_the_contract_seals(campaigns: Running) -> None:
    before = Story(campaigns)
    await before.publish()
    await before.apply(100_000)
    assert (await terms_of(before)).brand_fee_bps == 1_000
    await announced(campaigns)
    accept = f"/applications/{before.collaboration_id}/accept"
    refused = await campaigns.refused("POST", accept, {"brief_version": 1}, before.brand)
    assert refused == "application.fees_changed"
    story = Story(campaigns)
    await story.draft()
    drafted = await terms_of(story)
    assert (drafted.brand_fee_bps, drafted.creator_fee_bps, drafted.fee_policy) == (1_200, 300, POLICY)
    await story.open()
    await story.apply(100_000)
    for who in (story.brand, story.creator):
        async with campaigns.channel(who) as channel:
            request = pb.ListApplicationsRequest(campaign_id=story.campaign_id)

            async def shown(request: pb.ListApplicationsRequest = request, channel: Any = channel) -> bool:
                answer = await CampaignQueryServiceStub(channel).ListApplications(request)
                offers = [(one.offer.brand_fee_bps, one.offer.creator_fee_bps) for one in answer.applications]
                return offers == [(1_200, 300)]

            await until(shown)
    await story.accept()
    (hold,) = await story.asked("ledger", ledger_commands.HoldEscrow)
    assert (hold.fee_minor, hold.brand_fee_minor, hold.fee_policy) == (100_000, 12_000, POLICY)
    terms = (await story.funded()).terms
    assert (terms.brand_fee_bps, terms.creator_fee_bps, terms.fee_policy) == (1_200, 300, POLICY)
