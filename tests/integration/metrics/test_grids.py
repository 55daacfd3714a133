"""From a creator's own post and a collaboration's content to PerformanceUpdated on the topic, over both stores."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.metrics.v1 import events_pb2 as events
from dandelion_contracts.wire import stamp

from kernel.core.ids import new_id
from services.metrics.passes.grids import Measuring
from tests.integration.metrics.client import Deal, Metrics
from tests.integration.metrics.test_engagement import sent
from tests.kit.until import until


async def now(metrics: Metrics) -> datetime:
    return await metrics.app.log.now()


async def posted(metrics: Metrics, deal: Deal, published_at: datetime) -> str:
    """A creator's own post that metrics knows of when this returns; its content id."""
    body = {
        "creator_id": deal.creator_id,
        "platform": "douyin",
        "platform_post_id": uuid4().hex,
        "format": "video",
        "published_at": published_at.isoformat(),
    }
    receipt = await metrics.done("POST", "/posts", body, deal.creator)
    await metrics.app.at_least(receipt["token"], "registry")
    return str(receipt["stream"].removeprefix("post-"))


def total(content_id: str, metric: str, value: int, at: datetime, **more: str) -> dict[str, Any]:
    row = {"content_id": content_id, "metric": metric, "value": value, "observed_at": at.isoformat()}
    return row | {"kind": "snapshot"} | more


async def grids(metrics: Metrics, creator_id: str) -> list[events.PerformanceUpdated]:
    """What the topic says of the creator, in order."""
    name = "metrics.events.v1"
    ends = {where: end for where, end in (await metrics.app.bus.end_offsets([name])).items() if end}
    reader = await metrics.app.bus.reader(dict.fromkeys(ends, 0), f"test-{uuid4()}")
    found = []
    try:
        while any(ends.values()):
            for where, records in (await reader.read(1_000, 1)).items():
                ends[where] = max(0, ends[where] - len(records))
                found += [one for one in records if one.header("ce_type").endswith("PerformanceUpdated")]
    finally:
        await reader.close()
    told = [events.PerformanceUpdated.FromString(one.value) for one in found]
    return [one for one in told if one.creator_id == creator_id]


async def measured(metrics: Metrics, creator_id: str, times: int, at: datetime) -> events.PerformanceUpdated:
    """The grid after a pass, when it is the `times`-th that was said."""
    await Measuring(metrics.app, 1).once(at)

    async def said() -> bool:
        return len(await grids(metrics, creator_id)) >= times

    await until(said)
    return (await grids(metrics, creator_id))[-1]


async def test_own_posts_and_cooperations_become_a_grid(metrics: Metrics) -> None:
    deal, at = await metrics.contracted(), await now(metrics)
    content_id = await posted(metrics, deal, at - timedelta(days=2))
    up = campaigns.ContentPublished(deliverable_id=deal.contents[0], published_at=stamp(at - timedelta(days=40)))
    token = await metrics.tell(f"collaboration-{deal.collaboration_id}", up)
    await metrics.app.at_least(token, "registry")
    await sent(metrics, [total(content_id, "exposures", 1_000, at), total(content_id, "views", 400, at)])
    await sent(metrics, [total(deal.contents[0], "exposures", 70, at, traffic="paid")])
    await metrics.done("POST", "/engagement", {"rows": [total(content_id, "exposures", 9_999_999, at)]}, deal.creator)
    found = await measured(metrics, deal.creator_id, 1, at)
    cells = {(int(one.purpose), one.window_days, int(one.traffic)): one for one in found.cells}
    daily, made, organic = map(int, (events.PURPOSE_DAILY, events.PURPOSE_COOPERATION, common.TRAFFIC_ORGANIC))
    assert cells.keys() == {(daily, 30, 0), (daily, 90, 0), (daily, 30, organic), (daily, 90, organic), (made, 90, 0)}
    cell = cells[daily, 30, 0]
    assert (cell.contents, cell.exposure_median, cell.read_median, cell.read_rate) == (1, 1_000, 400, 0.4)
    assert (cell.provenance, cell.HasField("engagement_median")) == (common.PROVENANCE_PLATFORM, False)
    assert cells[made, 90, 0].exposure_median == 70
    assert found.formula == "grid@1"


async def test_a_grid_is_said_again_where_it_changed_only(metrics: Metrics) -> None:
    deal, at = Deal(), await now(metrics)
    content_id = await posted(metrics, deal, at)
    await sent(metrics, [total(content_id, "views", 5, at)])
    await measured(metrics, deal.creator_id, 1, at + timedelta(seconds=1))
    await Measuring(metrics.app, 1).once(at + timedelta(seconds=2))
    await sent(metrics, [total(content_id, "views", 8, at + timedelta(seconds=1))])
    second = await measured(metrics, deal.creator_id, 2, at + timedelta(seconds=3))
    assert [cell.read_median for cell in second.cells] == [8] * 4
    assert len(await grids(metrics, deal.creator_id)) == 2


async def test_a_post_is_no_line_of_a_campaign_and_nobody_else_reports_of_it(metrics: Metrics) -> None:
    deal, at = Deal(), await now(metrics)
    content_id = await posted(metrics, deal, at)
    assert not (await metrics.performance(deal.creator)).rows
    answer = await metrics.send("POST", "/engagement", {"rows": [total(content_id, "views", 1, at)]}, Deal().brand)
    assert answer.status_code == 404
    link = {"deliverable_id": content_id, "target_url": "https://shop.example/a", "code": new_id()[:20]}
    assert await metrics.refused("PUT", f"/links/{new_id()}", link, Deal().brand) == "deliverable.not_found"
