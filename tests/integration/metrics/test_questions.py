"""Pages, minutes and watches of performance over gRPC."""

from datetime import UTC, timedelta
from typing import Any

import grpc
import pytest
from dandelion.metrics.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from tests.integration.metrics.client import Deal, Metrics
from tests.integration.metrics.test_engagement import START, row, sent
from tests.kit.until import within


async def test_pages_neither_repeat_nor_skip(metrics: Metrics) -> None:
    brand_id = new_id()
    deals = [await metrics.contracted(Deal(brand_id, deliverables=3)) for _ in range(3)]
    contents = [content for deal in deals for content in deal.contents]
    await sent(metrics, [row(content, n // 2) for n, content in enumerate(contents)])
    who = ("bella", brand_id, "brand")
    for group, expected in ((1, 9), (2, 3), (3, 3)):
        seen: list[pb.PerformanceRow] = []
        token = ""
        while True:
            page = await metrics.performance(who, group_by=group, page_size=2, page_token=token)
            seen += page.rows
            token = page.page.next_page_token
            if not token:
                break
        ids = [(line.campaign_id, line.creator_id, line.content_id) for line in seen]
        assert len(set(ids)) == len(ids) == expected
        sorts = [line.counts.engagements for line in seen]
        assert sorts == sorted(sorts, reverse=True)
        assert sum(sorts) == sum(n // 2 for n in range(9))
    first = await metrics.performance(who, page_size=2)
    with pytest.raises(grpc.aio.AioRpcError, match="page_token"):
        await metrics.performance(who, page_token=first.page.next_page_token, order_by="orders desc")


async def test_minute_by_minute(metrics: Metrics) -> None:
    deal = await metrics.contracted(Deal(deliverables=2))
    a, b = deal.contents
    await sent(metrics, [row(a, 1), row(b, 2, 59), row(a, 4, 60), row(a, 8, 180, "reads"), row(a, 99, kind="snapshot")])
    asked: dict[str, Any] = {"campaign_id": deal.campaign_id, "group_by": 4, "page_size": 2}
    page = await metrics.performance(**asked)
    rest = await metrics.performance(**asked, page_token=page.page.next_page_token)
    lines = [*page.rows, *rest.rows]
    assert [(each.minute.ToDatetime(UTC) - START).seconds for each in lines] == [0, 60, 180]
    assert [(each.counts.likes, each.counts.reads) for each in lines] == [(3, 0), (4, 0), (0, 8)]
    assert not rest.page.next_page_token
    bounded = pb.ListCampaignPerformanceRequest(campaign_id=deal.campaign_id, group_by=pb.PERFORMANCE_GROUP_MINUTE)
    bounded.observed_from.FromDatetime(START + timedelta(seconds=1))
    bounded.observed_until.FromDatetime(START + timedelta(seconds=180))
    async with metrics.queries() as queries:
        inside: pb.ListCampaignPerformanceResponse = await queries.ListCampaignPerformance(bounded)
    assert [each.counts.likes for each in inside.rows] == [4]


async def test_a_watch_tells_each_change(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    async with metrics.queries(deal.brand) as queries:
        request = pb.WatchCampaignPerformanceRequest(campaign_id=deal.campaign_id, interval_ms=200)
        stream: Any = queries.WatchCampaignPerformance(request)
        async with within(30):
            assert (await stream.read()).total.counts.likes == 0
            await sent(metrics, [row(deal.contents[0], 3)])
            assert (await stream.read()).total.counts.likes == 3
            await metrics.paid(deal, 600, 500)
            answer = await stream.read()
            assert (answer.roi[0].cost_minor, answer.roi[0].cpe.value) == (600, 200)
        stream.cancel()
