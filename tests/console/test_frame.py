"""What surrounds every page: who may open it, forms of other sites, a session that ended, what is not there."""

import re

import pytest

from console.app import BODY_LIMIT_BYTES
from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent


async def test_nobody_is_sent_to_the_sign_in_and_back(console: OpenConsole) -> None:
    async with console.visitor("") as nobody:
        answer = await nobody.get("/campaigns?status=X", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fcampaigns%3Fstatus%3DX")


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
async def test_home_is_in_the_reader_s_language(console: OpenConsole, lang: str) -> None:
    async with console.visitor("brand", lang) as brand:
        shown = await opened(brand, "/")
    assert f'<html lang="{lang}"' in shown.answer.text
    assert ("待您处理" in shown.text) == (lang == "zh-CN")


async def test_headers_keep_scripts_and_frames_out(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        answer = await brand.get("/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<[^>]+ (?:on\w+|style)=", answer.text)


async def test_a_form_of_another_site_changes_nothing(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        answer = await brand.post("/reader", data={"lang": "zh-CN"}, headers={"sec-fetch-site": "cross-site"})
        older = await brand.post("/reader", data={"lang": "zh-CN"}, headers={"origin": "https://elsewhere.example"})
        unsigned = await brand.post("/reader", data={"lang": "zh-CN"}, headers={"sec-fetch-site": "same-origin"})
    assert [answer.status_code, older.status_code, unsigned.status_code] == [403, 403, 403]
    assert "too old or came from elsewhere" in unsigned.text


async def test_a_form_whose_session_ended_is_kept(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        form = (await opened(brand, await _first_campaign(brand))).form("/pause")
    async with console.visitor("") as ended:
        kept = await sent(ended, form, {"reason": "<b>rain</b> & 雨"})
    assert kept.answer.status_code == 401
    assert kept.form("/pause").fields["reason"] == ["<b>rain</b> & 雨"]


async def test_what_is_not_there_says_so(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        answers = [await brand.get(path) for path in ("/nowhere", "/campaigns/no-such-campaign", "/campaigns/%00")]
    assert [answer.status_code for answer in answers] == [404, 422, 404]


@pytest.mark.parametrize("path", ["/assets/none.js", "/health/none"])
async def test_an_asset_that_is_not_there_says_so_without_a_page(console: OpenConsole, path: str) -> None:
    async with console.visitor("brand") as brand:
        answer = await brand.get(path)
    assert (answer.status_code, answer.text) == (404, "not here")


async def test_a_form_beyond_the_limit_is_not_read(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        answer = await brand.post(
            "/reader", content=b"lang=" + b"x" * BODY_LIMIT_BYTES, headers={"sec-fetch-site": "same-origin"}
        )
    assert answer.status_code == 413


async def test_a_role_that_may_not_is_refused(console: OpenConsole) -> None:
    async with console.visitor("finance") as finance:
        answer = await finance.get("/campaigns")
    assert answer.status_code == 403
    assert 'href="/campaigns"' not in answer.text


async def _first_campaign(brand: object) -> str:
    shown = await opened(brand, "/campaigns")  # type: ignore[arg-type]
    return next(link for link in shown.links if link.startswith("/campaigns/"))
