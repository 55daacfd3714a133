"""Payable numbers of a running service: from increments, totals and clicks, over gRPC and HTTP, to those whom they concern."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
from dandelion.metrics.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from tests.integration.metrics.client import OPERATOR, Deal, Metrics, Who
from tests.integration.metrics.test_engagement import row, sent
from tests.kit.until import until


def at(hours: float) -> float:
    """Seconds since START."""
    return timedelta(hours=hours).total_seconds()


async def payable(metrics: Metrics, deal: Deal, metric: str, who: Who | None = None) -> tuple[int, dict[str, int]]:
    async with metrics.queries(who or deal.brand) as queries:
        found = await queries.GetPayableNumbers(pb.GetPayableNumbersRequest(content_id=deal.contents[0]))
    assert (found.campaign_id, found.creator_id, found.formula) == (deal.campaign_id, deal.creator_id, "payable@1")
    (one,) = [each for each in found.numbers if each.metric == metric]
    over_http = (await metrics.send("GET", f"/contents/{deal.contents[0]}/payable", None, who or deal.brand)).json()
    (same,) = [each for each in over_http["numbers"] if each["metric"] == metric]
    aside = {each.reason: each.count for each in one.set_aside}
    assert {each["reason"]: int(each["count"]) for each in same["set_aside"]} == aside
    assert int(same["payable"]) == one.payable
    return one.payable, aside


async def test_a_jump_of_increments_is_visible_and_not_payable(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    content = deal.contents[0]
    await sent(metrics, [row(content, 200, at(hour)) for hour in range(4)])
    await sent(metrics, [row(content, 500_000, at(5))])
    await sent(metrics, [row(content, 9 * 10**9, at(6))], who=deal.creator)
    assert await payable(metrics, deal, "likes") == (2_800, {"band.above": 498_000, "source.creator": 9 * 10**9})
    assert (await metrics.roi(deal.campaign_id)).counts.likes == 500_800, "it is shown as it was counted"


async def test_staff_release_of_the_excess_what_is_people(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    content = deal.contents[0]
    await sent(metrics, [row(content, 200, at(hour)) for hour in range(4)])
    await sent(metrics, [row(content, 500_000, at(5))])
    path, operator = f"/contents/{content}/payable/likes/release", OPERATOR
    body = {"count": 400_000, "reason": "went_viral"}
    for who in (deal.brand, deal.creator):
        assert await metrics.refused("POST", path, body, who) == "actor.role_missing"
    assert await metrics.refused("POST", path, body | {"count": 498_001}, operator) == "excess.more_than_set_aside"
    elsewhere = path.replace("likes", "saves")
    assert await metrics.refused("POST", elsewhere, body, operator) == "excess.metric_unknown"
    await metrics.done("POST", path, body, operator)

    async def released(payable_now: int, aside: dict[str, int]) -> None:
        async def told() -> bool:
            async with metrics.queries(deal.creator) as queries:
                found = await queries.GetPayableNumbers(pb.GetPayableNumbersRequest(content_id=content))
            return found.numbers[0].payable == payable_now

        await until(told)
        assert await payable(metrics, deal, "likes", deal.creator) == (payable_now, aside)

    await released(402_800, {"band.above": 98_000})
    await metrics.done("POST", path, body | {"count": 498_000}, operator)
    await released(500_800, {})
    await metrics.done("POST", path, body | {"count": 0}, operator)
    await released(2_800, {"band.above": 498_000})


@pytest.mark.parametrize("order", [1, -1], ids=["in_order", "the_newest_first"])
async def test_totals_of_the_platform_are_a_history_in_whatever_order_they_come(metrics: Metrics, order: int) -> None:
    deal = await metrics.contracted()
    totals: list[Any] = [(0, 1_000), (1, 1_100), (2, 1_200), (3, 1_300), (4, 90_000), (5, 90_100)]
    for hour, value in totals[::order]:
        await sent(metrics, [row(deal.contents[0], value, at(hour), "saves", kind="snapshot")])
    assert await payable(metrics, deal, "saves") == (2_400, {"band.above": 87_700})
    await sent(metrics, [row(deal.contents[0], 40, at(7), "saves")])
    assert await payable(metrics, deal, "saves", deal.creator) == (2_440, {"band.above": 87_700})


async def test_strangers_learn_nothing(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    await sent(metrics, [row(deal.contents[0], 5)])
    for content_id in (deal.contents[0], new_id()):
        path = f"/contents/{content_id}/payable"
        assert await metrics.refused("GET", path, None, Deal().brand) == "content.not_found"
        async with metrics.queries(Deal().brand) as queries:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await queries.GetPayableNumbers(pb.GetPayableNumbersRequest(content_id=content_id))
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
