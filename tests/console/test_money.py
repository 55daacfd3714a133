"""Money: a deposit, a refund and a payout asked for by clicking, each once; finance's list, books, fees and four eyes."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from kernel.core.ids import new_id
from tests.kit.console import OpenConsole
from tests.kit.pages import PageForm, Shown, opened, sent
from tests.kit.until import until

BRAND = "6f1c1a52-0f0e-4a55-9d5b-1f6f0a7a3c11"
HOSTILE = ["<script>alert(1)</script>", "-1", "1e9", "9" * 100, "一千", "1.005"]


async def confirmed(client: httpx.AsyncClient, form: PageForm, values: Mapping[str, str]) -> tuple[PageForm, Shown]:
    """A form that is sent, and sent again from the page that asks; that page's form, and what came."""
    asks = await sent(client, form, values)
    assert asks.answer.status_code == 200, asks.text
    sure = next(one for one in asks.forms if "_sure" in one.fields)
    assert sure.fields["_key"] == form.fields["_key"], "the same command"
    return sure, await sent(client, sure, {})


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("brand", ("", "/transfers", "/escrows", "/releases", "/statement", "/refund")),
        ("creator", ("", "/transfers", "/escrows", "/releases", "/statement")),
        ("agency", ("",)),
        ("other-brand", ("", "/releases")),
    ],
)
async def test_parties_see_their_money(console: OpenConsole, name: str, lang: str, paths: tuple[str, ...]) -> None:
    async with console.visitor(name, lang) as visitor:
        shown = [await opened(visitor, f"/money{path}") for path in paths]
    assert [one.answer.status_code for one in shown] == [200] * len(paths)


async def test_a_payment_is_shown_as_it_was_reckoned(console: OpenConsole) -> None:
    async with console.visitor("creator") as creator:
        mine = await opened(creator, "/money/releases")
    async with console.visitor("brand") as brand:
        theirs = await opened(brand, "/money/releases")
    async with console.visitor("other-creator") as stranger:
        nothing = await opened(stranger, "/money/releases")
    assert "Paid to the creator" in mine.text
    assert "Tax withheld" not in theirs.text
    assert "Nothing was paid yet" in nothing.text


