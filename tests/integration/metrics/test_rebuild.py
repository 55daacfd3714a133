"""What is shown can be made anew from the log and the topics, byte for byte."""

from pathlib import Path

from dandelion.metrics.v1 import queries_pb2 as pb

from kernel.core.ids import new_id, stream_id
from kernel.processors import generations
from services.metrics.codec import CODEC
from services.metrics.domain.anomaly.anomaly import AnomalyKind, ReportAnomaly, anomaly_id
from services.metrics.domain.engagement import Metric
from services.metrics.projections import PROJECTIONS
from services.metrics.projections.sentiment import SENTIMENT_SUMS
from services.metrics.subscribe import decode
from tests.integration.metrics.client import OPERATOR, Deal, Metrics, running
from tests.integration.metrics.test_engagement import row, sent
from tests.integration.metrics.test_returns import click, link, order
from tests.kit.generations import dump
from tests.kit.until import until
from tests.unit.metrics.batches import START_MS


async def a_busy_day(metrics: Metrics) -> Deal:
    """Clicks, orders, refunds, payments, counts of both kinds, a batch sent twice, contents known late."""
    deal = await metrics.contracted(Deal(deliverables=2))
    later = Deal(deal.brand_id, campaign_id=deal.campaign_id)
    await metrics.proven(deal.brand_id, "other.example")
    click_id = await click(metrics, await link(metrics, deal))
    order_id, key = new_id(), new_id()
    await metrics.done("PUT", f"/orders/{order_id}", order(new_id()[:20], click_ids=[click_id]), deal.brand)
    await metrics.done("POST", f"/orders/{order_id}/refunds", {"refund_id": new_id(), "amount_minor": 70}, deal.brand)
    rows = [
        row(content, n, n * 7, kind=("increment", "snapshot")[n % 5 == 0])
        for n in range(300)
        for content in deal.contents
    ]
    await sent(metrics, rows, key)
    await metrics.done("POST", "/engagement", {"rows": rows}, OPERATOR, key)
    await sent(metrics, [row(later.contents[0], n, n) for n in range(50)])
    await metrics.paid(deal, 900, 800)
    post = {"creator_id": deal.creator_id, "platform": "weibo", "platform_post_id": "9", "format": "video"}
    published_at = (await metrics.app.log.now()).isoformat()
    await metrics.done("POST", "/posts", post | {"published_at": published_at}, deal.creator)
    await metrics.contracted(later)
    for content in deal.contents:
        await _released(metrics, content)
    return deal


async def _released(metrics: Metrics, content: str) -> None:
    """A jump whose excess staff found to be people."""
    await sent(metrics, [row(content, 3_000_000, 7_200, metric="saves")])

    async def aside() -> bool:
        async with metrics.queries() as queries:
            found = await queries.GetPayableNumbers(pb.GetPayableNumbersRequest(content_id=content))
        return any(each.reason == "band.above" for one in found.numbers for each in one.set_aside)

    await until(aside)
    body = {"count": 5, "reason": "went_viral"}
    receipt = await metrics.done("POST", f"/contents/{content}/payable/saves/release", body, OPERATOR)
    await metrics.app.at_least(receipt["token"], "excess")


def found(content_id: str, brand_id: str) -> tuple[str, ReportAnomaly]:
    """An anomaly's stream and what the stream role reports."""
    window = (Metric.LIKES, START_MS, 60)
    command = ReportAnomaly(AnomalyKind.BURST, content_id, "", "", brand_id, *window, 5_000, 1_200, "burst@1")
    return stream_id("anomaly", anomaly_id(command)), command


async def test_rebuild_equals_live(tmp_path: Path) -> None:
    async with running(tmp_path) as metrics:
        deal = await a_busy_day(metrics)
        await metrics.as_clock(*found(deal.contents[0], deal.brand_id))
        receipt = await metrics.done("PUT", f"/orders/{new_id()}", order("last"), deal.brand)
        for name in ("counts", "returns", "registry", "anomalies"):
            await metrics.app.at_least(receipt["token"], name)
        app = metrics.app
        for projection in PROJECTIONS:
            before = await generations.live_generation(app.database, projection)
            live = await dump(app.database, projection, before)
            after = await generations.Rebuild(
                projection, app.database, app.log, CODEC, "metrics", app.bus, decode
            ).run()
            assert len(live) > 1 or projection is SENTIMENT_SUMS
            assert await dump(app.database, projection, after) == live


async def test_a_restart_counts_nothing_twice(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        deal = await first.contracted()
        key = new_id()
        await sent(first, [row(deal.contents[0], 5)], key)
        clicked = await click(first, await link(first, deal))
        await first.done("PUT", f"/orders/{new_id()}", order("R1", click_ids=[clicked]), deal.brand)
    async with running(tmp_path) as second:
        await second.done("POST", "/engagement", {"rows": [row(deal.contents[0], 5)]}, OPERATOR, key)
        receipt = await second.done("PUT", f"/orders/{new_id()}", order("R2"), deal.brand)
        await sent(second, [row(deal.contents[0], 1, metric="saves")])
        found = (await second.roi(deal.campaign_id, at_least=receipt["token"])).counts
        assert (found.likes, found.saves, found.clicks, found.orders) == (5, 1, 1, 1)
