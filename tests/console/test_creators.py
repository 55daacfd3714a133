"""Creators: found by filters and facets, shown with their figures, invited; and a creator's own forms."""

import re
import sqlite3
from collections.abc import Mapping

import httpx
import pytest

from cli.story.plan import DEALS
from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent


def count(text: str) -> int:
    found = re.search(r"([\d,]+) creators", text)
    assert found, text[:500]
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
@pytest.mark.parametrize("name", ["brand", "agency", "operator", "reviewer"])
async def test_the_search_opens_for_who_may(console: OpenConsole, name: str, lang: str) -> None:
    async with console.visitor(name, lang) as visitor:
        shown = await opened(visitor, "/creators")
        found = next(link for link in shown.links if re.fullmatch(r"/creators/[0-9a-f-]{36}", link))
        creator = await opened(visitor, found)
    assert (shown.answer.status_code, creator.answer.status_code) == (200, 200)
    assert ("Rate card" in creator.text) == (lang == "en")


async def test_a_creator_looks_for_nobody(console: OpenConsole) -> None:
    async with console.visitor("creator") as creator:
        assert (await creator.get("/creators")).status_code == 403


async def test_a_facet_s_count_is_what_it_leads_to(console: OpenConsole) -> None:
    """Each value of a facet says how many creators are found with it."""
    async with console.visitor("brand") as brand:
        shown = await opened(brand, "/creators?platforms=PLATFORM_WEIBO")
        told = re.findall(
            r'name="(tiers|categories|languages)" value="([^"]+)".*?<span class="count">([\d,]+)<', shown.answer.text
        )
        assert len(told) > 8
        for name, value, creators in told[:6]:
            narrowed = await brand.get("/creators", params={"platforms": "PLATFORM_WEIBO", name: value})
            assert count(narrowed.text) == int(creators.replace(",", "")), (name, value)


async def test_a_chosen_filter_is_a_chip_that_takes_it_out(console: OpenConsole) -> None:
    async with console.visitor("brand", "zh-CN") as brand:
        shown = await opened(brand, "/creators?tiers=TIER_KOC&tiers=TIER_NANO&text=美")
        assert "/creators?tiers=TIER_NANO&text=%E7%BE%8E" in shown.links
    assert "类目含“美”" in shown.text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("format=FORMAT_VIDEO&currency=CNY&price_min=twelve", "price_min"),
        ("rate_min=1.234", "rate_min"),
    ],
)
async def test_what_cannot_be_read_is_said_at_its_field(console: OpenConsole, query: str, field: str) -> None:
    async with console.visitor("brand") as brand:
        shown = await opened(brand, f"/creators?{query}")
    assert shown.answer.status_code == 422
    assert f'id="{field}-wrong"' in shown.answer.text


@pytest.mark.parametrize(
    "query",
    [
        "text=%3Cscript%3Ealert(1)%3C/script%3E",
        "tiers=NOBODY&page_size=-1",
        "order_by=price",
        "page=forged",
        "text=" + "x" * 4000,
    ],
)
async def test_a_strange_address_breaks_nothing(console: OpenConsole, query: str) -> None:
    async with console.visitor("brand") as brand:
        answer = await brand.get(f"/creators?{query}")
    assert answer.status_code in (200, 422)
    assert "<script>alert" not in answer.text


