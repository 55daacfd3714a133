"""Histories of campaigns' streams: who sees them, in which form, page by page, and how things stood at past moments."""

from typing import Any

import grpc
import pytest
from dandelion.campaigns.v1 import events_pb2 as events
from dandelion.campaigns.v1 import queries_pb2 as campaigns_pb
from dandelion.history.v1 import queries_pb2 as pb
from dandelion.history.v1.queries_pb2_grpc import HistoryQueryServiceStub

from kernel.core.ids import new_id
from tests.integration.campaigns.story import Story
from tests.kit.running import Running

OPERATOR = ("olga", "platform", "operator")
REVIEWER = ("rita", "platform", "reviewer")


async def ask(campaigns: Running, who: tuple[str, ...], method: str, request: Any) -> Any:
    async with campaigns.channel(who) as channel:
        return await getattr(HistoryQueryServiceStub(channel), method)(request)


async def history(campaigns: Running, who: tuple[str, ...], stream: str, **more: Any) -> pb.GetHistoryResponse:
    found: pb.GetHistoryResponse = await ask(campaigns, who, "GetHistory", pb.GetHistoryRequest(stream=stream, **more))
    return found


async def past(campaigns: Running, who: tuple[str, ...], stream: str, **more: Any) -> pb.GetPastStateResponse:
    found: pb.GetPastStateResponse = await ask(
        campaigns, who, "GetPastState", pb.GetPastStateRequest(stream=stream, **more)
    )
    return found


async def refusal(campaigns: Running, who: tuple[str, ...], method: str, request: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ask(campaigns, who, method, request)
    return refused.value.details() or ""


def named(found: pb.GetHistoryResponse) -> list[str]:
    return [one.type.rpartition(".")[2] for one in found.events]


async def amended(campaigns: Running) -> Story:
    """A campaign that was drafted, published and paused; the budget is the brand's own secret."""
    story = Story(campaigns)
    await story.publish(title="First")
    await campaigns.done("POST", f"/campaigns/{story.campaign_id}/pause", {"reason": "budget_cut"}, story.brand)
    return story


async def test_a_stream_is_told_in_its_public_form(campaigns: Running) -> None:
    story = await amended(campaigns)
    found = await history(campaigns, story.brand, f"campaign-{story.campaign_id}")
    assert named(found) == ["CampaignDrafted", "BriefPublished", "CampaignPaused"]
    drafted, paused = events.CampaignDrafted(), events.CampaignPaused()
    assert found.events[0].event.Unpack(drafted)
    assert found.events[2].event.Unpack(paused)
    assert (drafted.campaign_id, drafted.brief.title, paused.reason) == (story.campaign_id, "First", "budget_cut")
    assert [one.version for one in found.events] == [1, 2, 3]
    assert found.events[0].position < found.events[2].position
    assert found.events[0].recorded_at.ToDatetime() <= found.events[2].recorded_at.ToDatetime()
    assert found.page.as_of[0].startswith("campaigns:")


async def test_who_acted_is_named_to_operators_only(campaigns: Running) -> None:
    story = await amended(campaigns)
    stream = f"campaign-{story.campaign_id}"
    mine, theirs = await history(campaigns, story.brand, stream), await history(campaigns, OPERATOR, stream)
    assert [list(one.actor_roles) for one in mine.events] == [["brand"]] * 3
    assert {(one.actor_id, one.actor_tenant, one.correlation_id) for one in mine.events} == {("", "", "")}
    assert {(one.actor_id, one.actor_tenant) for one in theirs.events} == {story.brand[:2]}
    assert all(one.correlation_id for one in theirs.events)


async def test_pages_go_both_ways_and_end(campaigns: Running) -> None:
    story = await amended(campaigns)
    for order, wanted in (("version", [1, 2, 3]), ("version desc", [3, 2, 1])):
        seen, token = [], ""
        while True:
            found = await history(
                campaigns, story.brand, f"campaign-{story.campaign_id}", order_by=order, page_size=2, page_token=token
            )
            seen += [one.version for one in found.events]
            token = found.page.next_page_token
            if not token:
                break
        assert seen == wanted


async def test_a_stranger_is_told_what_is_told_of_nothing(campaigns: Running) -> None:
    """A campaign that is open to all shows its present to creators, not its past."""
    story = await amended(campaigns)
    for method, kind in (("GetHistory", pb.GetHistoryRequest), ("GetPastState", pb.GetPastStateRequest)):
        for who in (("mallory", new_id(), "brand"), story.creator):
            there = await refusal(campaigns, who, method, kind(stream=f"campaign-{story.campaign_id}"))
            other = new_id()
            nowhere = await refusal(campaigns, who, method, kind(stream=f"campaign-{other}"))
            assert "stream.unknown" in there
            assert there.replace(story.campaign_id, "") == nowhere.replace(other, "")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(pb.GetHistoryRequest(stream="campaign"), "id.malformed", id="stream"),
        pytest.param(pb.GetHistoryRequest(stream=f"campaign-{new_id()}", until_position=-1), "position", id="place"),
        pytest.param(
            pb.GetHistoryRequest(stream=f"campaign-{new_id()}", order_by="at"), "order_by.unknown", id="order"
        ),
        pytest.param(
            pb.GetHistoryRequest(stream=f"campaign-{new_id()}", at_least="ledger:1:0"), "not_read_here", id="token"
        ),
        pytest.param(
            pb.GetHistoryRequest(stream=f"campaign-{new_id()}", at_least="campaigns:999999:0"), "ahead", id="ahead"
        ),
    ],
)
async def test_wrong_questions_are_refused(campaigns: Running, request_: pb.GetHistoryRequest, code: str) -> None:
    assert code in await refusal(campaigns, OPERATOR, "GetHistory", request_)


