"""Several consoles behind one address: what they share is the browser's cookie, whose keys they have in common, and no memory."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from tests.kit.console_sign_in import BASE, World, who, world

NEAR_ITS_END_S = 850
"""So far ahead of its provider a console sees every token of fifteen minutes near its end, and refreshes it."""


@pytest.fixture(params=["ours", "authlib"])
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with world(request.param, tmp_path) as made:
        yield made


def replica(at: World) -> Callable[[httpx.Cookies], httpx.AsyncClient]:
    """Another process: what brings a browser with these cookies to it."""
    at.open()
    app = at.app
    return lambda cookies: httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE, cookies=cookies)


async def test_consoles_take_turns_with_a_browser(at: World) -> None:
    """Each request brings what the answer before left, so whichever console it comes to refreshes the token that is good."""
    browser = await at.signed_in()
    first, second = replica(at), replica(at)
    cookies = httpx.Cookies(browser.cookies)
    at.clock.ahead_s = NEAR_ITS_END_S
    for turn in range(4):
        async with (first, second)[turn % 2](cookies) as visit:
            assert await who(visit) is not None, f"turn {turn}"
            cookies = httpx.Cookies(visit.cookies)
    assert at.network.token_requests("refresh_token") == 4


async def test_two_consoles_that_use_one_rotating_token_end_the_sign_in(tmp_path: Path) -> None:
    """So a balancer keeps a browser at one console, or tokens do not rotate (test_signing_in.py): else people sign in anew."""
    async with world("ours", tmp_path) as at:
        browser = await at.signed_in()
        first, second = replica(at), replica(at)
        cookies = httpx.Cookies(browser.cookies)
        at.clock.ahead_s = NEAR_ITS_END_S
        async with first(cookies) as one, second(cookies) as other:
            assert await who(one) is not None
            assert await who(other) is None, "the provider takes a token that comes twice for a stolen one"
            assert await who(one) is None, "and no token of the sign-in is good any more"
            assert (await one.get("/sign-in")).status_code == 303
