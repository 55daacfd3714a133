"""Stored events outlive a change of their types: what one version stored, the next one replays, relays and settles."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as pb
from dandelion.campaigns.v1 import queries_pb2

from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE
from tests.integration.campaigns.conftest import OTHERS
from tests.integration.campaigns.story import Story
from tests.kit.quiet import until_quiet
from tests.kit.running import Running, running
from tests.kit.until import until

ROOT = Path(__file__).resolve().parents[3]
GROWTH = {
    "services.campaigns.domain.shared.brief": ["Brief", "Product", "DeliverableSpec"],
    "services.campaigns.domain.shared.terms": ["Terms", "Clocks"],
    "services.campaigns.domain.shared.contract": ["Contract", "DeliverableTerms"],
}
WITHOUT_RELAY = ("project", "process", "rpc")


async def test_what_was_stored_before_brief_terms_and_contract_grew_goes_on(tmp_path: Path) -> None:
    async with running(SERVICE, CampaignsSettings, tmp_path, topics=OTHERS) as campaigns:
        kept = await _stored(campaigns)
    async with running(SERVICE, CampaignsSettings, tmp_path, WITHOUT_RELAY) as campaigns:
        kept |= await _accepted(campaigns, kept)
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    program = "tests.integration.campaigns.grown"
    command = [sys.executable, "-m", "tests.kit.grown", json.dumps(GROWTH), program, str(tmp_path)]
    path = f"{ROOT}{os.pathsep}{ROOT / 'contracts'}"
    made = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert made.stdout.splitlines()[-1] == "grown: all goes on"


async def _stored(campaigns: Running) -> dict[str, Any]:
    """A draft, an offer that nobody has answered, a collaboration with its money, and another one with its post."""
    drafted, offered, funded, published = (Story(campaigns) for _ in range(4))
    await drafted.draft()
    await offered.publish()
    await offered.apply(100_000)
    for story in (funded, published):
        await story.publish()
        await story.agree(100_000)
        await story.funded()
    view = (await published.get()).deliverables[0]
    await published.post(view.deliverable.deliverable_id)
    await published.stage(queries_pb2.DELIVERABLE_STATUS_PUBLISHED)
    await until_quiet(campaigns.app)
    return {
        "stories": {"drafted": _of(drafted), "offered": _of(offered), "funded": _of(funded), "published": _of(published)},
        "hashes": await hashes(campaigns),
        **_told(campaigns),
    }  # fmt: skip


async def _accepted(campaigns: Running, kept: dict[str, Any]) -> dict[str, Any]:
    """Accepted, and its contract asked for, while no relay runs: the request is stored and not sent."""
    campaigns.last.update({(topic, partition): last for topic, partition, last in kept["told"]})
    campaigns.position.update(kept["positions"])
    story = Story(campaigns)
    await story.publish()
    await story.agree(100_000)

    async def asked() -> bool:
        names = [event.name for event in await campaigns.app.log.read(0, 10_000)]
        return names.count("request.contract@1") == 3

    await until(asked)
    return {"stories": kept["stories"] | {"accepted": _of(story)}, **_told(campaigns)}


def _told(campaigns: Running) -> dict[str, Any]:
    """Where the topics of the services that the test plays stand."""
    return {
        "told": [[*where, last] for where, last in campaigns.last.items()],
        "positions": dict(campaigns.position),
    }


def _of(story: Story) -> dict[str, Any]:
    names = ("clocks", "campaign_id", "brand", "creator", "collaboration_id")
    return {name: getattr(story, name) for name in names}


async def hashes(campaigns: Running) -> dict[str, str]:
    """The `terms_hash` of each public event, by the event's id and type."""
    found: dict[str, str] = {}
    for record in await campaigns.records("campaigns.events.v1"):
        name = record.header("ce_type").rpartition(".")[2]
        message = getattr(pb, name).FromString(record.value)
        seal = getattr(getattr(message, "brief", message), "terms_hash", "")
        if seal:
            found[f"{record.header('ce_id')} {name}"] = seal
    return found