async def test_a_campaign_stands_as_it_stood(campaigns: Running) -> None:
    story = await amended(campaigns)
    stream = f"campaign-{story.campaign_id}"
    steps = (await history(campaigns, story.brand, stream)).events
    statuses = []
    for step in steps:
        by_place = await past(campaigns, story.brand, stream, until_position=step.position)
        by_time = await past(campaigns, story.brand, stream, until=step.recorded_at)
        by_version = await past(campaigns, story.brand, stream, until_version=step.version)
        assert by_place.version == step.version
        assert by_version == by_place
        assert by_time.state == by_place.state
        campaign = campaigns_pb.Campaign()
        assert by_place.state.Unpack(campaign)
        statuses.append(campaign.status)
    assert statuses == [
        campaigns_pb.CAMPAIGN_STATUS_DRAFT,
        campaigns_pb.CAMPAIGN_STATUS_PUBLISHED,
        campaigns_pb.CAMPAIGN_STATUS_PAUSED,
    ]
    before = await past(campaigns, story.brand, stream, until_position=steps[0].position - 1)
    assert (before.version, before.HasField("state")) == (0, False)


async def test_the_newest_past_state_is_the_read_models(campaigns: Running) -> None:
    """Every thing of a deal, folded anew, is what its own query shows."""
    story = Story(campaigns)
    await story.publish()
    await story.agree(100_000)
    shown = await story.funded()
    found = await past(campaigns, story.creator, f"collaboration-{story.collaboration_id}")
    collaboration = campaigns_pb.Collaboration()
    assert found.state.Unpack(collaboration)
    assert collaboration == shown
    application = campaigns_pb.Application()
    found = await past(campaigns, story.brand, f"application-{story.collaboration_id}")
    assert found.state.Unpack(application)
    assert application.status == campaigns_pb.APPLICATION_STATUS_ACCEPTED
    assert application.offer.total_minor == 110_000


async def test_private_events_are_named_to_operators_and_to_nobody_else(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish()
    await story.agree(100_000)
    await story.funded()
    stream = f"funding-{story.collaboration_id}"
    found = await history(campaigns, OPERATOR, stream)
    assert found.events[0].type.endswith("@1")
    assert not found.events[0].HasField("event")
    for who in (story.brand, story.creator, REVIEWER):
        assert "stream.unknown" in await refusal(campaigns, who, "GetHistory", pb.GetHistoryRequest(stream=stream))


async def test_a_marked_deal_is_for_staff(campaigns: Running) -> None:
    story = Story(campaigns)
    story.brand = (story.creator[0], *story.brand[1:])  # one person on both sides: the deal is marked
    await story.publish()
    await story.agree(100_000)
    stream = f"application-{story.collaboration_id}"
    assert "DealMarked" in named(await history(campaigns, OPERATOR, stream))
    mine = await history(campaigns, story.creator, stream)
    assert "DealMarked" not in named(mine)
    assert "ApplicationAccepted" in named(mine)


async def test_an_own_write_is_in_its_history(campaigns: Running) -> None:
    story = await amended(campaigns)
    receipt = await campaigns.done("POST", f"/campaigns/{story.campaign_id}/resume", None, story.brand)
    found = await history(campaigns, story.brand, receipt["stream"], at_least=receipt["token"])
    assert named(found)[-1] == "CampaignResumed"
