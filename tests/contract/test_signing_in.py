"""The console signs people in at any OpenID provider: the same tests run at ours and at Authlib's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from console.identity.fetching import Refused
from console.identity.kept import Session
from tests.kit.console_sign_in import BASE, World, who, world
from tests.kit.oidc_running import REALM

TENANTS = {"ours": "9f84d5c8-7099-54ac-bf81-633e839d338a", "authlib": REALM["users"][0]["attributes"]["tenant"][0]}


@pytest.fixture(params=["ours", "authlib"])
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with world(request.param, tmp_path) as made:
        yield made


async def token_of(browser: httpx.AsyncClient) -> str:
    found = await who(browser)
    assert found is not None
    return str(found["token"])


async def test_a_person_signs_in_and_services_believe_the_token(at: World) -> None:
    browser = at.browser()
    assert await who(browser) is None
    back = await browser.get(await at.callback(browser, "/campaigns?page=2"))
    assert back.headers["location"] == "/campaigns?page=2"
    found = await who(browser)
    assert found is not None
    assert (found["subject"], found["tenant"], found["roles"]) == ("bella", TENANTS[at.name], ["brand"])
    assert found["name"] == {"ours": "Bella Lin", "authlib": "bella"}[at.name]
    actor = await at.verifier.verify(found["token"])
    assert (actor.id, actor.tenant) == ("bella", TENANTS[at.name])


async def test_nothing_in_the_cookie_can_be_read_and_no_token_stands_in_an_address(at: World) -> None:
    browser = at.browser()
    begun = await browser.get("/sign-in")
    back = await browser.get(await at.chosen(begun.headers["location"]))
    token = await token_of(browser)
    for answer in (begun, back):
        for cookie in answer.headers.get_list("set-cookie"):
            name, *rest = cookie.split("; ")
            assert name.startswith("__Host-")
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(rest)
            assert not [part for part in rest if part.startswith("Domain")]
            assert len(cookie) <= 4_096
            assert token not in cookie
        assert token not in answer.headers["location"]


async def test_tokens_are_refreshed_unseen_before_they_end(at: World) -> None:
    browser = await at.signed_in()
    first = await token_of(browser)
    assert await token_of(browser) == first
    assert at.network.token_requests("refresh_token") == 0
    at.clock.ahead_s = 850
    second = await token_of(browser)
    assert second != first
    assert (await at.verifier.verify(second)).id == "bella"
    at.clock.ahead_s = 0
    assert await token_of(browser) == second, "the browser has the new one"
    assert at.network.token_requests("refresh_token") == 1


async def test_a_token_that_has_ended_while_the_browser_slept_is_refreshed_too(at: World) -> None:
    browser = await at.signed_in()
    at.clock.ahead_s = 890
    assert await who(browser) is not None
    assert at.network.token_requests("refresh_token") == 1


async def test_many_tabs_at_once_use_a_rotating_token_once(at: World) -> None:
    browser = await at.signed_in()
    before = dict(browser.cookies)
    at.clock.ahead_s = 850
    tabs = [httpx.AsyncClient(transport=httpx.ASGITransport(at.app), base_url=BASE, cookies=before) for _ in range(8)]
    found = await asyncio.gather(*[token_of(tab) for tab in tabs])
    assert len(set(found)) == 1
    assert at.network.token_requests("refresh_token") == 1
    late = httpx.AsyncClient(transport=httpx.ASGITransport(at.app), base_url=BASE, cookies=before)
    at.clock.ahead_s = 0
    assert await token_of(late) == found[0], "a tab whose answer was lost is given the newest"
    assert at.network.token_requests("refresh_token") == 1


async def test_a_browser_that_leaves_while_its_token_is_refreshed_loses_nothing(at: World) -> None:
    """The provider has rotated, and its answer is on its way when the browser goes."""
    browser = await at.signed_in()
    at.clock.ahead_s = 850
    come, go = asyncio.Event(), asyncio.Event()

    async def slowly(request: httpx.Request) -> None:
        come.set()
        await go.wait()

    at.network.after = slowly
    leaving = asyncio.create_task(browser.get("/me"))
    await come.wait()
    leaving.cancel()
    await asyncio.wait([leaving])
    go.set()
    for _ in range(3):  # its old token a second time would end the session
        assert await who(browser) is not None


async def test_a_refresh_that_brings_somebody_else_ends_the_session(at: World) -> None:
    theirs = dict[str, str]()

    def see(_: httpx.Request, document: dict[str, Any]) -> dict[str, Any]:
        theirs.update({name: document[name] for name in ("id_token", "access_token") if name in document})
        return document

    browser = await at.signed_in()
    at.network.change = see
    await at.signed_in("fay")
    at.clock.ahead_s = 850
    at.network.change = lambda _, document: document | (theirs if "access_token" in document else {})
    answer = await browser.get("/me")
    assert (answer.status_code, "Max-Age=0" in answer.headers["set-cookie"]) == (401, True)


async def test_signing_out_ends_the_session_here_and_at_the_provider(at: World) -> None:
    browser = await at.signed_in()
    before = dict(browser.cookies)
    kept = at.sessions.seal.open("__Host-dandelion", before["__Host-dandelion"].partition(".")[2])
    assert kept is not None
    out = await browser.post("/sign-out")
    leads = urlsplit(out.headers["location"])
    assert f"{leads.scheme}://{leads.netloc}" == at.told.issuer
    assert parse_qs(leads.query)["post_logout_redirect_uri"] == [f"{BASE}/"]
    back = await at.provider.get(out.headers["location"])
    assert back.headers["location"] == f"{BASE}/"
    assert not dict(browser.cookies)
    stolen = httpx.AsyncClient(transport=httpx.ASGITransport(at.app), base_url=BASE, cookies=before)
    assert await who(stolen) is None, "this process knows that it has ended"
    at.open()
    at.clock.ahead_s = 850
    stolen = httpx.AsyncClient(transport=httpx.ASGITransport(at.app), base_url=BASE, cookies=before)
    refused = await stolen.get("/me")
    assert (refused.status_code, "Max-Age=0" in refused.headers["set-cookie"]) == (401, True), (
        "and so does the provider"
    )


async def test_a_session_that_a_service_refuses_is_over_at_the_next_request(at: World) -> None:
    browser = await at.signed_in()
    before = dict(browser.cookies)
    assert (await browser.get("/refused")).status_code == 401
    assert not dict(browser.cookies)
    again = httpx.AsyncClient(transport=httpx.ASGITransport(at.app), base_url=BASE, cookies=before)
    assert await who(again) is None


async def test_a_refusal_of_the_provider_is_said_and_leads_back(at: World) -> None:
    browser = at.browser()
    callback = httpx.URL(await at.callback(browser)).copy_remove_param("code")
    answer = await browser.get(callback.copy_set_param("error", "access_denied<b>"))
    assert answer.json() == {"code": "identity.refused", "next": "/me", "word": "access_denied<b>"}


async def test_a_provider_that_is_away_is_said_and_costs_nobody_a_session(at: World) -> None:
    at.network.is_cut = True
    stranger = at.browser()
    answer = await stranger.get("/sign-in", params={"next": "/campaigns"})
    assert (answer.status_code, answer.json()) == (503, {"code": "identity.away", "next": "/campaigns"})
    at.network.is_cut = False
    browser = await at.signed_in()
    callback = await at.callback(stranger)
    at.network.is_cut = True
    assert (await stranger.get(callback)).status_code == 503
    at.clock.ahead_s = 850
    assert await who(browser) is not None, "the token is still good"
    at.clock.ahead_s = 910
    assert await who(browser) is None
    at.network.is_cut, at.clock.ahead_s = False, 855
    assert await who(browser) is not None, "its cookie was left alone"


async def test_a_session_ends_after_its_time_however_often_it_is_refreshed(at: World) -> None:
    browser = await at.signed_in()
    at.clock.ahead_s = 12 * 3_600 + 1
    assert await who(browser) is None
    assert at.network.token_requests("refresh_token") == 0


async def test_the_provider_is_told_the_reader_s_language(at: World) -> None:
    begun = await at.browser().get("/sign-in", headers={"accept-language": "zh-TW,en;q=0.5"})
    assert parse_qs(urlsplit(begun.headers["location"]).query)["ui_locales"] == ["zh-CN"]


async def test_a_browser_at_another_name_of_the_console_begins_at_its_own(at: World) -> None:
    """Cookies are one host's: a sign-in that began elsewhere would come back to a host that has none."""
    browser = httpx.AsyncClient(transport=httpx.ASGITransport(at.app), base_url="http://localhost:8100")
    moved = await browser.get("/sign-in", params={"next": "/a?b=1&c"})
    assert moved.headers["location"] == f"{BASE}/sign-in?moved=1&next=%2Fa%3Fb%3D1%26c"
    behind_a_proxy = await browser.get("/sign-in", params={"next": "/a", "moved": "1"})
    assert behind_a_proxy.headers["location"].startswith(at.told.issuer), "once, and no circle"


