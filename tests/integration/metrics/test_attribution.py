"""Attribution side by side, over gRPC and HTTP: whose the same orders are under each model, and who may ask."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
from dandelion.metrics.v1 import attribution_pb2 as pb
from dandelion.metrics.v1.queries_pb2_grpc import OrderQueryServiceStub
from google.protobuf.json_format import MessageToDict

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from services.metrics.attribution import paths
from services.metrics.reads import attribution as reads
from tests.integration.metrics.client import OPERATOR, Deal, Metrics, Who
from tests.integration.metrics.test_order_queries import recorded
from tests.integration.metrics.test_orders import coupon
from tests.integration.metrics.test_returns import click, link

CONTENT = pb.ATTRIBUTION_UNIT_CONTENT


async def compared(metrics: Metrics, who: Who, **asked: Any) -> pb.GetAttributionResponse:
    async with metrics.channel(who) as channel:
        answer: pb.GetAttributionResponse = await OrderQueryServiceStub(channel).GetAttribution(
            pb.GetAttributionRequest(**asked)
        )
        return answer


def shares(found: pb.GetAttributionResponse, model: str) -> dict[str, tuple[float, int]]:
    (each,) = [one for one in found.currencies[0].models if one.model == model]
    return {one.id: (one.orders, one.revenue_minor) for one in each.credits}


async def touched(metrics: Metrics) -> tuple[Deal, Deal, str]:
    """A brand's two campaigns: one order after a click on each of them and on a second content, half of it given back."""
    deal = await metrics.contracted(Deal(deliverables=2))
    other = await metrics.contracted(Deal(deal.brand_id))
    clicks = [
        await click(metrics, await link(metrics, *where)) for where in ((deal, 0), (deal, 1), (deal, 1), (other, 0))
    ]
    order_id, _ = await recorded(metrics, deal, "A1", click_ids=clicks)
    refund = {"refund_id": new_id(), "amount_minor": 4_000}
    receipt = await metrics.done("POST", f"/orders/{order_id}/refunds", refund, deal.brand)
    return deal, other, receipt["token"]


async def test_models_share_the_same_orders_each_in_its_way(metrics: Metrics) -> None:
    deal, _, token = await touched(metrics)
    first, second = deal.contents[:2]
    found = await compared(metrics, deal.brand, campaign_id=deal.campaign_id, unit=CONTENT, at_least=token)
    assert [(one.currency, one.orders, one.revenue_minor) for one in found.currencies] == [("CNY", 1, 6_000)]
    assert shares(found, "last_click@1") == {reads.OUTSIDE: (1, 6_000)}
    assert shares(found, "first_click@1") == {first: (1, 6_000)}
    assert shares(found, "linear@1") == {first: (0.25, 1_500), second: (0.5, 3_000), reads.OUTSIDE: (0.25, 1_500)}
    assert shares(found, "shapley@1") == dict.fromkeys((first, second, reads.OUTSIDE), (1 / 3, 2000))
    for model in found.currencies[0].models:
        assert sum(one.revenue_minor for one in model.credits) == 6_000
        assert sum(one.orders for one in model.credits) == pytest.approx(1)


