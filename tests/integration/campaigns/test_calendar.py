"""The posting calendar: what is scheduled, published and dropped, for those it concerns."""

from datetime import UTC, datetime, timedelta

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub

from kernel.core.ids import new_id
from tests.integration.campaigns.story import LABEL, Story
from tests.kit.running import Running
from tests.kit.until import until


async def postings(campaigns: Running, story: Story, who: tuple[str, ...]) -> list[pb.Posting]:
    async with campaigns.channel(who) as channel:
        asked = pb.ListPostingsRequest(creator_id=story.creator[1])
        return list((await CampaignQueryServiceStub(channel).ListPostings(asked)).postings)


async def of_window(campaigns: Running, story: Story, first: datetime, behind: datetime) -> list[str]:
    """What is to be published in a part of the calendar, asked over HTTP."""
    window = f"publish_from={first:%Y-%m-%dT%H:%M:%SZ}&publish_until={behind:%Y-%m-%dT%H:%M:%SZ}"
    answer = await campaigns.send("GET", f"/postings?campaign_id={story.campaign_id}&{window}", None, story.brand)
    return [one["deliverable_id"] for one in answer.json()["postings"]]


async def test_a_posting_goes_from_scheduled_to_published(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish()
    await story.agree(100_000)
    await story.hold()
    deliverable_id = (await story.stage(pb.DELIVERABLE_STATUS_OPEN)).deliverable.deliverable_id
    await story.funded()
    submission_id = await story.submit(deliverable_id)
    await story.reviewed(submission_id, "clear")
    await story.stage(pb.DELIVERABLE_STATUS_REVIEWED)
    await story.act("approve", {"deliverable_id": deliverable_id, "submission_id": submission_id}, story.brand)
    publish_at = (datetime.now(UTC) + timedelta(minutes=1)).replace(microsecond=0)
    when = {"deliverable_id": deliverable_id, "publish_at": publish_at.isoformat()}
    await story.act("schedule", when, story.creator)

    async def shown(status: pb.PostingStatus.ValueType) -> bool:
        found = await postings(campaigns, story, story.brand)
        return [(one.deliverable_id, one.status) for one in found] == [(deliverable_id, status)]

    await until(lambda: shown(pb.POSTING_STATUS_SCHEDULED))
    assert (await postings(campaigns, story, story.creator))[0].publish_at.ToDatetime(UTC) == publish_at
    within, behind = timedelta(minutes=5), publish_at + timedelta(seconds=1)
    assert await of_window(campaigns, story, publish_at - within, behind) == [deliverable_id]
    assert await of_window(campaigns, story, publish_at, behind) == [deliverable_id], "from it on"
    assert await of_window(campaigns, story, publish_at - within, publish_at) == [], "until before it"
    post = {"deliverable_id": deliverable_id, "post_id": f"p-{deliverable_id}", "post_url": "https://post.test/1"}
    await story.act("publish", post | {"text": f"{LABEL} A serum I like"}, story.creator)
    await until(lambda: shown(pb.POSTING_STATUS_PUBLISHED))
    assert (await postings(campaigns, story, story.brand))[0].url == "https://post.test/1"
    assert await postings(campaigns, story, ("stranger", new_id(), "brand")) == []
