"""What an answer to an offer says: a repeat is the same answer of the same side, and anything else is refused."""

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub

from tests.integration.campaigns.story import Story
from tests.kit.running import Running
from tests.kit.until import until


async def listed(story: Story) -> pb.Application:
    async with story.campaigns.channel(story.brand) as channel:
        request = pb.ListApplicationsRequest(campaign_id=story.campaign_id)
        (found,) = (await CampaignQueryServiceStub(channel).ListApplications(request)).applications
    return found


async def test_an_acceptance_is_repeated_by_who_accepted_what_it_read(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish()
    await story.apply(100_000)
    accept = f"/applications/{story.collaboration_id}/accept"
    first = await campaigns.done("POST", accept, {"brief_version": 1}, story.brand)
    again = await campaigns.done("POST", accept, {"brief_version": 1}, story.brand)
    assert again["version"] == first["version"]
    assert await campaigns.refused("POST", accept, {"brief_version": 9}, story.brand) == "application.already_accepted"
    assert await campaigns.refused("POST", accept, {"brief_version": 1}, story.creator) == "application.own_offer"

    async def shown() -> bool:
        return (await listed(story)).status == pb.APPLICATION_STATUS_ACCEPTED

    await until(shown)
    assert (await listed(story)).version == first["version"], "what was refused has left no trace"
