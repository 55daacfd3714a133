"""Shortlists on the page: begun from the search, filled, noted, compared, invited from, emptied and deleted."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.kit.console import OpenConsole
from tests.kit.pages import Shown, opened, sent

HERE = "/creators/shortlists"


def ids_in(page: Shown) -> list[str]:
    return list(dict.fromkeys(re.findall(r'name="pick" value="([0-9a-f-]{36})"', page.answer.text)))


async def begun(console: OpenConsole, name: str, count: int = 2) -> tuple[str, list[str]]:
    """The address of a list that the brand has begun with creators of the search, and who they are."""
    async with console.visitor("brand") as brand:
        ids = ids_in(await opened(brand, "/creators"))[:count]
        picked = await opened(brand, "/creators?" + "&".join(f"pick={one}" for one in ids))
        add = next(link for link in picked.links if link.startswith(f"{HERE}/add"))
        assert parse_qs(urlsplit(add).query)["ids"] == ids
        form = (await opened(brand, add)).form(f"{HERE}/add")
        shown = await sent(brand, form, {"shortlist_id": "", "name": name})
        assert "The creators are on the list." in shown.text
        assert set(ids_in(shown)) == set(ids)
        return urlsplit(str(shown.answer.url)).path, ids


async def test_a_list_is_filled_noted_compared_and_invited_from(console: OpenConsole) -> None:
    address, ids = await begun(console, "Spring faces", 3)
    async with console.visitor("brand") as brand:
        page = await opened(brand, address)
        form = next(one for one in page.forms if one.fields.get("creator_id") == [ids[0]])
        noted = await sent(brand, form, {f"note.{ids[0]}": "Answers within the hour"})
        assert "Answers within the hour" in noted.text
        page = await opened(brand, f"{address}?pick={ids[0]}&pick={ids[1]}")
        for target in ("/creators/compare", "/creators/invite"):
            link = next(one for one in page.links if one.startswith(f"{target}?"))
            assert set(parse_qs(urlsplit(link).query)["ids"]) == {ids[0], ids[1]}
            assert (await brand.get(link)).status_code == 200
        asked = await sent(brand, page.form("/remove"), {})
        assert "Take these creators off the list?" in asked.text
        left = await sent(brand, asked.form("/remove"), {})
        assert ids_in(left) == [ids[2]]
        assert "Answers within the hour" not in left.text


async def test_a_creator_comes_onto_a_list_from_its_page(console: OpenConsole) -> None:
    address, ids = await begun(console, "From the page", 1)
    async with console.visitor("brand", "zh-CN") as brand:
        others = [one for one in ids_in(await opened(brand, "/creators?order_by=followers")) if one not in ids]
        on_it, new = [await opened(brand, f"/creators/{one}") for one in (ids[0], others[0])]
        add = next(link for link in on_it.links if link.startswith(f"{HERE}/add"))
        assert "From the page · 已在其中" in (await opened(brand, add)).text
        add = next(link for link in new.links if link.startswith(f"{HERE}/add"))
        form = (await opened(brand, add)).form(f"{HERE}/add")
        shown = await sent(brand, form, {"shortlist_id": address.rpartition("/")[2]})
        assert "创作者已加入清单。" in shown.text
        assert set(ids_in(shown)) == {ids[0], others[0]}


async def test_a_list_is_renamed_and_deleted(console: OpenConsole) -> None:
    address, _ = await begun(console, "To be renamed")
    async with console.visitor("brand") as brand:
        renamed = await sent(brand, (await opened(brand, address)).form("/rename"), {"name": "Renamed faces"})
        assert "Renamed faces" in renamed.text
        asked = await sent(brand, renamed.form("/delete"), {})
        assert "Delete this list?" in asked.text
        gone = await sent(brand, asked.form("/delete"), {})
        assert "Renamed faces" not in gone.text
        assert (await brand.get(address)).status_code == 404


async def test_what_was_typed_stays_where_it_is_refused(console: OpenConsole) -> None:
    address, ids = await begun(console, "Refusals", 1)
    async with console.visitor("brand") as brand:
        page = await opened(brand, address)
        form = next(one for one in page.forms if one.fields.get("creator_id") == [ids[0]])
        long = await sent(brand, form, {f"note.{ids[0]}": "x" * 501})
        assert long.answer.status_code == 422
        assert f'id="note.{ids[0]}-wrong"' in long.answer.text
        nameless = await sent(brand, (await opened(brand, HERE)).form(HERE), {"name": ""})
        assert nameless.answer.status_code == 422
        new = await sent(
            brand, (await opened(brand, f"{HERE}/add?ids={ids[0]}")).form(f"{HERE}/add"), {"shortlist_id": ""}
        )
        assert new.answer.status_code == 422


@pytest.mark.parametrize(
    ("name", "status"), [("brand", 200), ("agency", 200), ("operator", 200), ("creator", 403), ("finance", 403)]
)
async def test_who_keeps_lists(console: OpenConsole, name: str, status: int) -> None:
    async with console.visitor(name) as visitor:
        assert (await visitor.get(HERE)).status_code == status


async def test_another_brand_sees_none_of_it(console: OpenConsole) -> None:
    address, _ = await begun(console, "Ours alone")
    async with console.visitor("other-brand") as other:
        assert (await other.get(address)).status_code == 404
        assert "Ours alone" not in (await opened(other, HERE)).text
