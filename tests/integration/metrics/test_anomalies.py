"""Anomalies by their list: whose they are, who may see them; and waves of refunds, looked for over the orders of campaigns."""

import grpc
import pytest
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.metrics.v1.events_pb2 import AnomalyDetected

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from services.metrics.domain.anomaly.refunds import LEAST
from services.metrics.domain.anomaly.window import Rule, Windows
from services.metrics.domain.engagement import Envelope
from services.metrics.passes.refunds import Waves
from services.metrics.watch import Watch
from tests.integration.metrics.client import Deal, Metrics, Who
from tests.integration.metrics.test_returns import order
from tests.kit.until import until
from tests.unit.metrics.batches import batch, row

RULE = Rule(size_s=60, kept=5, least=50, factor=3)


async def listed(metrics: Metrics, who: Who, **asked: object) -> list[AnomalyDetected]:
    async with metrics.queries(who) as queries:
        answer: pb.ListAnomaliesResponse = await queries.ListAnomalies(pb.ListAnomaliesRequest(**asked))  # type: ignore[arg-type]
        return list(answer.anomalies)


async def burst(metrics: Metrics, content_id: str) -> None:
    """Ten likes in each of four minutes, then 200."""
    watch = Watch(metrics.app.bus, metrics.app.database, Windows(RULE))
    for minute, likes in enumerate([10, 10, 10, 10, 200]):
        rows = batch(row(likes, minute * 60), contents=(content_id,))
        await watch.add([Envelope(new_id(), "platform", new_id(), 0, rows)], system_clock())
    await watch.close()


async def seen(metrics: Metrics, who: Who, count: int, **asked: object) -> list[AnomalyDetected]:
    async def all_there() -> bool:
        return len(await listed(metrics, who, **asked)) == count

    await until(all_there)
    return await listed(metrics, who, **asked)


async def test_a_burst_names_its_campaign_and_is_seen_by_its_parties(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    await burst(metrics, deal.contents[0])
    await burst(metrics, deal.contents[0])
    (found,) = await seen(metrics, deal.brand, 1)
    assert (found.kind, found.content_id, found.observed, found.expected_max) == ("burst", deal.contents[0], 200, 30)
    assert (found.campaign_id, found.creator_id, found.brand_id) == (deal.campaign_id, deal.creator_id, deal.brand_id)
    assert [one.anomaly_id for one in await listed(metrics, deal.creator)] == [found.anomaly_id]
    assert await listed(metrics, Deal().brand) == []
    for asked, count in (
        ({"campaign_id": deal.campaign_id, "kinds": ["burst"]}, 1),
        ({"creator_id": deal.creator_id, "kinds": ["plateau"]}, 0),
        ({"content_id": deal.contents[0]}, 1),
        ({"campaign_id": new_id()}, 0),
    ):
        assert len(await listed(metrics, ("ann", "platform", "auditor"), **asked)) == count


async def test_a_content_that_nobody_knows_is_raised_for_staff(metrics: Metrics) -> None:
    content_id = new_id()
    await burst(metrics, content_id)
    (found,) = await seen(metrics, ("olga", "platform", "operator"), 1, content_id=content_id)
    assert (found.campaign_id, found.creator_id) == ("", "")


async def test_pages_go_on_where_the_last_one_ended(metrics: Metrics) -> None:
    deal = await metrics.contracted(Deal(deliverables=3))
    for content_id in deal.contents:
        await burst(metrics, content_id)
    whole = await seen(metrics, deal.brand, 3)
    async with metrics.queries(deal.brand) as queries:
        first = await queries.ListAnomalies(pb.ListAnomaliesRequest(page_size=2))
        rest = await queries.ListAnomalies(pb.ListAnomaliesRequest(page_size=2, page_token=first.page.next_page_token))
    assert [one.anomaly_id for one in (*first.anomalies, *rest.anomalies)] == [one.anomaly_id for one in whole]


async def test_what_is_no_kind_is_refused(metrics: Metrics) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match=r"anomaly\.kind_unknown"):
        await listed(metrics, Deal().brand, kinds=["boom"])


async def test_refunds_far_beyond_the_orders_are_a_wave_raised_once_a_day(metrics: Metrics) -> None:
    deal, quiet = await metrics.contracted(), await metrics.contracted()
    token = ""
    for number in range(LEAST + 5):
        order_id = new_id()
        body = order(f"W{number}", deliverable_id=deal.contents[0])
        await metrics.done("PUT", f"/orders/{order_id}", body, deal.brand)
        refund = {"refund_id": new_id(), "amount_minor": None}
        token = (await metrics.done("POST", f"/orders/{order_id}/refunds", refund, deal.brand))["token"]
    await metrics.done("PUT", f"/orders/{new_id()}", order("Q1", deliverable_id=quiet.contents[0]), quiet.brand)
    await metrics.app.at_least(token, "anomalies")
    waves = Waves(metrics.app, 300)
    for _ in range(2):
        assert await waves.once(system_clock()) == 1
    (found,) = await seen(metrics, deal.brand, 1)
    assert (found.kind, found.content_id, found.campaign_id) == ("refund_wave", "", deal.campaign_id)
    assert (found.observed, found.expected_max, found.formula) == (LEAST + 5, 7, "refund_wave@1")
    assert await listed(metrics, quiet.brand) == []
