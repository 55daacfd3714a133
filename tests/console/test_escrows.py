"""One escrow that finance pays or returns by hand: proposed with its sums, approved by another person, seen by both sides."""

import re

import httpx
import pytest

from tests.console.test_money import confirmed
from tests.kit.console import OpenConsole
from tests.kit.lively import accepted, drafted, offered, published
from tests.kit.pages import Shown, opened
from tests.kit.until import until

WAITS = "Moves that wait for a second person"


async def held(console: OpenConsole) -> str:
    """Path of the page of an escrow that holds the money of a new agreement: 900 and the fee on top."""
    campaign_id = await drafted(console)
    await published(console, campaign_id)
    work = await accepted(console, await offered(console, campaign_id))
    found: list[str] = []
    async with console.visitor("finance") as finance:

        async def told() -> bool:
            links = (await opened(finance, "/finance/escrows")).links
            found.extend(link for link in links if link.startswith(f"/finance/escrows/{work}/"))
            return bool(found)

        await until(told)
    return found[0]


@pytest.fixture(scope="module")
async def path(console: OpenConsole) -> str:
    return await held(console)


async def approved(console: OpenConsole, path: str) -> None:
    async with console.visitor("second") as fred:
        one = (await opened(fred, path)).form("/approve")
        _, done = await confirmed(fred, one, {})
        assert "Approved and carried out." in done.text


async def standing(client: httpx.AsyncClient, path: str) -> Shown:
    """The page once the read model has the end of the escrow."""

    async def over() -> bool:
        return "This escrow is over" in (await opened(client, path)).text

    await until(over)
    return await opened(client, path)


@pytest.mark.parametrize("typed", ["-5", "1e9", "一千", "99999999"])
async def test_a_sum_that_cannot_be_is_refused(console: OpenConsole, path: str, typed: str) -> None:
    async with console.visitor("finance") as fay:
        form = (await opened(fay, path)).form("/release")
        form.fields["fee_minor"] = [typed]
        form.fields["_sure"] = ["true"]
        answer = await fay.post(form.action, data=form.fields)
    assert answer.status_code in (409, 422)
    assert typed in answer.text, "what was typed is still there"
    assert WAITS not in answer.text


async def test_only_finance_moves_it_and_parties_do_not_see_it(console: OpenConsole, path: str) -> None:
    for name in ("operator", "auditor"):
        async with console.visitor(name) as watcher:
            shown = await opened(watcher, path)
            assert not [one for one in shown.forms if one.action.endswith(("/release", "/cancel"))]
            assert (await watcher.post(f"{path}/release")).status_code == 403
    async with console.visitor("brand") as brand:
        assert (await brand.get(path)).status_code == 403
    async with console.visitor("finance") as fay:
        assert (await fay.get("/finance/escrows/a/b")).status_code == 404


async def test_an_escrow_is_returned_by_two_people(console: OpenConsole, path: str) -> None:
    async with console.visitor("finance") as fay:
        form = (await opened(fay, path)).form("/cancel")
        sure, done = await confirmed(fay, form, {"kill_fee_minor": "100", "reason": "creator fell ill"})
        assert "another person of finance" in done.text
        mine = await opened(fay, path)
        assert WAITS in mine.text
        assert not [one for one in mine.forms if one.action.endswith("/approve")]
        await approved(console, path)
        shown = await standing(fay, path)
    assert sure.fields["kill_fee_minor"] == ["100"]
    figures = dict(re.findall(r"(Still there|Paid out|Returned) CN¥([\d,.]+)", shown.text))
    assert figures == {"Still there": "0.00", "Paid out": "100.00", "Returned": "890.00"}


async def test_an_escrow_is_paid_by_two_people(console: OpenConsole) -> None:
    path = await held(console)
    async with console.visitor("finance") as fay:
        _, done = await confirmed(fay, (await opened(fay, path)).form("/release"), {})
        assert "another person of finance" in done.text
        await approved(console, path)
        shown = await standing(fay, path)
    assert "Paid to the creator" in shown.text