async def test_the_same_over_http_and_by_creator(metrics: Metrics) -> None:
    deal, _, token = await touched(metrics)
    found = await compared(metrics, deal.brand, campaign_id=deal.campaign_id, at_least=token)
    answer = await metrics.send("GET", f"/campaigns/{deal.campaign_id}/attribution", None, deal.brand)
    assert answer.json() == MessageToDict(
        found, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    assert shares(found, "linear@1") == {deal.creator_id: (0.75, 4_500), reads.OUTSIDE: (0.25, 1_500)}


async def test_a_coupon_is_the_last_contact_and_an_order_that_was_given_back_counts_in_no_model(
    metrics: Metrics,
) -> None:
    deal = await metrics.contracted(Deal(deliverables=2))
    await coupon(metrics, deal, "LAST1")
    clicked = await click(metrics, await link(metrics, deal, 1))
    await recorded(metrics, deal, "C1", click_ids=[clicked], coupon_code="LAST1")
    gone, _ = await recorded(metrics, deal, "C2", coupon_code="LAST1")
    receipt = await metrics.done("POST", f"/orders/{gone}/refunds", {"refund_id": new_id()}, deal.brand)
    found = await compared(metrics, deal.brand, campaign_id=deal.campaign_id, unit=CONTENT, at_least=receipt["token"])
    assert found.currencies[0].orders == 1
    assert shares(found, "last_click@1") == {deal.contents[0]: (1, 10_000)}
    assert shares(found, "position@1") == dict.fromkeys(deal.contents[:2], (0.5, 5000))


async def test_clicks_that_no_order_followed_are_journeys_that_led_nowhere(metrics: Metrics) -> None:
    deal = await metrics.contracted(Deal(deliverables=2))
    first, second = await link(metrics, deal, 0), await link(metrics, deal, 1)
    both = [await click(metrics, first), await click(metrics, second)]
    await click(metrics, first)
    _, receipt = await recorded(metrics, deal, "L1", click_ids=both)
    asked = {"campaign_id": deal.campaign_id, "unit": CONTENT, "at_least": receipt["token"]}
    found = await compared(metrics, deal.brand, **asked)
    assert found.clicks_without_order == 1
    assert shares(found, "markov@1") == dict.fromkeys(deal.contents[:2], (0.5, 5000))


async def test_only_the_brand_and_staff_may_ask(metrics: Metrics) -> None:
    deal, other, token = await touched(metrics)
    rival = await metrics.contracted(Deal(deliverables=2))
    asked = {"campaign_id": deal.campaign_id, "at_least": token}
    assert await compared(metrics, OPERATOR, **asked) == await compared(metrics, deal.brand, **asked)
    for who, status in (
        (deal.creator, grpc.StatusCode.PERMISSION_DENIED),
        (other.creator, grpc.StatusCode.NOT_FOUND),
        (rival.brand, grpc.StatusCode.NOT_FOUND),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            await compared(metrics, who, **asked)
        assert refused.value.code() is status


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"unit": 9}, "attribution.unit_unknown"),
        ({"window_s": 91 * 86_400}, "attribution.window_out_of_range"),
        ({"campaign_id": "x"}, "id.malformed"),
    ],
)
async def test_what_cannot_be_asked_is_refused(metrics: Metrics, more: dict[str, Any], code: str) -> None:
    with pytest.raises(grpc.RpcError, match=code):
        await compared(metrics, OPERATOR, **({"campaign_id": new_id()} | more))


async def test_more_orders_than_can_be_compared_are_refused(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    deal, _, token = await touched(metrics)
    monkeypatch.setattr(paths, "PATHS_LIMIT", 0)
    with pytest.raises(grpc.RpcError, match=r"attribution\.too_many_orders"):
        await compared(metrics, deal.brand, campaign_id=deal.campaign_id, at_least=token)


async def test_an_order_without_a_touch_of_the_campaign_in_the_window_is_no_order_of_it(metrics: Metrics) -> None:
    """The campaign was clicked four minutes before the order, which came with a coupon of another campaign."""
    deal = await metrics.contracted(Deal(deliverables=2))
    other = await metrics.contracted(Deal(deal.brand_id))
    await coupon(metrics, other, "NEWER1")
    clicked = await click(metrics, await link(metrics, deal))
    later = (system_clock() + timedelta(minutes=4)).isoformat()
    _, receipt = await recorded(metrics, deal, "W1", click_ids=[clicked], coupon_code="NEWER1", ordered_at=later)
    counted = []
    for campaign_id, window_s in ((deal.campaign_id, 60), (other.campaign_id, 60), (deal.campaign_id, 600)):
        asked = {"campaign_id": campaign_id, "window_s": window_s, "at_least": receipt["token"]}
        counted.append([one.orders for one in (await compared(metrics, deal.brand, **asked)).currencies])
    assert counted == [[], [1], [1]]
