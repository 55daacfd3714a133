"""Links, coupons, orders and refunds against what left escrow: the return of a campaign, over HTTP and gRPC."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import grpc
import pytest

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from tests.integration.metrics.client import OPERATOR, Deal, Metrics


def order(number: str, amount_minor: int = 10_000, **more: object) -> dict[str, object]:
    now = system_clock().isoformat()
    return {"order_number": number, "amount_minor": amount_minor, "currency": "CNY", "ordered_at": now, **more}


async def link(metrics: Metrics, deal: Deal, content: int = 0, link_id: str = "") -> str:
    """A code that leads to the shop."""
    code = new_id()[-12:]
    body = {"deliverable_id": deal.contents[content], "target_url": "https://shop.example/p?sku=7#top", "code": code}
    await metrics.done("PUT", f"/links/{link_id or new_id()}", body, deal.brand)
    return code


CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


async def click(metrics: Metrics, code: str) -> str:
    """A visitor follows the link; the click's id as the shop gets it."""
    async with metrics.http() as visitor:
        answer = await visitor.get(f"/l/{code}", headers={"User-Agent": CHROME, "Accept-Language": new_id()})
    assert answer.status_code == 302
    url = urlsplit(answer.headers["location"])
    click_id = parse_qs(url.query)["dandelion_click"][0]
    assert (url.netloc, url.path, url.fragment) == ("shop.example", "/p", "top")
    assert parse_qs(url.query)["sku"] == ["7"]
    cookie = answer.headers.get_list("set-cookie")[0]
    assert cookie.startswith(f"dandelion_click={click_id};")
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    return click_id


