"""Tracking links as browsers, robots and chats really follow them, and whose clicks are shown."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from kernel.core.ids import new_id
from services.metrics.reads import registry
from services.metrics.rest.redirect import COOKIE
from services.metrics.rest.visitors import SEEN
from tests.integration.metrics.client import OPERATOR, Deal, Metrics
from tests.integration.metrics.test_returns import CHROME, link, order
from tests.kit.until import until

GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


async def follow(metrics: Metrics, code: str, method: str = "GET", query: str = "", **headers: str) -> httpx.Response:
    """One request of a link; each browser has a language of its own unless one is given."""
    sent = {"User-Agent": CHROME, "Accept-Language": new_id()} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    async with metrics.http() as visitor:
        return await visitor.request(method, f"/l/{code}{query}", headers=sent)


def id_in(answer: httpx.Response) -> str:
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query).get(COOKIE, [""])[0]


async def counts(metrics: Metrics, deal: Deal, requests: int) -> tuple[int, int, int]:
    """Clicks shown, clicks on our links and clicks reported, once so many requests are counted."""
    found: dict[str, Any] = {}

    async def counted() -> bool:
        found["counts"] = (await metrics.roi(deal.campaign_id)).counts
        return bool(found["counts"].link_requests == requests)

    await until(counted, 30)
    now = found["counts"]
    return now.clicks, now.link_clicks, now.reported_clicks


async def test_head_follows_without_a_click(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    code = await link(metrics, deal)
    answer = await follow(metrics, code, "HEAD")
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/p?sku=7#top")
    assert "set-cookie" not in answer.headers
    await follow(metrics, code)
    assert await counts(metrics, deal, 1) == (1, 1, 0)
    async with metrics.http() as client:
        for path in ("/healthz/live", "/healthz/ready"):
            probed = await client.head(path)
            assert (probed.status_code, probed.content) == (200, b"")


async def test_a_slash_at_the_end_and_a_query_do_no_harm(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    code = await link(metrics, deal)
    answer = await follow(metrics, f"{code}/", query="?utm_source=xhs&sku=9")
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked == {"sku": ["7"], "utm_source": ["xhs"], COOKIE: [id_in(answer)]}
    assert await counts(metrics, deal, 1) == (1, 1, 0)


async def test_the_store_learns_where_the_visitor_comes_from(metrics: Metrics) -> None:
    answer = await follow(metrics, await link(metrics, await metrics.contracted()))
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["cache-control"] == "no-store"


async def test_every_path_is_a_page_in_a_browser_and_a_problem_for_a_program(metrics: Metrics) -> None:
    browser, program = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, {"Accept": "*/*"}
    async with metrics.http() as client:
        for path, status in {
            "/favicon.ico": 404,
            "/l": 404,
            "/l/": 422,
            "/links/x": 405,
            "/orders": 401,
        }.items():
            page = await client.get(path, headers=browser)
            assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8"), path
            assert 'lang="en"' in page.text
            assert page.headers["x-content-type-options"] == "nosniff"
            assert (await client.head(path, headers=browser)).content == b""
            if not path.startswith("/l/") and path != "/l":
                assert (await client.get(path, headers=program)).headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("code", "status"), [("unknown-code", 404), ("a", 422), ("a/b/c", 422), ("", 422)])
async def test_a_dead_link_is_a_page_for_people(metrics: Metrics, code: str, status: int) -> None:
    page = await follow(metrics, code, Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "链接已失效" in page.text
    assert page.headers["x-content-type-options"] == "nosniff"
    program = await follow(metrics, code, Accept="application/json")
    assert (program.status_code, program.headers["content-type"]) == (status, "application/problem+json")


async def test_a_link_that_was_ended_leads_nowhere_and_keeps_its_clicks(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "LINK_KEPT_S", 0.0)
    deal, link_id = await metrics.contracted(), new_id()
    code = await link(metrics, deal, link_id=link_id)
    assert id_in(await follow(metrics, code))
    path, body = f"/links/{link_id}/end", {"reason": "host_taken"}
    stranger = ("eve", new_id(), "brand")
    assert await metrics.refused("POST", path, body, stranger) == "link.unknown"
    assert await metrics.refused("POST", f"/links/{new_id()}/end", body, stranger) == "link.unknown"
    await metrics.done("POST", path, body, OPERATOR)

    async def is_gone() -> bool:
        return (await follow(metrics, code, Accept="text/html")).status_code == 404

    await until(is_gone)
    assert "链接已失效" in (await follow(metrics, code, Accept="text/html")).text
    assert (await follow(metrics, code, Accept="application/json")).json()["code"] == "link.ended"
    clicks, *_ = await counts(metrics, deal, 1)
    assert clicks == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"User_Agent": GOOGLE},
        {"User_Agent": ""},
        {"Sec_Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X_Purpose": "preview"},
        {"Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
    ],
    ids=["robot", "nobody", "prerender", "prefetch", "preview", "image"],
)
async def test_who_follows_nothing_is_no_click_and_no_evidence(metrics: Metrics, headers: dict[str, str]) -> None:
    deal = await metrics.contracted()
    code = await link(metrics, deal)
    answer = await follow(metrics, code, **headers)
    assert id_in(answer) == ""
    assert "set-cookie" not in answer.headers
    assert await counts(metrics, deal, 1) == (0, 0, 0)


async def test_a_browser_that_reloads_is_one_click(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    code, other = await link(metrics, deal), await link(metrics, deal)
    first = await follow(metrics, code)
    cookies = f"{COOKIE}={first.cookies[COOKIE]}; {SEEN}={first.cookies[SEEN]}"
    again = await follow(metrics, code, Cookie=cookies)
    elsewhere = await follow(metrics, other, Cookie=cookies)
    back = await follow(metrics, code, Cookie=f"{SEEN}={elsewhere.cookies[SEEN]}")
    assert id_in(first) == id_in(again) == id_in(back)
    assert id_in(elsewhere) not in ("", id_in(first))
    assert await counts(metrics, deal, 4) == (2, 2, 0)
    paid = await metrics.done("PUT", f"/orders/{new_id()}", order("R1", click_ids=[id_in(back)]), deal.brand)
    assert (await metrics.roi(deal.campaign_id, at_least=paid["token"])).counts.orders == 1


async def test_a_browser_without_cookies_is_one_click_for_a_minute(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    code = await link(metrics, deal)
    answers = [await follow(metrics, code, Accept_Language="zh-CN") for _ in range(3)]
    assert len({id_in(answer) for answer in answers}) == 1
    assert id_in(await follow(metrics, code, Accept_Language="en")) != id_in(answers[0])
    assert await counts(metrics, deal, 4) == (2, 2, 0)


async def test_another_browsers_cookie_or_an_invented_one_hides_no_click(metrics: Metrics) -> None:
    deal, elsewhere = await metrics.contracted(), await metrics.contracted()
    code = await link(metrics, deal)
    stolen = id_in(await follow(metrics, await link(metrics, elsewhere)))
    for cookie in (stolen, new_id(), "nonsense"):
        assert id_in(await follow(metrics, code, Cookie=f"{SEEN}={cookie}")) not in ("", stolen)
    assert await counts(metrics, deal, 3) == (3, 3, 0)


async def report(metrics: Metrics, deal: Deal, value: int, **more: str) -> None:
    row = {"content_id": deal.contents[0], "metric": "clicks", "value": value} | more
    now = (await metrics.app.log.now()).isoformat()
    accepted = await metrics.done("POST", "/engagement", {"rows": [{"observed_at": now, **row}]}, OPERATOR)
    await metrics.until_counted(accepted, "platform")


@pytest.mark.parametrize("kind", ["snapshot", "increment"])
@pytest.mark.parametrize("first", ["own", "reported"])
async def test_own_and_reported_clicks_are_never_mixed(metrics: Metrics, kind: str, first: str) -> None:
    deal = await metrics.contracted()
    code = await link(metrics, deal)
    if first == "reported":
        await report(metrics, deal, 274, kind=kind)
        assert await counts(metrics, deal, 0) == (274, 0, 274)
    for _ in range(3):
        await follow(metrics, code)
    if first == "own":
        await report(metrics, deal, 274, kind=kind)
    assert await counts(metrics, deal, 3) == (3, 3, 274)
    (row,) = (await metrics.performance(campaign_id=deal.campaign_id)).rows
    assert (row.counts.clicks, row.counts.link_clicks, row.counts.reported_clicks) == (3, 3, 274)
    assert row.not_measured == 0
    token = await metrics.paid(deal, 900, 900)
    found = await metrics.roi(deal.campaign_id, at_least=token)
    assert (found.counts.clicks, found.roi[0].cpc.value) == (3, 300)


async def test_what_was_typed_stands_beside_what_was_clicked(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    await report(metrics, deal, 50, provenance="manual")
    (row,) = (await metrics.performance(campaign_id=deal.campaign_id)).rows
    assert (row.counts.clicks, row.not_measured) == (50, 50)
    await follow(metrics, await link(metrics, deal))
    assert await counts(metrics, deal, 1) == (1, 1, 50)
    (row,) = (await metrics.performance(campaign_id=deal.campaign_id)).rows
    assert (row.counts.clicks, row.not_measured) == (1, 0)


async def test_paid_clicks_are_the_platforms_to_tell_apart(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    await report(metrics, deal, 8, traffic="paid")
    await follow(metrics, await link(metrics, deal))
    assert await counts(metrics, deal, 1) == (1, 1, 8)
    paid = (await metrics.roi(deal.campaign_id, traffic=2)).counts
    assert (paid.clicks, paid.link_clicks, paid.reported_clicks) == (8, 0, 8)


@pytest.mark.parametrize("metric", ["link_clicks", "link_requests"])
async def test_nobody_reports_what_our_redirect_counts(metrics: Metrics, metric: str) -> None:
    row = {"content_id": new_id(), "metric": metric, "value": 1, "observed_at": "2026-01-01T00:00:00Z"}
    answer = await metrics.send("POST", "/engagement", {"rows": [row]}, OPERATOR)
    assert (answer.status_code, answer.json()["code"]) == (422, "observation.metric_unknown")
