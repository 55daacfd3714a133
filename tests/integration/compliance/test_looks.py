"""Published posts are looked at: what campaigns says schedules looks, the platform is asked, the answer is published."""

from hashlib import sha256

import pytest
from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.compliance.v1 import events_pb2 as events

from services.compliance.ports import Seen
from tests.integration.compliance.client import Compliance
from tests.integration.compliance.submissions import Deal
from tests.kit.until import until

TEXT = "广告 周末出门妆，持妆不错"


async def published(compliance: Compliance, seen: Seen | None, **changes: int) -> Deal:
    deal = Deal()
    message = deal.published(TEXT, **changes)
    if seen is not None:
        compliance.platform.posts[message.post_id] = seen
    await compliance.tell(f"collaboration-{deal.collaboration_id}", message, deal.brand_id)
    return deal


@pytest.mark.parametrize(
    ("seen", "found", "label", "text", "missing"),
    [
        (Seen(TEXT), True, True, True, 0),
        (Seen("周末出门妆，持妆不错"), True, False, False, 1),
        (Seen("周末出门妆，持妆不错", label="广告"), True, True, False, 0),
        (Seen(TEXT + "，改了一句"), True, True, False, 0),
        (None, False, False, False, 0),
    ],
)
async def test_a_look_tells_what_stands_there(
    compliance: Compliance, seen: Seen | None, found: bool, label: bool, text: bool, missing: int
) -> None:
    deal = await published(compliance, seen)
    (told,) = await compliance.published(deal.deliverable_id, "ContentLookedAt")
    looked = told.read(events.ContentLookedAt)
    assert (looked.found, looked.label_present, looked.text_unchanged) == (found, label, text)
    assert looked.ok is (found and label and text)
    assert looked.text_hash == (sha256(seen.text.encode()).hexdigest() if seen else "")
    alarms = [
        one
        for one in await compliance.events()
        if one.kind == "DisclosureMissing" and deal.deliverable_id in one.stream
    ]
    assert len(alarms) == missing


async def test_the_next_look_is_a_day_after_publication(compliance: Compliance) -> None:
    deal = await published(compliance, Seen(TEXT))
    (requested,) = await compliance.published(deal.deliverable_id, "LookRequested")
    rows = await deadlines(compliance, f"look-{deal.deliverable_id}")
    assert requested.read(events.LookRequested).ordinal == 1
    assert [row["data"] for row in rows] == ['{"ordinal":2}']


async def test_what_is_taken_down_is_not_looked_at_again(compliance: Compliance) -> None:
    deal = await published(compliance, Seen(TEXT), live_check_after_s=3_600)
    await compliance.published(deal.deliverable_id, "LooksScheduled")
    assert len(await deadlines(compliance, f"look-{deal.deliverable_id}")) == 1
    down = campaigns.ContentTakenDown(deliverable_id=deal.deliverable_id, reason="brand.request")
    await compliance.tell(f"collaboration-{deal.collaboration_id}", down, deal.brand_id)
    (ended,) = await compliance.published(deal.deliverable_id, "LooksEnded")
    assert ended.read(events.LooksEnded).reason == "brand.request"
    assert await deadlines(compliance, f"look-{deal.deliverable_id}") == []


async def test_a_platform_that_does_not_answer_is_asked_again(compliance: Compliance) -> None:
    compliance.platform.down, before = True, compliance.platform.asked
    deal = await published(compliance, Seen(TEXT))

    async def asked_twice() -> bool:
        return compliance.platform.asked >= before + 2

    await until(asked_twice)
    compliance.platform.down = False
    (told,) = await compliance.published(deal.deliverable_id, "ContentLookedAt")
    assert told.read(events.ContentLookedAt).ok


async def deadlines(compliance: Compliance, stream: str) -> list[dict[str, object]]:
    table = compliance.app.metadata.tables["deadlines"]
    async with compliance.app.database.reading() as connection:
        rows = await connection.execute(table.select().where(table.c.stream == stream))
        return [dict(row) for row in rows.mappings()]