async def test_a_campaigns_return(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    click_id = await click(metrics, await link(metrics, deal))
    coupon = {"deliverable_id": deal.contents[0], "code": "spring10", "expires_at": "2099-01-01T00:00:00Z"}
    await metrics.done("PUT", f"/coupons/{new_id()}", coupon, deal.brand)
    first, second, third = new_id(), new_id(), new_id()
    await metrics.done("PUT", f"/orders/{first}", order("A1", click_ids=[click_id], new_customer=True), deal.brand)
    await metrics.done("PUT", f"/orders/{second}", order("A2", 5_000, coupon_code="Spring10"), deal.brand)
    await metrics.done("PUT", f"/orders/{third}", order("A3", 7_000, deliverable_id=deal.contents[0]), deal.brand)
    await metrics.done("PUT", f"/orders/{new_id()}", order("A4"), deal.brand)
    await metrics.done("POST", f"/orders/{first}/refunds", {"refund_id": new_id(), "amount_minor": 1_000}, deal.brand)
    receipt = await metrics.done("POST", f"/orders/{third}/refunds", {"refund_id": new_id()}, deal.brand)
    paid = await metrics.paid(deal, 8_000, 7_000)
    found = await metrics.roi(deal.campaign_id, deal.brand, at_least=f"{paid} {receipt['token']}")
    (roi,) = found.roi
    assert (roi.currency, roi.cost_minor, roi.fee_minor, roi.platform_fee_minor) == ("CNY", 8_000, 7_000, 1_000)
    assert (roi.gross_revenue_minor, roi.refunded_minor, roi.revenue_minor) == (22_000, 8_000, 14_000)
    assert (found.counts.orders, found.counts.new_customers, found.counts.clicks) == (2, 1, 1)
    assert (roi.roas.value, roi.roas.formula, roi.roi.value) == (1.75, "roas@1", 0.75)
    assert (roi.cpc.value, roi.cpc.unit, roi.cac.value) == (8_000, "CNY minor", 8_000)
    assert not roi.cpm.HasField("value")
    (creator,) = found.creators
    assert (creator.creator_id, creator.collaboration_id) == (deal.creator_id, deal.collaboration_id)
    assert creator.roi == roi
    assert found.brand_id == deal.brand_id
    assert found.HasField("fresh_at")
    assert any(token.startswith("ledger:") for token in found.as_of)


async def test_an_order_counts_once(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    order_id, key = new_id(), new_id()
    body = order("B1", deliverable_id=deal.contents[0])
    first = await metrics.done("PUT", f"/orders/{order_id}", body, deal.brand, key)
    assert await metrics.done("PUT", f"/orders/{order_id}", body, deal.brand, key) == first
    await metrics.done("PUT", f"/orders/{order_id}", body, deal.brand)
    elsewhere = await metrics.send("PUT", f"/orders/{new_id()}", body, deal.brand)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "order.number_taken")
    other = await metrics.send("PUT", f"/orders/{order_id}", {**body, "amount_minor": 1}, deal.brand)
    assert (other.status_code, other.json()["code"]) == (409, "order.already_recorded")
    found = await metrics.roi(deal.campaign_id, deal.brand, at_least=first["token"])
    assert (found.counts.orders, found.roi[0].revenue_minor) == (1, 10_000)


async def test_money_of_two_currencies_is_kept_apart(metrics: Metrics) -> None:
    deal = await metrics.contracted(Deal(deliverables=2))
    await metrics.paid(deal, 100, 100, content=0)
    token = await metrics.paid(deal, 300, 200, content=1, currency="USD")
    body = {**order("C1", 600, deliverable_id=deal.contents[1]), "currency": "USD"}
    receipt = await metrics.done("PUT", f"/orders/{new_id()}", body, deal.brand)
    found = await metrics.roi(deal.campaign_id, at_least=f"{token} {receipt['token']}")
    assert [(each.currency, each.cost_minor, each.revenue_minor) for each in found.roi] == [
        ("CNY", 100, 0),
        ("USD", 300, 600),
    ]
    assert found.creators[0].roi.currency == "USD"


async def test_a_currency_that_was_only_earned_has_no_unit_cost(metrics: Metrics) -> None:
    deal, now = await metrics.contracted(), system_clock().isoformat()
    rows = [{"content_id": deal.contents[0], "observed_at": now, "metric": "reads", "value": 90, "traffic": "organic"}]
    await metrics.until_counted(await metrics.done("POST", "/engagement", {"rows": rows}, deal.brand), deal.brand_id)
    body = {**order("C2", 600, deliverable_id=deal.contents[0]), "currency": "USD", "new_customer": True}
    receipt = await metrics.done("PUT", f"/orders/{new_id()}", body, deal.brand)
    token = f"{await metrics.paid(deal, 8_100, 7_000)} {receipt['token']}"
    paid, earned = (await metrics.roi(deal.campaign_id, deal.brand, at_least=token)).roi
    assert (paid.currency, paid.cpr.value, earned.currency, earned.revenue_minor) == ("CNY", 90, "USD", 600)
    assert not any(
        getattr(earned, name).HasField("value") for name in ("roas", "roi", "cpm", "cpr", "cpe", "cpc", "cac")
    )


async def test_the_whole_cost_over_the_counts_of_one_traffic_is_no_unit_cost(metrics: Metrics) -> None:
    deal, now = await metrics.contracted(), system_clock().isoformat()
    rows = [
        {"content_id": deal.contents[0], "observed_at": now, "metric": "reads", "value": value, "traffic": traffic}
        for traffic, value in (("organic", 90), ("paid", 10))
    ]
    accepted = await metrics.done("POST", "/engagement", {"rows": rows}, deal.brand)
    await metrics.until_counted(accepted, deal.brand_id)
    body = order("T1", 16_000, deliverable_id=deal.contents[0])
    receipt = await metrics.done("PUT", f"/orders/{new_id()}", body, deal.brand)
    token = f"{await metrics.paid(deal, 8_000, 7_000)} {receipt['token']}"
    whole = (await metrics.roi(deal.campaign_id, deal.brand, at_least=token)).roi[0]
    assert (whole.cpr.value, whole.roas.value) == (80, 2)
    found = await metrics.roi(deal.campaign_id, deal.brand, traffic=2)
    assert found.counts.reads == 10
    for paid in (found.roi[0], found.creators[0].roi):
        assert not any(getattr(paid, name).HasField("value") for name in ("cpm", "cpr", "cpe", "cpc"))
        assert (paid.roas.value, paid.roi.value, paid.cost_minor) == (2, 1, 8_000), "what belongs to no traffic stays"


async def test_what_was_clawed_back_is_no_cost(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    await metrics.paid(deal, 8_000, 7_000)
    token = await metrics.clawed_back(deal, 2_500, 1_500)
    (roi,) = (await metrics.roi(deal.campaign_id, deal.brand, at_least=token)).roi
    assert (roi.cost_minor, roi.fee_minor, roi.platform_fee_minor) == (4_000, 3_000, 1_000)


async def test_parties_see_their_own_and_nobody_else(metrics: Metrics) -> None:
    ours = await metrics.contracted()
    theirs = await metrics.contracted(Deal(brand_id=ours.brand_id, campaign_id=ours.campaign_id))
    await metrics.paid(ours, 500, 400)
    token = await metrics.paid(theirs, 900, 800)
    whole = await metrics.roi(ours.campaign_id, ours.brand, at_least=token)
    assert [each.creator_id for each in whole.creators] == [theirs.creator_id, ours.creator_id]
    assert whole.roi[0].cost_minor == 1_400
    own = await metrics.roi(ours.campaign_id, ours.creator)
    assert [each.creator_id for each in own.creators] == [ours.creator_id]
    assert own.roi[0].cost_minor == 500
    for who in (("rob", new_id(), "brand"), ("eve", new_id(), "creator")):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await metrics.roi(ours.campaign_id, who)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        assert not (await metrics.performance(who)).rows


@pytest.mark.parametrize(
    ("path", "change", "status", "code"),
    [
        ("/links/{}", {"target_url": "http://shop.example/"}, 422, "request.invalid"),
        ("/links/{}", {"target_url": "https://a@shop.example/"}, 422, "link.url_not_allowed"),
        ("/links/{}", {"code": "a/b"}, 422, "request.invalid"),
        ("/links/{}", {"brand_id": "x"}, 422, "request.invalid"),
        ("/links/x", {}, 422, "request.invalid"),
    ],
)
async def test_a_bad_link_is_refused(
    metrics: Metrics, path: str, change: dict[str, str], status: int, code: str
) -> None:
    deal = await metrics.contracted()
    body = {"deliverable_id": deal.contents[0], "target_url": "https://shop.example/", "code": "abcd", **change}
    answer = await metrics.send("PUT", path.format(new_id()), body, deal.brand)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_nobody_links_to_what_is_not_theirs(metrics: Metrics) -> None:
    ours, rival = await metrics.contracted(), await metrics.contracted()
    body = {"deliverable_id": ours.contents[0], "target_url": "https://shop.example/", "code": new_id()[-8:]}
    for who in (rival.brand, ours.creator):
        answer = await metrics.send("PUT", f"/links/{new_id()}", body, who)
        assert (answer.status_code, answer.json()["code"]) == (404, "deliverable.not_found")


async def test_another_brands_click_is_no_evidence(metrics: Metrics) -> None:
    ours, rival = await metrics.contracted(), await metrics.contracted()
    click_id = await click(metrics, await link(metrics, ours))
    receipt = await metrics.done("PUT", f"/orders/{new_id()}", order("E1", click_ids=[click_id]), rival.brand)
    assert (await metrics.roi(ours.campaign_id, at_least=receipt["token"])).counts.orders == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount_minor": -1}, "request.invalid"),
        ({"amount_minor": "100"}, "request.invalid"),
        ({"amount_minor": 10**16}, "request.invalid"),
        ({"currency": "ABC"}, "request.invalid"),
        ({"ordered_at": "2026-01-01T00:00:00"}, "request.invalid"),
        ({"ordered_at": 1_767_225_600}, "request.invalid"),
        ({"items": 0}, "request.invalid"),
        ({"tenant": "x"}, "request.invalid"),
        ({"ordered_at": (system_clock() + timedelta(hours=1)).isoformat()}, "order.in_the_future"),
    ],
)
async def test_a_bad_order_is_refused(metrics: Metrics, change: dict[str, object], code: str) -> None:
    answer = await metrics.send("PUT", f"/orders/{new_id()}", {**order("F1"), **change}, ("b", new_id(), "brand"))
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_roles_that_may_not(metrics: Metrics) -> None:
    for who in (("x", new_id(), "creator"), ("x", "platform", "auditor"), ("x", "platform", "finance")):
        answer = await metrics.send("PUT", f"/orders/{new_id()}", order("G1"), who)
        assert (answer.status_code, answer.json()["code"]) == (403, "order.not_a_party")
    async with metrics.http() as anonymous:
        assert (await anonymous.put(f"/orders/{new_id()}", json=order("G2"))).status_code == 401


async def test_an_unknown_code_leads_nowhere(metrics: Metrics) -> None:
    async with metrics.http() as visitor:
        assert (await visitor.get("/l/unknown-code")).status_code == 404
        assert (await visitor.get("/l/a")).status_code == 422


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"campaign_id": "x"}, "id.malformed"),
        ({"campaign_id": new_id(), "traffic": 9}, "traffic.unknown"),
        ({"campaign_id": new_id(), "at_least": "x"}, "at_least.malformed"),
        ({"campaign_id": new_id(), "at_least": "discovery:1:0"}, "at_least.not_fed_by"),
    ],
)
async def test_a_bad_question_is_refused(metrics: Metrics, request_: dict[str, object], code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await metrics.roi(who=OPERATOR, **request_)  # type: ignore[arg-type]
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert code in (refused.value.details() or "")
