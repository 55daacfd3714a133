"""Orders are asked for over gRPC and HTTP: whose they are, and what became of each piece of evidence that came with them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import grpc
import pytest
from dandelion.metrics.v1 import events_pb2 as events
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion_contracts.words import word

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from services.metrics.domain.order import changes
from tests.integration.metrics.client import Deal, Metrics
from tests.integration.metrics.test_orders import coupon
from tests.integration.metrics.test_returns import click, link, order

DAMAGED = ["not-an-id", "", "25%off", 7, [], "\u0000", "A" * 5_000]
COUPON, LINK, REPORTED = (
    events.CONVERSION_SOURCE_COUPON, events.CONVERSION_SOURCE_LINK, events.CONVERSION_SOURCE_REPORTED,
)  # fmt: skip


def told(found: pb.Order) -> list[tuple[int, int, str]]:
    return [(one.source, one.at, word(pb.EvidenceOutcome, one.outcome)) for one in found.evidence]


async def recorded(metrics: Metrics, deal: Deal, number: str, **more: Any) -> tuple[str, dict[str, Any]]:
    order_id = new_id()
    return order_id, await metrics.done("PUT", f"/orders/{order_id}", order(number, **more), deal.brand)


@pytest.mark.parametrize("value", range(len(DAMAGED)))
async def test_a_damaged_deliverable_costs_the_order_nothing(metrics: Metrics, value: int) -> None:
    deal = await metrics.contracted()
    order_id, receipt = await recorded(metrics, deal, "A1", deliverable_id=DAMAGED[value])
    found = await metrics.order(order_id, deal.brand, at_least=receipt["token"])
    assert told(found) == [(REPORTED, 0, "malformed")]
    assert (found.source, found.revenue_minor, found.status) == (0, 10_000, pb.ORDER_STATUS_STANDING)


async def test_a_deliverable_of_another_brand_costs_the_order_nothing(metrics: Metrics) -> None:
    ours, rival = await metrics.contracted(), await metrics.contracted()
    order_id, receipt = await recorded(metrics, rival, "A2", deliverable_id=ours.contents[0])
    found = await metrics.order(order_id, rival.brand, at_least=receipt["token"])
    assert told(found) == [(REPORTED, 0, "unknown")]
    assert (found.source, found.campaign_id) == (0, "")


async def test_the_51st_click_costs_the_order_nothing(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    good = await click(metrics, await link(metrics, deal))
    junk = ["00000000-0000-7000-8000-" + f"{n:012d}" for n in range(60)]
    order_id, receipt = await recorded(metrics, deal, "A3", click_ids=[*junk[:30], good, *junk[30:]])
    found = await metrics.order(order_id, deal.brand, at_least=receipt["token"])
    assert (found.source, found.click_id, found.passed_over) == (LINK, good, 11)
    many, receipt = await recorded(metrics, deal, "A4", click_ids=["x"] * 12_000)
    assert (await metrics.order(many, deal.brand, at_least=receipt["token"])).passed_over == 950


async def test_each_piece_of_evidence_is_told_over_both_edges(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    await coupon(metrics, deal, "BOTH1")
    good = await click(metrics, await link(metrics, deal))
    evidence = {"coupon_code": "both1", "click_ids": [good, "x"], "deliverable_id": deal.contents[0]}
    order_id, receipt = await recorded(metrics, deal, "B1", **evidence)
    found = await metrics.order(order_id, deal.brand, at_least=receipt["token"])
    assert told(found) == [(COUPON, 0, "used"), (LINK, 0, "outdone"), (LINK, 1, "malformed"), (REPORTED, 0, "outdone")]
    assert (found.source, found.creator_id, found.model) == (COUPON, deal.creator_id, "last_click@1")
    asked = await metrics.send("GET", f"/orders/{order_id}?at_least={receipt['token']}", None, deal.brand)
    said = asked.json()["order"]
    assert (asked.status_code, said["source"]) == (200, "CONVERSION_SOURCE_COUPON")
    assert (said["campaign_id"], said["revenue_minor"]) == (deal.campaign_id, "10000")
    assert [(one["source"], one["at"], one["outcome"]) for one in said["evidence"]] == [
        ("CONVERSION_SOURCE_COUPON", 0, "EVIDENCE_OUTCOME_USED"),
        ("CONVERSION_SOURCE_LINK", 0, "EVIDENCE_OUTCOME_OUTDONE"),
        ("CONVERSION_SOURCE_LINK", 1, "EVIDENCE_OUTCOME_MALFORMED"),
        ("CONVERSION_SOURCE_REPORTED", 0, "EVIDENCE_OUTCOME_OUTDONE"),
    ]


async def test_a_question_over_http_waits_for_its_own_write(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    for number in range(10):
        order_id, receipt = await recorded(metrics, deal, f"W{number}")
        asked = await metrics.send("GET", f"/orders/{order_id}?at_least={receipt['token']}", None, deal.brand)
        assert asked.json()["order"]["shop_order"] == f"W{number}"
    ahead = await metrics.send("GET", "/orders?at_least=metrics:999999999:", None, deal.brand)
    assert (ahead.status_code, ahead.json()["code"]) == (422, "at_least.ahead")


async def test_the_answer_says_what_became_of_the_evidence(metrics: Metrics) -> None:
    """A coupon that nobody issued and a click after the order: accepted, and told to be nobody's, at once and in the list."""
    deal = await metrics.contracted()
    late = await click(metrics, await link(metrics, deal))
    before = (system_clock() - timedelta(hours=1)).isoformat()
    body = order("G1", coupon_code="NOBODYS", click_ids=[late]) | {"ordered_at": before}
    order_id = new_id()
    receipt = await metrics.done("PUT", f"/orders/{order_id}", body, deal.brand)
    assert (receipt["source"], receipt["creator_id"], receipt["passed_over"]) == ("", "", 0)
    assert receipt["evidence"] == [
        {"source": "coupon", "at": 0, "outcome": "unknown"},
        {"source": "link", "at": 0, "outcome": "out_of_time"},
    ]
    again = await metrics.done("PUT", f"/orders/{order_id}", body, deal.brand)
    assert again["evidence"] == receipt["evidence"]
    (listed,) = (await metrics.orders(deal.brand, unattributed=True, at_least=receipt["token"])).orders
    assert told(listed) == [(COUPON, 0, "unknown"), (LINK, 0, "out_of_time")]
    _, used = await recorded(metrics, deal, "G2", click_ids=[late])
    assert (used["source"], used["creator_id"]) == ("link", deal.creator_id)
    assert used["evidence"] == [{"source": "link", "at": 0, "outcome": "used"}]


