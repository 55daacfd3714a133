"""Orders as stores really send them: damaged evidence, free orders, amendments, refunds that come first, numbers used again."""

from datetime import timedelta

import pytest
from dandelion.metrics.v1 import events_pb2 as pb

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from tests.integration.metrics.client import Deal, Metrics
from tests.integration.metrics.test_returns import click, link, order
from tests.kit.until import until


async def coupon(metrics: Metrics, deal: Deal, code: str) -> None:
    body = {"deliverable_id": deal.contents[0], "code": code, "expires_at": "2099-01-01T00:00:00Z"}
    await metrics.done("PUT", f"/coupons/{new_id()}", body, deal.brand)


async def stands(metrics: Metrics, deal: Deal, token: str) -> tuple[int, int, int]:
    """Orders, gross revenue and refunds of a campaign."""
    found = await metrics.roi(deal.campaign_id, deal.brand, at_least=token)
    (roi,) = found.roi
    return found.counts.orders, roi.gross_revenue_minor, roi.refunded_minor


DAMAGED = ["25%off", "夏日8折", "", "   ", "\u0000", "A" * 5_000, "🎉", 20, None]


@pytest.mark.parametrize("code", range(len(DAMAGED)))
async def test_a_damaged_coupon_costs_the_order_nothing(metrics: Metrics, code: int) -> None:
    deal = await metrics.contracted()
    body = order("A1", coupon_code=DAMAGED[code], deliverable_id=deal.contents[0])
    receipt = await metrics.done("PUT", f"/orders/{new_id()}", body, deal.brand)
    assert await stands(metrics, deal, receipt["token"]) == (1, 10_000, 0)


@pytest.mark.parametrize("click_ids", [None, "25%off", {}, [[]]], ids=["null", "text", "object", "list"])
async def test_clicks_in_another_form_cost_the_order_nothing(metrics: Metrics, click_ids: object) -> None:
    deal = await metrics.contracted()
    body = order("J1", click_ids=click_ids, deliverable_id=deal.contents[0])
    receipt = await metrics.done("PUT", f"/orders/{new_id()}", body, deal.brand)
    assert await stands(metrics, deal, receipt["token"]) == (1, 10_000, 0)


