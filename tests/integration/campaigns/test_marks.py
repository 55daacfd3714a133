"""A deal whose parties look like one is on the list of staff, over gRPC and HTTP; an account of both stops the next deal."""

import grpc
import pytest
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub
from dandelion.ledger.v1 import events_pb2 as ledger

from kernel.core.ids import new_id
from tests.integration.campaigns.story import Story
from tests.kit.running import Running
from tests.kit.until import until

REVIEWER = ("rita", "platform", "reviewer")


async def marked(campaigns: Running, who: tuple[str, ...], brand_id: str) -> list[pb.MarkedDeal]:
    async with campaigns.channel(who) as channel:
        asked = pb.ListMarkedDealsRequest(brand_id=brand_id)
        return list((await CampaignQueryServiceStub(channel).ListMarkedDeals(asked)).deals)


async def test_one_person_on_both_sides_is_marked(campaigns: Running) -> None:
    story = Story(campaigns)
    one_person = (story.creator[0], *story.brand[1:])
    story.brand = one_person
    await story.publish()
    await story.agree(100_000)

    async def there() -> bool:
        return bool(await marked(campaigns, REVIEWER, one_person[1]))

    await until(there)
    (deal,) = await marked(campaigns, REVIEWER, one_person[1])
    assert (deal.creator_id, list(deal.reasons)) == (story.creator[1], ["party.same_person"])
    answer = await campaigns.send("GET", "/marked-deals?page_size=200", None, REVIEWER)
    (same,) = [one for one in answer.json()["deals"] if one["application_id"] == deal.application_id]
    assert (same["reasons"], same["brand_id"]) == (["party.same_person"], one_person[1])
    assert await campaigns.refused("GET", "/marked-deals", None, one_person) == "actor.role_missing"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await marked(campaigns, one_person, one_person[1])
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_an_account_of_both_stops_the_deal(campaigns: Running) -> None:
    story, account_id = Story(campaigns), new_id()
    await story.publish()
    for owner_id in (story.brand[1], story.creator[1]):
        await campaigns.tell(f"party-{owner_id}", ledger.AccountNamed(owner_id=owner_id, account_id=account_id))

    async def is_refused() -> bool:
        try:
            await story.agree(100_000)
        except AssertionError as error:
            return "application.linked_organisation" in str(error)
        return False

    await until(is_refused)
