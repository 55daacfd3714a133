"""Performance: the list of campaigns, one campaign by traffic and window, and its live part."""

import pytest

from cli.story.plan import DEALS
from tests.kit.console import OpenConsole
from tests.kit.pages import opened

CAMPAIGN = DEALS[0].id


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
@pytest.mark.parametrize("name", ["brand", "operator", "auditor"])
async def test_campaigns_are_listed_and_opened(console: OpenConsole, name: str, lang: str) -> None:
    async with console.visitor(name, lang) as visitor:
        listed = await opened(visitor, "/performance")
        shown = await opened(visitor, f"/performance/{CAMPAIGN}")
    assert f"/performance/{CAMPAIGN}" in listed.links
    assert shown.answer.status_code == 200
    assert "roi@1" in shown.answer.text
    assert "data-chart" in shown.answer.text


@pytest.mark.parametrize(
    "query", ["traffic=organic", "traffic=paid", "hours=6", "hours=72", "hours=168&traffic=organic", "hours=5"]
)
async def test_traffic_and_window_stand_in_the_address(console: OpenConsole, query: str) -> None:
    async with console.visitor("brand") as brand:
        shown = await opened(brand, f"/performance/{CAMPAIGN}?{query}")
        assert shown.answer.status_code == 200
        strange = await brand.get(f"/performance/{CAMPAIGN}?traffic=stolen")
    assert strange.status_code == 404


async def test_a_creator_sees_its_own_numbers_and_no_other_s(console: OpenConsole) -> None:
    async with console.visitor("creator") as creator:
        listed = await opened(creator, "/performance")
        mine = [link for link in listed.links if link.startswith("/performance/")]
        shown = await opened(creator, mine[0])
    assert shown.answer.status_code == 200
    assert shown.answer.text.count('<td class="number">') > 0
    names = {one for one in shown.links if one.startswith("/creators/")}
    assert names == set()


async def test_another_brand_is_shown_nothing(console: OpenConsole) -> None:
    async with console.visitor("other-brand") as other:
        listed = await opened(other, "/performance")
        answer = await other.get(f"/performance/{CAMPAIGN}")
        live = await other.get(f"/performance/{CAMPAIGN}/live")
    assert f"/performance/{CAMPAIGN}" not in listed.links
    assert (answer.status_code, live.status_code) == (404, 404)


async def test_the_live_part_begins_with_what_is_now(console: OpenConsole) -> None:
    async with (
        console.visitor("brand") as brand,
        brand.stream("GET", f"/performance/{CAMPAIGN}/live?traffic=organic") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                assert "figures" in line
                break


@pytest.mark.parametrize("query", ["", "?unit=content&days=90"])
@pytest.mark.parametrize("name", ["brand", "auditor"])
async def test_models_of_attribution_stand_side_by_side(console: OpenConsole, name: str, query: str) -> None:
    async with console.visitor(name) as visitor:
        listed = await opened(visitor, f"/performance/{CAMPAIGN}")
        shown = await opened(visitor, f"/performance/{CAMPAIGN}/attribution{query}")
    assert f"/performance/{CAMPAIGN}/attribution" in listed.links
    text = shown.answer.text
    heads = [f'<th class="number">{one}</th>' in text for one in ("Last touch", "Linear", "Shapley", "Markov")]
    assert heads == [True] * 4
    assert "¥" in text.partition('<th class="number">Markov</th>')[2]


async def test_a_creator_and_another_brand_see_no_attribution(console: OpenConsole) -> None:
    async with console.visitor("creator") as creator, console.visitor("other-brand") as other:
        answers = [await one.get(f"/performance/{CAMPAIGN}/attribution") for one in (creator, other)]
    assert [answer.status_code for answer in answers] == [403, 404]


async def test_payable_numbers_stand_with_the_content_and_operators_alone_release_excess(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        links = (await opened(brand, f"/performance/{CAMPAIGN}")).links
        page = next(link for link in links if link.startswith(f"/performance/{CAMPAIGN}/contents/"))
        shown = await opened(brand, page)
        assert "What money may hang on" in shown.text
        assert not [form for form in shown.forms if form.action.endswith("/release")]
        release = {"_form": "f" * 32, "_key": "k", "metric": "likes", "count": "1", "reason": "went_viral"}
        assert (await brand.post(f"{page}/release", data=release)).status_code == 403
    async with console.visitor("operator") as operator:
        refused = await operator.post(f"{page}/release", data={**release, "count": str(10**9), "_sure": "true"})
        typed = await operator.post(f"{page}/release", data={**release, "count": "many"})
    assert (refused.status_code, typed.status_code) == (409, 422)
    assert "More would be released than is set aside." in refused.text
    async with console.visitor("other-brand") as stranger:
        assert (await stranger.get(page)).status_code == 404
