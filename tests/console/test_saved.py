"""Saved searches on the page: saved from the search, watched, told who came to match, marked as seen, deleted."""

import pytest

from tests.kit.console import OpenConsole
from tests.kit.lively import reworded
from tests.kit.pages import opened, sent
from tests.kit.until import until

HERE = "/creators/saved"


async def saved(console: OpenConsole, name: str, query: str) -> str:
    """The address of a search that the brand has saved, once its first look is done."""
    async with console.visitor("brand") as brand:
        page = await opened(brand, f"/creators?{query}")
        shown = await sent(brand, page.form(HERE), {"name": name, "watched": "true"})
        assert "The search is saved." in shown.text

        async def is_looked() -> bool:
            return f"{name} Watched" in (await opened(brand, HERE)).text

        await until(is_looked, 60)
        return next(link for link in (await opened(brand, HERE)).links if link.startswith(f"{HERE}/"))


async def test_a_search_is_saved_and_tells_who_came_to_match(console: OpenConsole) -> None:
    address = await saved(console, "Tea people", "text=oolong-people&tiers=TIER_NANO&tiers=TIER_MICRO&tiers=TIER_MID")
    async with console.visitor("brand") as brand:
        page = await opened(brand, address)
        assert "Whoever comes to match from now on is listed here." in page.text
        again = next(link for link in page.links if link.startswith("/creators?"))
        assert "oolong-people" in again
        assert "TIER_MICRO" in again
    await reworded(console, "I am of the oolong-people")
    async with console.visitor("brand", "zh-CN") as brand:

        async def is_told() -> bool:
            return "标为已读" in (await opened(brand, address)).text

        await until(is_told, 60)
        told = await opened(brand, address)
        assert "新增 1 位" in (await opened(brand, HERE)).text
        seen = await sent(brand, told.form("/seen"), {})
        assert "标为已读" not in seen.text.replace("已标为已读。", "")
        asked = await sent(brand, (await opened(brand, HERE)).form("/delete"), {})
        assert "要删除这个搜索吗？" in asked.text
        gone = await sent(brand, asked.form("/delete"), {})
        assert "Tea people" not in gone.text


async def test_a_search_that_cannot_be_saved_keeps_what_was_typed(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        page = await opened(brand, "/creators?text=oolong")
        nameless = await sent(brand, page.form(HERE), {"name": ""})
        assert nameless.answer.status_code == 422
        form = nameless.form(HERE)
        assert form.fields["view"] == ["text=oolong"]
        wrong = await sent(brand, form, {"name": "x", "view": "price_min=much&format=FORMAT_VIDEO&currency=CNY"})
        assert wrong.answer.status_code == 422


async def test_a_saved_search_is_renamed_and_nobody_is_told_anew(console: OpenConsole) -> None:
    address = await saved(console, "Old name", "text=renamed-people")
    async with console.visitor("brand") as brand:
        form = (await opened(brand, address)).form("/rename")
        nameless = await sent(brand, form, {"name": ""})
        assert nameless.answer.status_code == 422
        renamed = await sent(brand, form, {"name": "New name"})
        assert "New name" in renamed.text
        shown = (await opened(brand, HERE)).text
    assert "New name" in shown
    assert "Old name" not in shown
    assert "The first look is under way" not in renamed.text


@pytest.mark.parametrize(
    ("name", "status"), [("brand", 200), ("agency", 200), ("operator", 200), ("creator", 403), ("finance", 403)]
)
async def test_who_saves_searches(console: OpenConsole, name: str, status: int) -> None:
    async with console.visitor(name) as visitor:
        assert (await visitor.get(HERE)).status_code == status


async def test_another_brand_sees_none_of_it(console: OpenConsole) -> None:
    address = await saved(console, "Ours alone", "text=ours-alone")
    async with console.visitor("other-brand") as other:
        assert (await other.get(address)).status_code == 404
        assert "Ours alone" not in (await opened(other, HERE)).text
