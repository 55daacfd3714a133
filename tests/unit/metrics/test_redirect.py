"""The redirect: where a visitor is sent, and what of the requests is a click."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from kernel.core.decider import Meta
from kernel.core.faults import Unavailable
from kernel.edge import http_errors
from services.metrics.domain.link.clicks import NotAClick, RecordClick
from services.metrics.domain.link.link import LinkCode
from services.metrics.rest.pages import VisitorPages, page_of
from services.metrics.rest.redirect import COOKIE, PASSED_CHARS, destination, redirect_routes
from services.metrics.rest.visitors import COOKIELESS_S, SEEN, SEEN_LIMIT, Visitors, is_robot, not_a_click, with_seen

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
CLICK = f"{COOKIE}={ID}"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; V2324A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.0.0 "
    "Mobile Safari/537.36"
)
DESKTOP = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
PEOPLE = {
    "chrome": DESKTOP,
    "firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "wechat": f"{IPHONE} MicroMessenger/8.0.60(0x18003c2f) NetType/WIFI Language/zh_CN",
    "xiaohongshu": f"{IPHONE} discover/8.88.1 xhsdiscover/8.88.1",
    "douyin": f"{ANDROID} aweme_350100 JsSdk/1.0 NetType/WIFI Channel/vivo AppName/aweme app_version/35.1.0 ByteLocale/zh",
    "weibo": f"{IPHONE} Weibo (iPhone16,1__weibo__15.8.0__iphone__os18.5)",
    "bilibili": f"{IPHONE} BiliApp/85300100 mobi_app/iphone channel/AppStore",
    "qq": f"{ANDROID} V1_AND_SQ_9.1.70_0_TIM_D QQ/9.1.70.27030 NetType/WIFI",
    "baidu": f"{ANDROID} T7/13.63 SP-engine/3.32.0 baiduboxapp/13.63.0.10 (Baidu; P1 15)",
    "instagram": f"{IPHONE} Instagram 390.0.0.30.85 (iPhone16,1; iOS 18_5; zh_CN; zh; scale=3.00; 1179x2556)",
    "facebook": f"{IPHONE} [FBAN/FBIOS;FBAV/520.0.0.38.101;FBBV/756351453;FBDV/iPhone16,1;FBMD/iPhone;FBSN/iOS]",
    "tiktok": f"{IPHONE} musical_ly_40.5.0 BytedanceWebview/d8a21c6 trill_400500",
    "line": f"{IPHONE} Safari Line/15.12.0",
    "edge": f"{DESKTOP} Edg/140.0",
    "cubot": f"{ANDROID} CUBOT X19",
    "opera_mini": "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10",
    "uc_mini": "UCWEB/2.0 (Java; U; MIDP-2.0; en-US; nokia) U2/1.0.0 UCBrowser/9.4.1.482 U2/1.0.0 Mobile",
}
ROBOTS = {
    "google": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "baidu": "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "bytedance": "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; "
    "Bytespider; spider-feedback@bytedance.com)",
    "gpt": "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "facebook_preview": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "slack_preview": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "telegram_preview": "TelegramBot (like TwitterBot)",
    "whatsapp_preview": "WhatsApp/2.23.20.0",
    "headless": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
    "curl": "curl/8.14.1",
    "python": "python-requests/2.32.4",
    "go": "Go-http-client/2.0",
    "java": "Java/17.0.15",
    "dart": "Dart/3.2 (dart:io)",
    "php": "GuzzleHttp/7",
    "postman": "PostmanRuntime/7.36.0",
    "apple": "Safari/20619.1 CFNetwork/1410.1 Darwin/24.5.0",
    "android_app": "Dalvik/2.1.0 (Linux; U; Android 15; V2324A Build/AP3A)",
    "office": "Microsoft Office/16.0 (Windows NT 10.0; 16.0.17928; Pro)",
    "nobody": "",
    "blanks": "  ",
}


@pytest.mark.parametrize("name", PEOPLE)
def test_browsers_also_those_inside_apps_are_people(name: str) -> None:
    assert not is_robot(PEOPLE[name])


@pytest.mark.parametrize("name", ROBOTS)
def test_robots_are_known(name: str) -> None:
    assert is_robot(ROBOTS[name])


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, None),
        ({"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, None),
        ({"user-agent": ROBOTS["google"]}, NotAClick.ROBOT),
        ({"user-agent": ""}, NotAClick.ROBOT),
        ({"sec-purpose": "prefetch"}, NotAClick.PREFETCH),
        ({"sec-purpose": "prefetch;prerender"}, NotAClick.PREFETCH),
        ({"purpose": "prefetch"}, NotAClick.PREFETCH),
        ({"x-moz": "prefetch"}, NotAClick.PREFETCH),
        ({"x-purpose": "preview"}, NotAClick.PREVIEW),
        ({"purpose": "preview"}, NotAClick.PREVIEW),
        ({"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, NotAClick.EMBEDDED),
        ({"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, NotAClick.EMBEDDED),
        ({"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, NotAClick.EMBEDDED),
    ],
)
def test_what_the_headers_say_is_no_click(headers: dict[str, str], why: NotAClick | None) -> None:
    assert not_a_click({"user-agent": PEOPLE["chrome"], **headers}) is why


@pytest.mark.parametrize(
    ("url", "passed", "click_id", "sent_to"),
    [
        ("https://a.example", "", ID, f"https://a.example?{CLICK}"),
        ("https://a.example/p?sku=7#top", "", ID, f"https://a.example/p?sku=7&{CLICK}#top"),
        ("https://a.example/p?sku=7", "", "", "https://a.example/p?sku=7"),
        ("https://a.example/p", "utm_source=xhs&x=%E5%8F%A3", ID, f"https://a.example/p?utm_source=xhs&x=%E5%8F%A3&{CLICK}"),
        ("https://a.example/p?sku=7", "sku=8&ref=a", ID, f"https://a.example/p?sku=7&ref=a&{CLICK}"),
        ("https://a.example/p?a=1&a=2", "b=1&b=2", "", "https://a.example/p?a=1&a=2&b=1&b=2"),
        (f"https://a.example/p?{COOKIE}=old&sku=7", "", ID, f"https://a.example/p?sku=7&{CLICK}"),
        (f"https://a.example/p?{COOKIE}=old", "", "", "https://a.example/p"),
        ("https://a.example/p", f"{COOKIE}=old", ID, f"https://a.example/p?{CLICK}"),
        ("https://a.example/p?dandelion%5Fclick=old", "", ID, f"https://a.example/p?{CLICK}"),
        ("https://a.example/p#dandelion_click=old", "", ID, f"https://a.example/p?{CLICK}"),
        (f"https://a.example/#/p?a=1&{COOKIE}=old&b=2", "", ID, f"https://a.example/?{CLICK}#/p?a=1&b=2"),
        (f"https://a.example/#/p?{COOKIE}=old", "", "", "https://a.example/#/p"),
        ("https://a.example/#a=1&dandelion%5Fclick=old", "", ID, f"https://a.example/?{CLICK}#a=1"),
        ("https://a.example/#/p?a=1&a=2", "", "", "https://a.example/#/p?a=1&a=2"),
        ("https://a.example/p", "&&x=\r\nSet-Cookie: a", ID, f"https://a.example/p?x=%0D%0ASet-Cookie:%20a&{CLICK}"),
        ("https://a.example/p", 'x="<é>', ID, f"https://a.example/p?x=%22%3C%C3%A9%3E&{CLICK}"),
    ],
)  # fmt: skip
def test_a_visitor_is_sent_on_with_one_click_id(url: str, passed: str, click_id: str, sent_to: str) -> None:
    assert destination(url, passed.encode(), click_id) == sent_to


def test_what_is_passed_on_is_bounded() -> None:
    sent_to = destination("https://a.example/p", b"a=" + b"x" * PASSED_CHARS + b"&b=1", ID)
    assert sent_to == f"https://a.example/p?{CLICK}"


def test_the_cookie_names_the_last_clicks_once_each() -> None:
    ids = [f"01890a5d-ac96-774b-bcce-{n:012x}" for n in range(SEEN_LIMIT + 5)]
    cookie = ""
    for one in [*ids, ids[-1]]:
        cookie = with_seen(cookie, one)
    assert cookie.split(".") == ids[: -SEEN_LIMIT - 1 : -1]
    assert with_seen("nonsense; a=b", ids[0]) == ids[0]


@pytest.mark.parametrize("status", [404, 422, 429, 503, 500])
def test_pages_speak_both_languages_and_load_nothing(status: int) -> None:
    page = page_of(status)
    assert 'lang="zh"' in page
    assert 'lang="en"' in page
    assert not re.search(r"<script|<style|<link|src=|style=", page)


@dataclass
class Logged:
    """A registry that knows these clicks on every link."""

    clicks: list[str] = field(default_factory=list)

    async def newest_click(self, link_id: str, click_ids: Sequence[str], since: datetime) -> str:
        return next((one for one in self.clicks if one in click_ids), "")

    async def link(self, code: str) -> LinkCode:
        return LINK


LINK = LinkCode("abcd", "link-1", ID, ID, ID, ID, ID, "https://a.example")
FIRST, SECOND, THIRD = (f"01890a5d-ac96-774b-bcce-{n:012x}" for n in range(3))


def tap(cookie: str = "", address: str = "198.51.100.1") -> Request:
    headers = [(b"user-agent", DESKTOP.encode()), (b"cookie", f"{SEEN}={cookie}".encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers, "client": (address, 1)})


def visitors(*clicks: str) -> tuple[Visitors, list[float]]:
    """Visitors whose clicks these are, and the hand of their clock."""
    hand, registry = [0.0], Logged(list(clicks))
    known: Any = registry
    return Visitors(known, 3_600, lambda: hand[0]), hand


@pytest.mark.parametrize("cookie", ["", ID])
async def test_two_taps_before_the_first_is_answered_are_one_click(cookie: str) -> None:
    """Also of a browser that followed another link before: its cookies cannot name this click yet."""
    known, hand = visitors()
    assert await known.click_of(LINK, tap(cookie), FIRST) == FIRST
    assert await known.click_of(LINK, tap(cookie), SECOND) == FIRST
    assert await known.click_of(LINK, tap(cookie, "198.51.100.2"), THIRD) == THIRD
    hand[0] = COOKIELESS_S
    assert await known.click_of(LINK, tap(cookie), SECOND) == SECOND


async def test_what_the_cookie_names_comes_first() -> None:
    known, _ = visitors(FIRST)
    assert await known.click_of(LINK, tap(FIRST), SECOND) == FIRST


async def test_a_click_that_was_not_logged_is_repeated_by_nobody() -> None:
    known, _ = visitors()
    await known.click_of(LINK, tap(), FIRST)
    known.forget(LINK, tap(), SECOND)
    assert await known.click_of(LINK, tap(), SECOND) == FIRST
    known.forget(LINK, tap(), FIRST)
    assert await known.click_of(LINK, tap(), SECOND) == SECOND


async def test_who_comes_again_after_trouble_of_ours_is_counted() -> None:
    written: list[object] = []

    async def execute(stream: str, command: object, meta: Meta) -> None:
        written.append(command)
        if len(written) == 1:
            raise Unavailable("log.unavailable", retry_after_s=1)

    async def edge(request: Request, call: Any) -> Any:
        request.state.correlation = ""
        return await call(request)

    host: Any = SimpleNamespace(writer=SimpleNamespace(execute=execute))
    settings: Any = SimpleNamespace(
        clicks_per_s=9, clicks_burst=9, click_window_s=60, attribution_window_s=60, clicks_per_address=9,
        clicks_per_address_in_all=9, requests_per_link=9, requests_per_tenant=9,
    )  # fmt: skip
    registry: Any = Logged()
    api = FastAPI()
    api.include_router(redirect_routes(host, registry, settings))
    http_errors.install(api)
    api.add_middleware(VisitorPages)
    api.middleware("http")(edge)
    person = {"User-Agent": DESKTOP, "Accept-Language": "en"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="https://test") as browser:
        answers = [await browser.get("/l/abcd", headers=person) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [503, 302]
    assert [type(command) for command in written] == [RecordClick, RecordClick]