async def test_pages_follow_each_other(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        first = await opened(brand, "/creators")
        second = await opened(brand, next(link.replace("&amp;", "&") for link in first.links if "page=" in link))

    def names(links: list[str]) -> set[str]:
        return {link for link in links if re.fullmatch(r"/creators/[0-9a-f-]{36}", link)}

    assert len(names(first.links)) == len(names(second.links)) == 25
    assert not names(first.links) & names(second.links)


def invitable(console: OpenConsole) -> tuple[str, str]:
    """A published campaign of the brand, and a creator who has no part in it."""
    with sqlite3.connect(console.layout.folder / "campaigns.db") as database:
        (campaign,) = database.execute(
            "SELECT campaign_id FROM campaigns WHERE brand_id = ? AND status = 'published'", (DEALS[0].brand.tenant,)
        ).fetchone()
        (creator,) = database.execute(
            "SELECT creator_id FROM creators WHERE open AND NOT suspended AND creator_id NOT IN"
            " (SELECT creator_id FROM applications WHERE campaign_id = ?) ORDER BY creator_id LIMIT 1",
            (campaign,),
        ).fetchone()
    return campaign, creator


async def test_a_creator_is_invited_with_the_prices_of_the_form(console: OpenConsole) -> None:
    campaign, creator = invitable(console)
    async with console.visitor("brand") as brand:
        path = f"/creators/{creator}/invite?campaign_id={campaign}"
        form = (await opened(brand, path)).form("/invite")
        fees = {name: "12.50" for name in form.fields if name.startswith("fees_minor")}
        assert fees
        wrong = await sent(brand, form, dict.fromkeys(fees, "a lot"))
        assert wrong.answer.status_code == 422
        assert wrong.form("/invite").fields["fees_minor.0"] == ["a lot"]
        done = await sent(brand, form, fees)
        assert done.answer.status_code == 200, done.text
        assert "Invited" in done.text
        again = await sent(brand, form, fees)
        assert again.answer.status_code == 200, "the same form is the same command"
    with sqlite3.connect(console.layout.folder / "campaigns.db") as database:
        query = "SELECT count(*) FROM applications WHERE campaign_id = ? AND creator_id = ?"
        assert database.execute(query, (campaign, creator)).fetchone() == (1,)


async def test_another_brand_s_campaign_invites_nobody(console: OpenConsole) -> None:
    campaign, creator = invitable(console)
    async with console.visitor("other-brand") as other:
        shown = await opened(other, f"/creators/{creator}/invite?campaign_id={campaign}")
    assert shown.answer.status_code == 200
    assert not [one for one in shown.forms if one.action.endswith("/invite")]


async def changed(creator: httpx.AsyncClient, path: str, values: Mapping[str, str | list[str]]) -> str:
    form = (await opened(creator, path)).form(path.rpartition("/")[2])
    done = await sent(creator, form, values)
    assert done.answer.status_code == 200, done.text
    return done.answer.text


async def test_a_creator_changes_what_brands_see(console: OpenConsole) -> None:
    async with console.visitor("creator") as creator:
        told = await changed(creator, "/profile/edit", {"bio": "I <b>cook</b>", "tags": "noodles\nsoup"})
        assert "I &lt;b&gt;cook&lt;/b&gt;" in told
        assert "noodles, soup" in told
        prices: dict[str, str | list[str]] = {
            "currency": "CNY", "prices.0.price_minor": "1,234.50", "prices.1.price_minor": "", "prices.0.industries": "美妆: 99"
        }  # fmt: skip
        told = await changed(creator, "/profile/rate-card", prices)
        assert "CN¥1,234.50" in told
        assert "CN¥99.00" in told
        kept = (await opened(creator, "/profile/rate-card")).form("/rate-card").fields
        assert kept["prices.0.price_minor"] == ["1,234.50"]
        assert kept["prices.0.industries"] == ["美妆: 99.00"]
        told = await changed(creator, "/profile/availability", {"availability": "closed", "max_parallel_jobs": "2"})
        assert "Takes no jobs now" in told


@pytest.mark.parametrize(
    ("path", "values", "status"),
    [
        ("/profile/edit", {"display_name": ""}, 422),
        ("/profile/edit", {"birth_year": "two"}, 422),
        ("/profile/edit", {"bio": "x" * 100_000}, 429),
        ("/profile/rate-card", {"prices.2.price_minor": "-5"}, 422),
        ("/profile/rate-card", {"prices.0.price_minor": "5", "prices.0.industries": "nothing"}, 422),
        ("/profile/availability", {"max_parallel_jobs": "-1"}, 422),
    ],
)
async def test_bad_input_is_said_and_kept(
    console: OpenConsole, path: str, values: Mapping[str, str], status: int
) -> None:
    async with console.visitor("creator") as creator:
        form = (await opened(creator, path)).form(path.rpartition("/")[2])
        shown = await sent(creator, form, values)
    assert shown.answer.status_code == status, shown.text
    kept = shown.form(path.rpartition("/")[2]).fields
    assert all(kept[name] == [value] for name, value in values.items())


async def test_who_is_not_here_yet_registers(console: OpenConsole) -> None:
    async with console.visitor("other-creator") as new:
        form = (await opened(new, "/profile")).form("/edit")
        done = await sent(new, form, {"display_name": "Olla", "country": "cn", "categories": "美食"})
        assert done.answer.status_code == 200, done.text
        linked = await sent(new, done.form("/accounts"), {"platform": "weibo", "handle": "olla_cooks"})
        assert "olla_cooks" in linked.text
        page = await opened(new, "/profile")
    assert "Olla" in page.text
    assert "olla_cooks" in page.text


async def test_a_brand_finds_compares_and_invites_several_by_clicking(console: OpenConsole) -> None:
    """Search with figures, tick, compare side by side, invite; the same form again invites nobody twice."""
    campaign, _ = invitable(console)
    async with console.visitor("brand") as brand:
        query = "availability=AVAILABILITY_OPEN&tiers=TIER_KOC&fresh=true&female_min=20&not_tags=nobody&order_by=cpm"
        shown = await opened(brand, f"/creators?{query}&format=FORMAT_VIDEO&currency=CNY&cpm_max=100000")
        assert count(shown.text) > 2
        assert "Female followers from 20%" in shown.text
        assert "CPM: CN¥" in shown.text
        ids = list(dict.fromkeys(re.findall(r'name="pick" value="([0-9a-f-]{36})"', shown.answer.text)))[:2]
        ticked = await opened(brand, f"/creators?{query}&pick={ids[0]}&pick={ids[1]}")
        side = await opened(brand, next(link for link in ticked.links if link.startswith("/creators/compare?ids=")))
        assert side.answer.text.count('<th scope="col"') == 2
        link = next(link for link in side.links if link.startswith("/creators/invite?"))
        form = (await opened(brand, f"{link}&campaign_id={campaign}")).form("/invite")
        fees = {name: "12.50" for name in form.fields if name.startswith("fees.")}
        assert len(fees) >= 2
        wrong = await sent(brand, form, dict.fromkeys(fees, "a lot"))
        assert wrong.answer.status_code == 422
        for _ in range(2):
            done = await sent(brand, form, fees)
            assert done.answer.status_code == 200, done.text
            assert "2 of 2 are invited" in done.text
        refused = await sent(
            brand, form, {**dict.fromkeys(fees, "99999999"), "_key": "0b7f3c7e-5d0a-5c1e-8f43-2b6d0c9b7a10"}
        )
        assert "0 of 2 are invited" in refused.text
    with sqlite3.connect(console.layout.folder / "campaigns.db") as database:
        asked = "SELECT count(*) FROM applications WHERE campaign_id = ? AND creator_id IN (?, ?)"
        assert database.execute(asked, (campaign, *ids)).fetchone() == (2,)


@pytest.mark.parametrize("query", ["ids=nobody", "ids=", "", "ids=" + "&ids=".join(["x"] * 60)])
@pytest.mark.parametrize("page", ["compare", "invite"])
async def test_strange_picks_break_nothing(console: OpenConsole, page: str, query: str) -> None:
    async with console.visitor("brand") as brand:
        answer = await brand.get(f"/creators/{page}?{query}")
    assert answer.status_code in (200, 400, 422)


@pytest.mark.parametrize("typed", ["growth_min=much", "jobs_min=1.5", "cpm_max=9", "female_min=x", "female_min=900"])
async def test_a_figure_that_cannot_be_read_is_said(console: OpenConsole, typed: str) -> None:
    async with console.visitor("brand") as brand:
        answer = await brand.get(f"/creators?{typed}")
    assert answer.status_code == 422