async def test_a_deposit_is_asked_for_once_however_often_it_is_sent(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        form = (await opened(brand, "/money")).form("/money/deposit")
        values = {"amount_minor": "1,234.50", "currency": "CNY", "instrument": "tok_visa_9999"}
        sure, done = await confirmed(brand, form, values)
        assert "Asked for" in done.text
        again = await sent(brand, sure, {})
        assert again.answer.status_code == 200
        listed = await opened(brand, "/money/transfers")
    assert listed.text.count("1,234.50") == 1
    assert "…9999" in listed.text
    assert "tok_visa_9999" not in listed.text


@pytest.mark.parametrize("typed", HOSTILE)
async def test_an_amount_that_is_none_is_said_at_its_field(console: OpenConsole, typed: str) -> None:
    async with console.visitor("brand") as brand:
        form = (await opened(brand, "/money")).form("/money/deposit")
        values = {"amount_minor": typed, "currency": "CNY", "instrument": "tok_visa"}
        shown = await sent(brand, form, values)
        if shown.answer.status_code == 200:  # a number: the service says what is wrong with it
            sure = next(one for one in shown.forms if "_sure" in one.fields)
            shown = await sent(brand, sure, {})
    assert shown.answer.status_code == 422
    assert 'id="amount_minor-wrong"' in shown.answer.text
    assert shown.form("/money/deposit").fields["instrument"] == ["tok_visa"]


async def test_a_deposit_is_refunded(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        form = (await opened(brand, "/money/refund")).form("/money/refund")
        _, done = await confirmed(brand, form, {"amount_minor": "12.34"})
        assert "on its way" in done.text
        assert "12.34" in (await opened(brand, "/money/transfers")).text


async def test_more_than_is_there_is_not_paid_out(console: OpenConsole) -> None:
    async with console.visitor("creator") as creator:
        form = (await opened(creator, "/money")).form("/money/payout")
        _, refused = await confirmed(creator, form, {"amount_minor": "99999"})
    assert refused.answer.status_code in (409, 422)


async def test_another_account_is_named(console: OpenConsole) -> None:
    async with console.visitor("creator") as creator:
        form = (await opened(creator, "/money")).form("/money/account")
        _, done = await confirmed(creator, form, {"account_currency": "EUR", "account": "acct_77778888"})
    assert "…8888" in done.text


@pytest.mark.parametrize("name", ["finance", "operator", "auditor"])
async def test_staff_see_the_books(console: OpenConsole, name: str) -> None:
    paths = ("", "/proposals", "/transfers", "/releases", "/books?prove=1", "/reconciliation", "/fees")
    async with console.visitor(name, "zh-CN") as staff:
        shown = {path: await opened(staff, f"/finance{path}") for path in paths}
    assert {one.answer.status_code for one in shown.values()} == {200}
    assert "账簿完整" in shown["/books?prove=1"].text
    assert "不平衡" not in shown["/books?prove=1"].text
    assert bool([form for form in shown["/fees"].forms if form.action == "/finance/fees"]) == (name == "finance")


async def test_parties_do_not_see_finance(console: OpenConsole) -> None:
    for name in ("brand", "creator", "reviewer"):
        async with console.visitor(name) as visitor:
            assert (await visitor.get("/finance")).status_code == 403


async def test_a_move_takes_two_people(console: OpenConsole) -> None:
    async with console.visitor("finance") as fay:
        form = (await opened(fay, "/finance")).form("/payees")
        payee = console.cast["other-creator"].tenant
        proposed = await sent(fay, form, {"payee_id": payee, "country": "sg", "reference": "passport"})
        assert "another person of finance" in proposed.text
        mine = await opened(fay, "/finance")
        assert not [one for one in mine.forms if one.action.endswith("/approve")]
    async with console.visitor("second") as fred:
        approve = (await opened(fred, "/finance")).form("/approve")
        _, done = await confirmed(fred, approve, {})
        assert "Approved and carried out." in done.text
    async with console.visitor("other-creator") as creator:

        async def told() -> bool:
            return "passport" in (await opened(creator, "/money")).text

        await until(told)


async def test_fees_are_proposed_and_rejected(console: OpenConsole) -> None:
    since = (datetime.now(UTC) + timedelta(days=60)).strftime("%Y-%m-%dT00:00")
    async with console.visitor("finance") as fay:
        form = (await opened(fay, "/finance/fees")).form("/finance/fees")
        done = await sent(fay, form, {"since": since, "brand_fee_bps": "12.5", "creator_fee_bps": "1"})
        assert re.search(r"12\.5\s*%", done.text)
        rejected = await sent(fay, done.form("/reject"), {"reason": "a typing error"})
    assert "The fees are rejected." in rejected.text


async def test_a_settlement_file_that_is_none_says_so(console: OpenConsole) -> None:
    async with console.visitor("finance") as fay:
        form = (await opened(fay, "/finance/reconciliation")).form("/reconciliation")
        shown = await sent(fay, form, {})
    assert shown.answer.status_code == 422


@pytest.mark.parametrize("typed", ["长" * 34_000, "a\x01b", "../../healthz", "x?y"])
async def test_what_cannot_stand_in_an_address_is_said_at_its_field(console: OpenConsole, typed: str) -> None:
    async with console.visitor("finance") as fay:
        form = (await opened(fay, "/finance")).form("/payees")
        shown = await sent(fay, form, {"payee_id": typed, "country": "CN", "reference": "passport"})
    assert shown.answer.status_code == 422
    assert 'id="payee_id-wrong"' in shown.answer.text


@pytest.mark.parametrize(
    ("action", "values", "move"),
    [
        (
            "/identifications",
            {"brand_id": BRAND, "amount_minor": "1", "currency": "CNY", "reason": "x"},
            "Money identified",
        ),
        ("/own-money", {"own_minor": "12.50", "own_currency": "USD"}, "Own money paid in"),
        ("/ties", {"tied_brand_id": BRAND, "tied_payee_id": new_id(), "tie_reason": "x"}, "Tie of brand and payee"),
    ],
)
async def test_a_move_by_hand_is_proposed(console: OpenConsole, action: str, values: dict[str, str], move: str) -> None:
    async with console.visitor("finance") as fay:
        form = (await opened(fay, "/finance/proposals")).form(action)
        done = await sent(fay, form, values)
        assert "another person of finance" in done.text, done.text
        listed = await opened(fay, "/finance/proposals")
    assert move in listed.text
    async with console.visitor("auditor") as auditor:
        assert not [one for one in (await opened(auditor, "/finance/proposals")).forms if one.action.endswith(action)]


async def test_a_file_that_the_provider_does_not_have_is_asked_for(console: OpenConsole) -> None:
    async with console.visitor("finance") as fay:
        form = (await opened(fay, "/finance/proposals")).form("/fetch")
        done = await sent(fay, form, {"batch": "2020-01-01"})
        wrong = await sent(fay, form, {"batch": "a b/c"})
    assert "fetched" in done.text
    assert wrong.answer.status_code == 422