async def test_one_click_by_itself_is_evidence(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    good = await click(metrics, await link(metrics, deal))
    receipt = await metrics.done("PUT", f"/orders/{new_id()}", order("J2", click_ids=good), deal.brand)
    assert await stands(metrics, deal, receipt["token"]) == (1, 10_000, 0)


async def test_bad_clicks_beside_a_good_one_cost_nothing_and_are_told(metrics: Metrics) -> None:
    deal, order_id = await metrics.contracted(), new_id()
    good = await click(metrics, await link(metrics, deal))
    body = order("B1", click_ids=["", "25%off", good.upper(), None, new_id()], coupon_code="NOT-OURS")
    receipt = await metrics.done("PUT", f"/orders/{order_id}", body, deal.brand)
    assert await stands(metrics, deal, receipt["token"]) == (1, 10_000, 0)

    async def told() -> bool:
        return any(one.order_id == order_id for one in await conversions())

    async def conversions() -> list[pb.ConversionRecorded]:
        return await metrics.messages("metrics.events.v1", pb.ConversionRecorded)

    await until(told, 30)
    (message,) = [one for one in await conversions() if one.order_id == order_id]
    assert message.source == pb.CONVERSION_SOURCE_LINK
    assert [(one.source, one.at, one.why) for one in message.unusable] == [
        (pb.CONVERSION_SOURCE_COUPON, 0, "unknown"),
        (pb.CONVERSION_SOURCE_LINK, 0, "malformed"),
        (pb.CONVERSION_SOURCE_LINK, 1, "malformed"),
        (pb.CONVERSION_SOURCE_LINK, 3, "malformed"),
        (pb.CONVERSION_SOURCE_LINK, 4, "unknown"),
    ]


async def test_a_free_order_counts_with_nothing(metrics: Metrics) -> None:
    deal, order_id = await metrics.contracted(), new_id()
    await coupon(metrics, deal, "ALLFREE")
    receipt = await metrics.done("PUT", f"/orders/{order_id}", order("C1", 0, coupon_code="allfree"), deal.brand)
    assert await stands(metrics, deal, receipt["token"]) == (1, 0, 0)
    off = await metrics.done("POST", f"/orders/{order_id}/refunds", {"refund_id": new_id()}, deal.brand)
    assert await stands(metrics, deal, off["token"]) == (0, 0, 0)


async def test_a_coupon_is_not_credited_with_orders_older_than_itself(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    await coupon(metrics, deal, "YOUNG")
    before = (system_clock() - timedelta(minutes=1)).isoformat()
    old = order("D1", coupon_code="YOUNG") | {"ordered_at": before}
    await metrics.done("PUT", f"/orders/{new_id()}", old, deal.brand)
    receipt = await metrics.done("PUT", f"/orders/{new_id()}", order("D2", coupon_code="YOUNG"), deal.brand)
    assert await stands(metrics, deal, receipt["token"]) == (1, 10_000, 0)


async def test_an_order_is_amended_up_and_down(metrics: Metrics) -> None:
    deal, order_id = await metrics.contracted(), new_id()
    await metrics.done("PUT", f"/orders/{order_id}", order("E1", deliverable_id=deal.contents[0]), deal.brand)
    amendment = {"amendment_id": new_id(), "amount_minor": 12_500, "items": 3}
    up = await metrics.done("POST", f"/orders/{order_id}/amendments", amendment, deal.brand)
    assert await stands(metrics, deal, up["token"]) == (1, 12_500, 0)
    assert (await metrics.done("POST", f"/orders/{order_id}/amendments", amendment, deal.brand))["token"]
    await metrics.done("POST", f"/orders/{order_id}/refunds", {"refund_id": new_id(), "amount_minor": 400}, deal.brand)
    less = {"amendment_id": new_id(), "amount_minor": 399}
    refused = await metrics.send("POST", f"/orders/{order_id}/amendments", less, deal.brand)
    assert (refused.status_code, refused.json()["code"]) == (409, "amendment.below_refunds")
    down = await metrics.done("POST", f"/orders/{order_id}/amendments", less | {"amount_minor": 400}, deal.brand)
    assert await stands(metrics, deal, down["token"]) == (1, 400, 400)
    for who in (("rob", new_id(), "brand"), deal.creator):
        refused = await metrics.send("POST", f"/orders/{order_id}/amendments", amendment, who)
        assert (refused.status_code, refused.json()["code"]) == (403, "order.not_a_party")


async def test_a_number_is_free_again_after_a_full_refund(metrics: Metrics) -> None:
    deal, first = await metrics.contracted(), new_id()
    body = order("F1", deliverable_id=deal.contents[0])
    await metrics.done("PUT", f"/orders/{first}", body, deal.brand)
    taken = await metrics.send("PUT", f"/orders/{new_id()}", body, deal.brand)
    assert (taken.status_code, taken.json()["code"]) == (409, "order.number_taken")
    await metrics.done("POST", f"/orders/{first}/refunds", {"refund_id": new_id()}, deal.brand)
    receipt = await metrics.done("PUT", f"/orders/{new_id()}", body, deal.brand)
    assert await stands(metrics, deal, receipt["token"]) == (1, 20_000, 10_000)
    again = await metrics.send("PUT", f"/orders/{new_id()}", body, deal.brand)
    assert again.json()["code"] == "order.number_taken"


async def test_a_refund_before_its_order_is_kept_and_applied(metrics: Metrics) -> None:
    deal, order_id, refund = await metrics.contracted(), new_id(), {"refund_id": new_id(), "amount_minor": 1_500}
    await metrics.done("POST", f"/orders/{order_id}/refunds", refund, deal.brand)
    body = order("G1", deliverable_id=deal.contents[0])
    receipt = await metrics.done("PUT", f"/orders/{order_id}", body, deal.brand)
    assert await stands(metrics, deal, receipt["token"]) == (1, 10_000, 1_500)
    again = await metrics.done("POST", f"/orders/{order_id}/refunds", refund, deal.brand)
    assert await stands(metrics, deal, again["token"]) == (1, 10_000, 1_500)
