"""The card beside the brief's editor: it follows what is typed, in a browser as it is typed, without one by a button."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Browser, expect

from console.forms import Form
from console.pages.deals.consequence import consequence, fees_within
from kernel.core.money import share_down
from tests.kit.axe import context_of
from tests.kit.console import OpenConsole
from tests.kit.lively import drafted
from tests.kit.pages import opened, sent


@given(st.integers(0, 10**15), st.integers(0, 10_000))
def test_creators_get_all_that_leaves_room_for_the_fee_on_top(budget: int, bps: int) -> None:
    fees = fees_within(budget, bps)
    assert fees + share_down(fees, bps) <= budget < fees + 1 + share_down(fees + 1, bps)


def of(**typed: str) -> Form:
    return Form({f"brief.{name.replace('__', '.')}": [value] for name, value in typed.items()})


def test_what_is_typed_counts_before_what_the_brief_says() -> None:
    values = {"brief.budget_minor": "100", "brief.currency": "USD", "brief.deliverables.0.occurrences": "3"}
    found = consequence(of(budget_minor="2,000"), values, 500)
    assert (found.currency, found.fees_minor, found.platform_minor, found.pieces) == ("USD", 190_477, 9_523, 3)


@pytest.mark.parametrize("budget", ["", "much", "-5", "0", "1e9", "9" * 40])
def test_what_is_no_budget_gives_no_amounts(budget: str) -> None:
    found = consequence(of(budget_minor=budget), {}, 500)
    assert (found.fees_minor, found.platform_minor) == (None, None)


@pytest.mark.parametrize(
    ("typed", "currency", "fees"), [("thb", "THB", 19_048), ("", "CNY", 19_048), ("yuan", "", None)]
)
def test_amounts_are_of_the_currency_that_was_typed_or_of_none(typed: str, currency: str, fees: int | None) -> None:
    found = consequence(of(budget_minor="200", currency=typed), {}, 500)
    assert (found.currency, found.fees_minor) == (currency, fees)


@pytest.mark.parametrize(
    ("first", "last", "days"), [("2027-03-01", "2027-03-01", 1), ("2027-03-02", "2027-03-01", None), ("soon", "", None)]
)
def test_days_of_the_window_are_counted(first: str, last: str, days: int | None) -> None:
    assert consequence(of(posting_from=first, posting_until=last), {}, 500).days == days


async def test_the_card_follows_what_is_typed(console: OpenConsole, browser: Browser) -> None:
    async with context_of(browser, console, "brand") as context:
        page = await context.new_page()
        await page.goto("/briefs/new")
        card = page.locator("aside.consequence")
        await expect(card).to_contain_text("Type a budget")
        await page.fill("[name='brief.budget_minor']", "20000")
        await expect(card).to_contain_text("Creators get at most")
        await expect(card).to_contain_text("CN¥18,181.82")
        await page.fill("[name='brief.deliverables.0.occurrences']", "4")
        await expect(card).to_contain_text("makes 4 pieces")
        before = await card.inner_text()
        await page.select_option("[name='brief.jurisdiction']", "US")
        await expect(card).not_to_have_text(before)
        assert await page.input_value("[name='brief.budget_minor']") == "20000"


@pytest.mark.parametrize(("lang", "told"), [("en", "Creators get at most"), ("zh-CN", "创作者最多得到")])
async def test_without_a_script_a_button_works_it_out(console: OpenConsole, lang: str, told: str) -> None:
    async with console.visitor("brand", lang) as brand:
        form = (await opened(brand, "/briefs/new")).form("/briefs/new")
        shown = await sent(brand, form, {"_more": "", "brief.budget_minor": "20000"})
    assert shown.answer.status_code == 200
    assert told in shown.text
    assert shown.form("/briefs/new").fields["brief.budget_minor"] == ["20000"]


async def test_no_other_brand_s_brief_is_worked_out(console: OpenConsole) -> None:
    campaign_id = await drafted(console)
    async with console.visitor("other-brand") as other:
        form = (await opened(other, "/briefs/new")).form("/briefs/new")
        form.action = f"/briefs/{campaign_id}/consequence"
        assert (await sent(other, form, {})).answer.status_code == 404
