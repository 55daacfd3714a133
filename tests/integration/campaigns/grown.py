"""The later version of campaigns, over a folder that today's version has filled; run by test_growth.py."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from dandelion.campaigns.v1 import queries_pb2 as pb

from kernel.streams.relay import Relay
from kernel.streams.republish import republish_topic
from kernel.verify.invariants import broken, check_service
from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE
from tests.integration.campaigns.conftest import OTHERS
from tests.integration.campaigns.story import Story
from tests.integration.campaigns.test_growth import hashes
from tests.kit.quiet import until_quiet
from tests.kit.running import Running, running


async def goes_on(folder: Path) -> None:
    kept = json.loads((folder / "kept.json").read_text())
    async with running(SERVICE, CampaignsSettings, folder) as campaigns:
        campaigns.last.update({(topic, partition): last for topic, partition, last in kept["told"]})
        campaigns.position.update(kept["positions"])
        stories = {name: Story(campaigns, **values) for name, values in kept["stories"].items()}
        await _agreed_before(stories)
        await _drafted_before(stories["drafted"])
        await _accepted_now(stories["offered"])
        await _paid(stories["published"])
        await until_quiet(campaigns.app)
        await _sent_again(campaigns)
        await until_quiet(campaigns.app)
        _same_hashes(kept["hashes"], await hashes(campaigns))
        if found := broken(await check_service(campaigns.app)):
            raise AssertionError("\n".join(found))


async def _agreed_before(stories: dict[str, Story]) -> None:
    """The contract that was asked for is made, and work in progress stands as agreed."""
    await stories["accepted"].funded()
    for name in ("funded", "published"):
        assert (await stories[name].get()).status == pb.COLLABORATION_STATUS_FUNDED


async def _drafted_before(story: Story) -> None:
    """A draft is published under the hash that it was drafted with."""
    before = (await story.campaign()).brief.terms_hash
    await story.open()
    assert (await story.campaign()).brief.terms_hash == before != ""


async def _accepted_now(story: Story) -> None:
    """An offer from before is accepted, contracted and funded."""
    await story.accept()
    await story.funded()


async def _paid(story: Story) -> None:
    deliverable_id = (await story.get()).deliverables[0].deliverable.deliverable_id
    await story.look(deliverable_id, ok=True)
    await story.pay()
    await story.stage(pb.DELIVERABLE_STATUS_SETTLED)


async def _sent_again(campaigns: Running) -> None:
    """All topics republished from the log, beside what the relay has sent."""
    app = campaigns.app
    relay = Relay(SERVICE.name, app.log, app.bus, SERVICE.codec, SERVICE.publish, app.deciders.partitions)
    for topic in ("campaigns.events.v1", "campaigns.commands.v1", *OTHERS):
        await republish_topic(relay, app.log, app.bus, topic)


def _same_hashes(before: dict[str, str], now: dict[str, Any]) -> None:
    """Read from the topics after republishing: the last record of each event counts."""
    assert before
    assert {name: now[name] for name in before} == before


if __name__ == "__main__":
    asyncio.run(goes_on(Path(sys.argv[1])))
    sys.stdout.write("grown: all goes on\n")
