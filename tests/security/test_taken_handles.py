"""A handle that one creator took from another, and the taker's erasure."""

from pathlib import Path

import pytest

from kernel.core.check import CheckResult
from kernel.verify.inline_rows import check_inline_tables
from tests.integration.discovery.client import Discovery
from tests.security.test_personal import Both, both_in, checked, planted


@pytest.mark.parametrize("proven", [True, False], ids=["verified", "claimed"])
async def test_a_handle_that_was_taken_from_another_stays_taken_when_its_taker_is_erased(
    tmp_path: Path, proven: bool
) -> None:
    """The taker's events lose their handles; the fold of the log still says what the table says."""
    async with both_in(tmp_path) as both:
        loser = await registered(both.discovery, "qzwanted")
        await verified(both.discovery, loser, "qzwanted")
        taker = await planted(both.discovery)
        if proven:
            await verified(both.discovery, taker, "qzhandle")
        body = {"platform": "weibo", "handle": "qzwanted", "account_id": "QzAccount"}
        await both.discovery.done("POST", f"/creators/{taker}/accounts/identify", body)
        assert await inline_problems(both) == []
        await both.erased(taker)
        assert await inline_problems(both) == []
        await both.discovery.done("POST", f"/creators/{loser}/accounts", {"platform": "weibo", "handle": "qzother"})
        await verified(both.discovery, loser, "qzother")
        assert await inline_problems(both) == []
        await both.erased(loser)
        await checked(both)


async def inline_problems(both: Both) -> list[CheckResult]:
    return [one for one in await check_inline_tables(both.discovery.app) if one.problems]


async def registered(discovery: Discovery, handle: str) -> str:
    columns = ["platform", "handle", "display_name", "categories", "country", "observed_on", "followers"]
    values = ["weibo", handle, "Somebody", "美妆", "CN", "2025-06-30", "5000"]
    answer = await discovery.send("POST", "/imports", f"{','.join(columns)}\n{','.join(values)}".encode())
    assert answer.status_code == 200, answer.text
    creator_id: str = answer.json()["rows"][0]["creator_id"]
    return creator_id


async def verified(discovery: Discovery, creator_id: str, handle: str) -> None:
    body = {"platform": "weibo", "handle": handle, "method": "oauth"}
    await discovery.done("POST", f"/creators/{creator_id}/accounts/verify", body)
