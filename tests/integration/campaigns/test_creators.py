"""Whom discovery has suspended, closed or never heard of takes no new job in campaigns, from the topic to the refusal."""

from datetime import timedelta
from functools import partial

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.compliance.v1 import events_pb2 as compliance
from dandelion.discovery.v1 import events_pb2 as discovery
from dandelion_contracts.wire import stamp

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from tests.integration.campaigns.story import Story, is_heard
from tests.kit.running import Running
from tests.kit.until import until


async def invited(story: Story) -> str:
    """The code of the refusal of an invitation, or empty."""
    body = {"creator_id": story.creator[1], "fees_minor": [100_000]}
    answer = await story.campaigns.send("POST", f"/campaigns/{story.campaign_id}/invite", body, story.brand)
    return "" if answer.status_code == 201 else str(answer.json()["code"])


async def test_nobody_invites_whom_nobody_knows(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish()
    assert await invited(story) == "creator.unknown"


async def test_what_discovery_says_binds_invitations_and_acceptances(campaigns: Running) -> None:
    story = Story(campaigns)
    creator_id = story.creator[1]
    stream = f"creator-{creator_id}"
    await story.publish()
    await story.apply(100_000)
    until_ = stamp(system_clock() + timedelta(days=30))
    said = [
        (discovery.CreatorSuspended(creator_id=creator_id, reason="x", until=until_), {"suspended": True}),
        (discovery.CreatorReinstated(creator_id=creator_id), {"suspended": False}),
        (
            discovery.AvailabilityChanged(creator_id=creator_id, availability=discovery.AVAILABILITY_CLOSED),
            {"open": False},
        ),
    ]
    accept, version = f"/applications/{story.collaboration_id}/accept", {"brief_version": 1}
    for message, row in said:
        await campaigns.tell(stream, message)
        await until(partial(is_heard, campaigns, creator_id, **row))
        if row != {"suspended": False}:
            code = "creator.suspended" if "suspended" in row else "creator.closed"
            assert await campaigns.refused("POST", accept, version, story.brand) == code
    again = discovery.AvailabilityChanged(
        creator_id=creator_id, availability=discovery.AVAILABILITY_OPEN, max_parallel_jobs=1
    )
    await campaigns.tell(stream, again)
    await until(lambda: is_heard(campaigns, creator_id, open=True, max_parallel_jobs=1))
    await story.accept()
    await story.funded()
    other = Story(campaigns, creator=story.creator)
    await other.publish()
    assert await invited(other) == "creator.fully_booked"
    await story.act("cancel", {"reason": "no_time"}, story.creator)
    await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_CANCELLED)
    assert await invited(other) == ""


async def test_who_is_forgotten_takes_no_job(campaigns: Running) -> None:
    story = Story(campaigns, creator=("clara", new_id(), "creator"))
    creator_id = story.creator[1]
    await story.publish()
    await story.apply(100_000)
    await campaigns.tell(f"erasure-{creator_id}", compliance.SubjectErased(subject_id=creator_id))
    await until(lambda: is_heard(campaigns, creator_id, forgotten=True))
    accept = f"/applications/{story.collaboration_id}/accept"
    assert await campaigns.refused("POST", accept, {"brief_version": 1}, story.brand) == "creator.unknown"