async def test_the_answer_says_that_a_refund_waits_for_its_order(metrics: Metrics) -> None:
    deal, order_id = await metrics.contracted(), new_id()
    refund = {"refund_id": new_id(), "amount_minor": 100}
    path = f"/orders/{order_id}/refunds"
    assert (await metrics.done("POST", path, refund, deal.brand))["kept"] is True
    receipt = await metrics.done("PUT", f"/orders/{order_id}", order("H1", coupon_code="?"), deal.brand)
    assert receipt["evidence"] == [{"source": "coupon", "at": 0, "outcome": "malformed"}]
    other = {"refund_id": new_id(), "amount_minor": 200}
    assert (await metrics.done("POST", path, other, deal.brand))["kept"] is False
    amendment = {"amendment_id": new_id(), "amount_minor": 9_000}
    assert (await metrics.done("POST", f"/orders/{order_id}/amendments", amendment, deal.brand))["kept"] is False


async def test_orders_are_listed_page_by_page_and_by_filter(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    mine = [(await recorded(metrics, deal, f"C{n}", deliverable_id=deal.contents[0]))[0] for n in range(3)]
    nobody, receipt = await recorded(metrics, deal, "C9")
    listed: list[str] = []
    token = ""
    while True:
        asked = {"page_size": 3, "order_by": "ordered_at", "page_token": token, "at_least": receipt["token"]}
        page = await metrics.orders(deal.brand, **asked)
        listed += [one.order_id for one in page.orders]
        token = page.page.next_page_token
        if not token:
            break
    assert listed == [*mine, nobody]
    path = f"/orders?campaign_id={deal.campaign_id}&page_size=2"
    first = (await metrics.send("GET", path, None, deal.brand)).json()
    rest = (await metrics.send("GET", f"{path}&page_token={first['page']['next_page_token']}", None, deal.brand)).json()
    assert [one["order_id"] for one in first["orders"] + rest["orders"]] == mine[::-1]
    assert rest["page"]["next_page_token"] == ""
    free = (await metrics.send("GET", "/orders?unattributed=true", None, deal.brand)).json()
    assert [one["order_id"] for one in free["orders"]] == [nobody]
    one = await metrics.orders(deal.brand, shop_order="C1")
    assert [each.order_id for each in one.orders] == [mine[1]]


async def test_a_stranger_is_shown_no_order(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    order_id, receipt = await recorded(metrics, deal, "D1", deliverable_id=deal.contents[0])
    assert (await metrics.order(order_id, at_least=receipt["token"])).brand_id == deal.brand_id
    for who in (("rob", new_id(), "brand"), deal.creator):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await metrics.order(order_id, who)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        assert not (await metrics.orders(who, campaign_id=deal.campaign_id)).orders
        assert (await metrics.send("GET", f"/orders/{order_id}", None, who)).status_code == 404
        assert (await metrics.send("GET", "/orders", None, who)).json()["orders"] == []


async def test_amendments_and_refunds_are_shown(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    order_id, _ = await recorded(metrics, deal, "E1", deliverable_id=deal.contents[0])
    amendment = {"amendment_id": new_id(), "amount_minor": 12_500, "items": 3}
    await metrics.done("POST", f"/orders/{order_id}/amendments", amendment, deal.brand)
    part = {"refund_id": new_id(), "amount_minor": 500}
    receipt = await metrics.done("POST", f"/orders/{order_id}/refunds", part, deal.brand)
    found = await metrics.order(order_id, deal.brand, at_least=receipt["token"])
    assert (found.revenue_minor, found.refunded_minor, found.items) == (12_500, 500, 3)
    off = await metrics.done("POST", f"/orders/{order_id}/refunds", {"refund_id": new_id()}, deal.brand)
    found = await metrics.order(order_id, deal.brand, at_least=off["token"])
    assert (found.refunded_minor, found.status) == (12_500, pb.ORDER_STATUS_REFUNDED)


async def test_a_number_that_0_1_0_left_taken_is_free(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refunds of 0.1.0 named no number, so the table of numbers still holds it; the list of orders knows better."""
    deal, now = await metrics.contracted(), changes._refunded
    order_id, _ = await recorded(metrics, deal, "F1", deliverable_id=deal.contents[0])
    with monkeypatch.context() as before:
        before.setattr(changes, "_refunded", lambda *given: replace(now(*given), order_number=""))
        off = await metrics.done("POST", f"/orders/{order_id}/refunds", {"refund_id": new_id()}, deal.brand)
    await metrics.order(order_id, deal.brand, at_least=off["token"])
    again, receipt = await recorded(metrics, deal, "F1", deliverable_id=deal.contents[0])
    assert (await metrics.order(again, deal.brand, at_least=receipt["token"])).shop_order == "F1"
    taken = await metrics.send("PUT", f"/orders/{new_id()}", order("F1"), deal.brand)
    assert (taken.status_code, taken.json()["code"]) == (409, "order.number_taken")
