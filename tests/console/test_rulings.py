"""Disputes and erasures: what staff decide, after a page that says what cannot be taken back."""

from cli.commands.demo import address_of
from cli.story.market import Market
from tests.console.test_money import confirmed
from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent
from tests.kit.until import until
from tests.kit.waiting import disputed


async def test_a_dispute_is_ruled(console: OpenConsole) -> None:
    id_ = await disputed(console.layout)
    async with console.visitor("auditor") as auditor:

        async def waits() -> bool:
            return f"/disputes/{id_}" in (await opened(auditor, "/disputes")).links

        await until(waits)
        assert not [form for form in (await opened(auditor, f"/disputes/{id_}")).forms if "outcome" in form.fields]
    async with console.visitor("operator") as operator:
        form = (await opened(operator, f"/disputes/{id_}")).form(f"/disputes/{id_}")
        wrong = await sent(operator, form, {"outcome": "cancel", "share_bps": "many"})
        assert wrong.answer.status_code == 422
        _, done = await confirmed(operator, form, {"outcome": "cancel", "share_bps": "25"})
        assert "The dispute is ruled." in done.text
        over = await opened(operator, "/disputes?over=1")
    assert f"/disputes/{id_}" in over.links


async def test_disputes_are_for_staff(console: OpenConsole) -> None:
    for name in ("brand", "creator", "finance"):
        async with console.visitor(name) as visitor:
            assert (await visitor.get("/disputes")).status_code == 403


async def test_an_erasure_is_declined_and_another_done(console: OpenConsole) -> None:
    creator, stranger = console.cast["creator"], console.cast["other-creator"]
    async with Market(address_of(console.layout)) as market:
        for who in (creator, stranger):
            await market.do("compliance", "POST", f"/subjects/{who.tenant}/request-erasure", who, {})
    async with console.visitor("operator") as operator:

        async def waits() -> bool:
            found = (await opened(operator, "/erasures")).forms
            return len([one for one in found if one.action.endswith("/erase")]) == 2

        await until(waits)
        shown = await opened(operator, "/erasures")
        _, declined = await confirmed(operator, shown.form(f"{creator.tenant}/decline-erasure"), {})
        assert "The request is answered." in declined.text
        _, erased = await confirmed(operator, shown.form(f"{stranger.tenant}/erase"), {})
        assert "The request is answered." in erased.text
        every = await opened(operator, "/erasures?all=1")
    assert "A contract still runs" in every.text
    async with console.visitor("auditor") as auditor:
        assert not [one for one in (await opened(auditor, "/erasures")).forms if "/erase" in one.action]
    async with console.visitor("brand") as brand:
        assert (await brand.get("/erasures")).status_code == 403
