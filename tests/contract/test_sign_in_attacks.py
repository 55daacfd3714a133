"""Attacks on a sign-in fail at either provider: replay, another's answer, code injection, mix-up, other people's tokens."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kit.console_sign_in import BASE, World, who, world


@pytest.fixture(params=["ours", "authlib"])
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with world(request.param, tmp_path) as made:
        yield made


async def test_an_answer_that_is_under_way_when_the_session_ends_does_not_bring_it_back(at: World) -> None:
    browser = await at.signed_in()
    before = dict(browser.cookies)
    at.clock.ahead_s = 850
    asked, ended, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def in_turn(request: httpx.Request) -> None:
        """The refresh waits for the sign-out, whose revocation waits for the refresh."""
        if b"grant_type=refresh_token" in request.content:
            asked.set()
            await ended.wait()
        elif b"token=" in request.content:
            ended.set()
            await answered.wait()

    at.network.before = in_turn
    other = httpx.AsyncClient(transport=httpx.ASGITransport(at.app), base_url=BASE, cookies=before)
    page = asyncio.create_task(other.get("/me"))
    await asked.wait()
    out = asyncio.create_task(browser.post("/sign-out"))
    answer = await page
    answered.set()
    await out
    assert answer.headers.get_list("set-cookie")
    assert not [one for one in answer.headers.get_list("set-cookie") if "Max-Age=0" not in one]


async def test_the_answer_of_a_sign_in_is_good_once(at: World) -> None:
    browser = at.browser()
    callback = await at.callback(browser)
    begun = dict(browser.cookies)
    assert (await browser.get(callback)).status_code == 303
    assert (await browser.get(callback)).status_code == 409, "its state was used"
    thief = httpx.AsyncClient(transport=httpx.ASGITransport(at.app), base_url=BASE, cookies=begun)
    answer = await thief.get(callback)
    assert (answer.status_code, "invalid_grant" in answer.text) == (409, True), "its code was used"
    assert await who(thief) is None


async def test_an_answer_that_another_browser_asked_for_is_refused(at: World) -> None:
    """Login CSRF: somebody is made to open the answer of an attacker's sign-in."""
    attacker, victim = at.browser(), at.browser()
    callback = await at.callback(attacker)
    assert (await victim.get(callback)).status_code == 409
    await at.callback(victim)
    assert (await victim.get(callback)).status_code == 409
    assert await who(victim) is None


async def test_a_code_of_another_sign_in_is_refused(at: World) -> None:
    """Code injection: an attacker's code comes with the victim's own state, and PKCE stops it."""
    attacker, victim = at.browser(), at.browser()
    theirs, own = httpx.URL(await at.callback(attacker)), httpx.URL(await at.callback(victim))
    mixed = own.copy_set_param("code", theirs.params["code"])
    answer = await victim.get(mixed)
    assert (answer.status_code, await who(victim)) == (409, None)


async def tokens_seen(at: World, name: str, person: str) -> str:
    """A genuine token of another sign-in."""
    seen = list[str]()

    def see(_: httpx.Request, document: dict[str, Any]) -> dict[str, Any]:
        seen.extend([document[name]] if name in document else [])
        return document

    at.network.change = see
    await at.signed_in(person)
    return seen[-1]


async def test_an_id_token_of_another_sign_in_is_refused(at: World) -> None:
    """The provider's answer brings an id token that is genuine and was made for another request: the nonce stops it."""
    genuine = await tokens_seen(at, "id_token", "bella")

    def swapped(request: httpx.Request, document: dict[str, Any]) -> dict[str, Any]:
        return document | ({"id_token": genuine} if "id_token" in document else {})

    at.network.change = swapped
    browser = at.browser()
    answer = await browser.get(await at.callback(browser))
    assert (answer.status_code, "token_nonce" in answer.text, await who(browser)) == (409, True, None)


async def test_an_access_token_of_another_person_is_refused(at: World) -> None:
    theirs = await tokens_seen(at, "access_token", "fay")
    at.network.change = lambda _, document: document | ({"access_token": theirs} if "access_token" in document else {})
    browser = at.browser()
    answer = await browser.get(await at.callback(browser))
    assert (answer.status_code, "token_subject" in answer.text, await who(browser)) == (409, True, None)


@pytest.mark.parametrize("iss", ["https://elsewhere.test", ""])
async def test_an_answer_of_another_provider_is_refused_before_its_code_is_sent_anywhere(at: World, iss: str) -> None:
    """Mix-up (RFC 9207)."""
    browser = at.browser()
    callback = httpx.URL(await at.callback(browser)).copy_set_param("iss", iss)
    assert (await browser.get(callback)).status_code == 409
    assert at.network.token_requests("authorization_code") == 0


async def test_the_document_has_to_be_of_the_provider_that_was_configured(at: World) -> None:
    at.network.change = lambda _, document: (
        document | ({"issuer": "https://elsewhere.test"} if "issuer" in document else {})
    )
    assert (await at.browser().get("/sign-in")).status_code == 503
