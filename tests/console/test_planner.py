"""The planner's pages: a mix for a budget with its reasons, a match for a brief, creators like another."""

import re

import httpx
import pytest

from tests.kit.console import OpenConsole
from tests.kit.pages import opened

MIX = {
    "budget": "200000",
    "currency": "CNY",
    "goal": "reads",
    "format": "FORMAT_VIDEO",
    "koc_min": "2",
    "creators_max": "9",
}
CREATOR = re.compile(r"/creators/[0-9a-f-]{36}")


async def mixed(brand: httpx.AsyncClient, **asked: str) -> httpx.Response:
    return await brand.get("/planner", params={**MIX, **asked})


@pytest.mark.parametrize(("lang", "told"), [("en", "What holds it down"), ("zh-CN", "受什么限制")])
async def test_a_plan_names_its_creators_and_why(console: OpenConsole, lang: str, told: str) -> None:
    async with console.visitor("brand", lang) as brand:
        shown = await mixed(brand)
    assert shown.status_code == 200
    assert len(set(CREATOR.findall(shown.text))) >= 1
    assert told in shown.text
    assert "data-chart" in shown.text


async def test_a_budget_for_nobody_says_what_is_missing(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        shown = await mixed(brand, budget="1", koc_min="2")
    assert "No set of creators fits all of it." in shown.text
    assert re.search(r"Budget: [^<]+ more", shown.text)


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"budget": "much"}, "budget"), ({"koc_max": "x"}, "koc_max"), ({"categories": "美妆 many"}, "categories")],
)
async def test_what_cannot_be_read_is_said_at_its_field(
    console: OpenConsole, asked: dict[str, str], field: str
) -> None:
    async with console.visitor("brand") as brand:
        shown = await mixed(brand, **asked)
    assert shown.status_code == 422
    assert f'id="{field}-wrong"' in shown.text


async def test_a_quota_of_no_category_is_refused_in_words(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        shown = await mixed(brand, categories="makeup 1")
    assert shown.status_code == 422
    assert "A quota names no tier" in shown.text


async def test_a_campaigns_brief_is_matched(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        form = await brand.get("/planner/match")
        campaigns = re.findall(r'<option value="([0-9a-f-]{36})"', form.text)
        shown = await brand.get("/planner/match", params={"campaign_id": campaigns[0]})
    assert shown.status_code == 200
    assert len(set(CREATOR.findall(shown.text))) > 5
    assert "Brand safety" in shown.text


async def test_those_like_a_creator_lead_to_those_like_two(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        found = await opened(brand, "/creators")
        creator = next(one for one in found.links if CREATOR.fullmatch(one))
        one = await opened(brand, f"{creator}/similar")
        more = next(link for link in one.links if link.startswith("?seed="))
        two = await opened(brand, f"{creator}/similar{more}")
    assert (one.answer.status_code, two.answer.status_code) == (200, 200)
    assert "or like" in two.text


async def test_creators_plan_for_nobody(console: OpenConsole) -> None:
    async with console.visitor("creator") as creator:
        assert (await creator.get("/planner")).status_code == 403


async def test_a_creator_is_kept_in_and_another_left_out(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        before = await mixed(brand)
        last, first = (
            CREATOR.findall(before.text)[-1].rpartition("/")[2],
            CREATOR.findall(before.text)[0].rpartition("/")[2],
        )
        assert f'form="asked-for" name="must" value="{last}"' in before.text
        after = await mixed(brand, must=last, never=first)
    taken = after.text.partition('id="picks"')[2].partition("</section>")[0]
    assert f"/creators/{last}" in taken
    assert "must be in" in taken
    assert f"/creators/{first}" not in after.text
    assert f'name="never" value="{first}" checked' in after.text


async def test_whoever_sold_for_a_rival_is_no_candidate(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        all_, without = await mixed(brand), await mixed(brand, rivals="cosmetics")
    considered = re.compile(r"of ([\d,]+) candidates")
    counts = [int(considered.findall(one.text)[0].replace(",", "")) for one in (all_, without)]
    assert counts[0] > counts[1]


async def test_an_id_that_is_none_is_refused_in_words(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        shown = await mixed(brand, must="x")
    assert shown.status_code == 422
