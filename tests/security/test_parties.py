"""What the parties of a campaign do to each other, tried over HTTP and gRPC on a running service with its usual settings."""

from collections.abc import AsyncIterator

import pytest
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub
from dandelion.compliance.v1 import events_pb2 as compliance

from kernel.core.ids import new_id
from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE
from tests.integration.campaigns.conftest import OTHERS
from tests.integration.campaigns.story import LABEL, Story, brief_body, register
from tests.kit.running import Running, running
from tests.kit.until import until


@pytest.fixture(scope="module")
async def campaigns(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(SERVICE, CampaignsSettings, tmp_path_factory.mktemp("campaigns"), topics=OTHERS) as made:
        yield made


async def test_terms_for_nothing_are_refused_with_the_value_that_holds(campaigns: Running) -> None:
    who, path = ("bella", new_id(), "brand"), f"/campaigns/{new_id()}"
    body = {"brief": brief_body(), "terms": {"clocks": {"draft_s": 1, "verify_s": 1}}}
    answer = await campaigns.send("PUT", path, body, who)
    assert (answer.status_code, answer.json()["code"]) == (422, "terms.clock_below_floor")
    assert (answer.json()["facts"]["clock"], answer.json()["facts"]["floor_s"]) == ("draft_s", 2 * 86_400)
    zeros = {f"{stage}_bps": 0 for stage in ("before_outline", "after_outline", "after_draft", "after_feedback")}
    body = {"brief": brief_body(), "terms": {"ladder": zeros}}
    assert await campaigns.refused("PUT", path, body, who) == "terms.ladder_below_floor"


async def test_a_creator_reads_what_is_not_as_usual_before_it_accepts(campaigns: Running) -> None:
    ladder = {"before_outline_bps": 0, "after_outline_bps": 500, "after_draft_bps": 3_000, "after_feedback_bps": 8_000}
    story = Story(campaigns, terms={"ladder": ladder, "claw_back_bps": 5_000})
    await story.publish(mode="invite")
    await register(campaigns, story.creator[1])
    body = {"creator_id": story.creator[1], "fees_minor": [80_000]}
    receipt = await campaigns.done("POST", f"/campaigns/{story.campaign_id}/invite", body, story.brand)
    expected = {"after_outline_bps": 500, "after_draft_bps": 3_000, "after_feedback_bps": 8_000, "claw_back_bps": 5_000}
    async with campaigns.channel(story.creator) as channel:
        stub = CampaignQueryServiceStub(channel)

        async def offered() -> bool:
            found = await stub.ListApplications(pb.ListApplicationsRequest(campaign_id=story.campaign_id))
            return bool(found.applications)

        await until(offered)
        found = await stub.ListApplications(pb.ListApplicationsRequest(campaign_id=story.campaign_id))
        shown = found.applications[0].offer.unusual_terms
        assert {each.term: each.value for each in shown} == expected
        asked = pb.GetCampaignRequest(campaign_id=story.campaign_id, at_least=receipt["token"])
        campaign = await stub.GetCampaign(asked)
        assert {each.term: each.value for each in campaign.campaign.unusual_terms} == expected


async def test_an_organisation_does_not_deal_with_itself(campaigns: Running) -> None:
    both = ("ivy", new_id(), "brand", "creator")
    story = Story(campaigns, brand=both, creator=both)
    await story.publish()
    await register(campaigns, both[1])
    path = f"/campaigns/{story.campaign_id}"
    body = {"creator_id": both[1], "fees_minor": [80_000]}
    assert await campaigns.refused("POST", f"{path}/invite", body, both) == "application.own_organisation"
    assert (
        await campaigns.refused("POST", f"{path}/apply", {"fees_minor": [80_000]}, both)
        == "application.own_organisation"
    )


async def led(campaigns: Running) -> tuple[Story, str]:
    """A story until its content is up; its deliverable."""
    story = Story(campaigns)
    await story.publish()
    await story.agree(80_000)
    found = await story.funded()
    return story, found.deliverables[0].deliverable.deliverable_id


async def test_a_post_that_counts_already_is_not_reported_again_and_another_author_is_not_paid(
    campaigns: Running,
) -> None:
    (first, d1), (second, d2) = await led(campaigns), await led(campaigns)
    await first.post(d1)
    posted = f"p-{d1}"
    submission_id = await second.submit(d2)
    await second.reviewed(submission_id, "clear")
    await second.stage(pb.DELIVERABLE_STATUS_REVIEWED)
    await second.act("approve", {"deliverable_id": d2, "submission_id": submission_id}, second.brand)
    post = {
        "deliverable_id": d2,
        "post_id": posted,
        "post_url": "https://post.test/1",
        "text": f"{LABEL} A serum I like",
    }
    assert await second.refused("publish", post, second.creator) == "content.post_reported_before"
    seen = compliance.ContentLookedAt(
        look_id=new_id(), deliverable_id=d1, collaboration_id=first.collaboration_id,
        found=True, label_present=True, text_unchanged=True, author_differs=True, ok=False,
    )  # fmt: skip
    await campaigns.tell(f"look-{d1}", seen)
    await first.stage(pb.DELIVERABLE_STATUS_TAKEN_DOWN)
    await second.act("publish", post, second.creator)
