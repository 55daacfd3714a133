"""What an answer to an offer says: a repeat is the same answer of the same side, its token leads to the collaboration that comes
of it, and an ended pair begins anew."""

from functools import partial
from importlib import import_module
from typing import Any

import grpc
import pytest
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub

from kernel.core.ids import new_id
from kernel.processors import read_your_writes
from kernel.processors.read_your_writes import until_there
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


async def work(story: Story, who: tuple[str, ...], at_least: str, collaboration_id: str = "") -> pb.Collaboration:
    async with story.campaigns.channel(who) as channel:
        request = pb.GetCollaborationRequest(
            collaboration_id=collaboration_id or story.collaboration_id, at_least=at_least
        )
        return (await CampaignQueryServiceStub(channel).GetCollaboration(request)).collaboration


async def accepted(story: Story) -> str:
    """The token of an acceptance."""
    await story.publish()
    await story.apply(100_000)
    accept = f"/applications/{story.collaboration_id}/accept"
    receipt: dict[str, Any] = await story.campaigns.done("POST", accept, {"brief_version": 1}, story.brand)
    assert receipt["token"].endswith(f":collaboration-{story.collaboration_id}")
    return str(receipt["token"])


async def test_the_token_of_an_acceptance_leads_to_the_collaboration(campaigns: Running) -> None:
    """At once, with no asking again: the query waits for what the processes have yet to make."""
    story = Story(campaigns)
    token = await accepted(story)
    assert (await work(story, story.brand, token)).status == pb.COLLABORATION_STATUS_CONTRACTED
    other = Story(campaigns)
    token = await accepted(other)
    async with campaigns.channel(other.creator) as channel:
        request = pb.ListCollaborationsRequest(campaign_id=other.campaign_id, at_least=token)
        (found,) = (await CampaignQueryServiceStub(channel).ListCollaborations(request)).collaborations
    assert found.collaboration_id == other.collaboration_id


async def test_what_does_not_come_is_pending_and_strangers_learn_nothing(
    campaigns: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(campaigns)
    token = await accepted(story)
    await work(story, story.brand, token)
    monkeypatch.setattr(read_your_writes, "until_there", partial(until_there, limit_s=0.0))
    stranger, nowhere = ("mallory", new_id(), "brand"), new_id()
    for who, id_ in ((story.brand, nowhere), (stranger, nowhere), (stranger, story.collaboration_id)):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await work(story, who, f"campaigns:1::collaboration-{id_}", id_)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "collaboration.pending" in str(refused.value.details())
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await work(story, who, "", id_)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_an_ended_pair_begins_anew(campaigns: Running) -> None:
    """With a collaboration, deliverables and escrows of its own; the budget counts both."""
    story = Story(campaigns)
    await story.publish()
    await story.agree(100_000)
    await story.funded()
    first, application = await story.get(), story.collaboration_id
    path, invite = f"/campaigns/{story.campaign_id}/invite", {"creator_id": story.creator[1], "fees_minor": [150_000]}
    assert await campaigns.refused("POST", path, invite, story.brand) == "application.still_at_work"
    await story.act("cancel", {"reason": "budget_cut"}, story.creator)
    await campaigns.done("POST", path, invite, story.brand)
    accept = f"/applications/{application}/accept"
    receipt = await campaigns.done("POST", accept, {"brief_version": 1}, story.creator)
    second = receipt["token"].rpartition(":collaboration-")[2]
    found = await work(story, story.creator, receipt["token"], second)
    assert found.status == pb.COLLABORATION_STATUS_CONTRACTED
    assert second not in ("", first.collaboration_id)
    ids = {one.deliverable.deliverable_id for one in (*first.deliverables, *found.deliverables)}
    assert len(ids) == 2
    listing = await listed(story)
    assert (listing.application_id, listing.collaboration_id) == (application, second)
    story.collaboration_id = second
    await story.hold()

    async def funded() -> bool:
        return (await work(story, story.brand, "", second)).status == pb.COLLABORATION_STATUS_FUNDED

    await until(funded)
    assert (await work(story, story.brand, "", first.collaboration_id)).status == pb.COLLABORATION_STATUS_CANCELLED


async def test_a_log_of_before_gets_its_agreements_by_the_migration(campaigns: Running) -> None:
    """As the writer has kept them for all that this module's tests have agreed, ended and agreed again."""
    story = Story(campaigns)
    await work(story, story.brand, await accepted(story))
    table = campaigns.app.metadata.tables["agreements"]
    migration = import_module("services.campaigns.migrations.versions.0003_agreements")

    async def rows() -> list[tuple[Any, ...]]:
        async with campaigns.app.database.reading() as connection:
            found = await connection.execute(table.select().order_by(table.c.collaboration_id))
            return [tuple(row) for row in found]

    kept = await rows()
    async with campaigns.app.log.transaction() as connection:
        await connection.execute(table.delete())
        await connection.run_sync(migration.fill)
    assert await rows() == kept
    assert {row[-1] for row in kept} >= {"at_work"}