async def test_two_sign_ins_in_two_tabs_both_come_back(at: World) -> None:
    browser = at.browser()
    first, second = await at.callback(browser, "/a"), await at.callback(browser, "/b")
    assert (await browser.get(first)).headers["location"] == "/a"
    assert (await browser.get(second)).headers["location"] == "/b"


async def test_a_provider_is_reached_at_another_address_from_inside(at: World) -> None:
    """Its document, keys and tokens come by the inner address; browsers are sent to the outer one."""
    at.told.issuer_inside = "http://inside.test:1"
    at.open()
    seen = list[str]()

    async def routed(request: httpx.Request) -> None:
        seen.append(request.url.host)
        request.url = request.url.copy_with(**outer)
        request.headers["host"] = request.url.netloc.decode()

    url = httpx.URL(at.told.issuer)
    outer = {"scheme": url.scheme, "host": url.host, "port": url.port}
    at.network.before = routed
    assert await who(await at.signed_in()) is not None
    assert set(seen) == {"inside.test"}


async def test_a_client_with_a_secret_shows_it_and_its_tokens_need_not_rotate(tmp_path: Path) -> None:
    """So replicas of the console may refresh one session at the same moment."""
    async with world("authlib", tmp_path, secret="s3%41cret:+/") as at:
        browser = await at.signed_in()
        before = dict(browser.cookies)
        at.clock.ahead_s = 850
        for _ in range(2):
            at.open()
            replica = httpx.AsyncClient(transport=httpx.ASGITransport(at.app), base_url=BASE, cookies=before)
            assert await who(replica) is not None
        assert at.network.token_requests("refresh_token") == 2
        assert at.told.client_secret_file is not None
        at.told.client_secret_file.write_text("wrong")
        at.open()
        answer = await (stranger := at.browser()).get(await at.callback(stranger))
        assert (answer.status_code, "invalid_client" in answer.text) == (409, True)


async def test_a_refusal_names_what_the_provider_said(at: World) -> None:
    browser = await at.signed_in()
    session = at.sessions.seal.open("__Host-dandelion", dict(browser.cookies)["__Host-dandelion"].partition(".")[2])
    assert session is not None
    await browser.post("/sign-out")
    with pytest.raises(Refused, match="invalid_grant"):
        await at.sessions.provider.refresh(Session.read(session).tokens)
