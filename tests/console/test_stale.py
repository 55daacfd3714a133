"""Two people at one brief, or at one offer: who comes second is told what the first one changed, and goes on."""

from tests.console.test_deal import drafted, ending, platform_of, published
from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent


async def test_who_saves_second_sees_what_the_first_changed_and_goes_on(console: OpenConsole) -> None:
    async with console.visitor("brand") as first, console.visitor("brand", "zh-CN") as second:
        campaign_id = (await drafted(first)).answer.url.path.split("/")[2]
        path = f"/briefs/{campaign_id}"
        one, other = (await opened(first, path)).form(path), (await opened(second, path)).form(path)
        await sent(
            first, one, {"brief.budget_minor": "25,000", "brief.title": "By the first", "brief.must": "Show the lid"}
        )
        late = await sent(second, other, {"brief.title": "By the second", "brief.creative_freedom": "low"})
        assert late.answer.status_code == 409
        assert "您打开此页后，他人已修改了需求：现在是第 2 版。" in late.text
        again = late.form(path)
        assert again.fields["brief.title"] == ["By the second"], "what both changed stays as it was typed, and is shown"
        assert "Autumn lipstick <b>& co</b> By the first 保留您的内容 By the second" in late.text
        assert again.fields["brief.budget_minor"] == ["25,000.00"], "what only the first changed is taken over"
        assert again.fields["brief.must"] == ["Show the lid"]
        assert again.fields["brief.creative_freedom"] == ["low"], "what only the second changed stays"
        await sent(second, again, {})
        now = (await opened(first, path)).form(path)
        versions = await opened(first, f"/campaigns/{campaign_id}/brief")
    told = {name: now.fields[f"brief.{name}"] for name in ("title", "budget_minor", "must", "creative_freedom")}
    assert told == {
        "title": ["By the second"], "budget_minor": ["25,000.00"], "must": ["Show the lid"], "creative_freedom": ["low"],
    }  # fmt: skip
    assert "Version 3" in versions.text


async def test_a_mistake_of_one_s_own_hides_no_change_of_others(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        path = f"/briefs/{(await drafted(brand)).answer.url.path.split('/')[2]}"
        begun = (await opened(brand, path)).form(path)
        await sent(brand, (await opened(brand, path)).form(path), {"brief.title": "By another"})
        wrong = await sent(brand, begun, {"brief.budget_minor": "a lot"})
        assert wrong.answer.status_code == 422
        late = await sent(brand, wrong.form(path), {"brief.budget_minor": "30,000"})
    assert late.answer.status_code == 409
    assert "What changed meanwhile" in late.text


async def test_nobody_accepts_an_offer_that_it_has_not_seen(console: OpenConsole) -> None:
    """The creator lowers, then raises its own offer while two people of the brand look at the first one."""
    async with console.visitor("brand") as brand, console.visitor("creator") as creator:
        campaign_id = await published(brand, **await platform_of(creator))
        apply = (await opened(creator, f"/market/{campaign_id}")).form("/apply")
        path = f"/applications/{ending(await sent(creator, apply, {'fees_minor.0': '800'}))}"
        accept = (await opened(brand, f"{path}/accept")).form("/accept")
        counter = (await opened(brand, path)).form("/counter")
        await sent(brand, counter, {"fees_minor.0": "700"})
        await sent(creator, (await opened(creator, path)).form("/counter"), {"fees_minor.0": "1,300"})
        late = await sent(brand, accept, {})
        assert late.answer.status_code == 409
        assert "CN¥800.00 → CN¥1,300.00" in late.text
        other = await sent(brand, counter, {"fees_minor.0": "750", "_key": "another-key"})
        assert other.answer.status_code == 409
        assert other.form("/counter").fields["fees_minor.0"] == ["750"]
        done = await sent(brand, late.form("/accept"), {})
    assert done.answer.status_code == 200
    assert "Agreed" in done.text
    assert "CN¥1,430.00" in done.text
