"""A deal by forms alone, as a browser without script sends them: brief, application, acceptance, draft, dispute, cancellation."""

import re
from collections.abc import Mapping

import httpx
import pytest
from playwright.async_api import Browser

from tests.kit.axe import context_of, watched
from tests.kit.console import OpenConsole
from tests.kit.pages import Shown, opened, sent
from tests.kit.until import until

BRIEF = {
    "brief.title": "Autumn lipstick <b>& co</b>", "brief.posting_from": "2026-01-01", "brief.posting_until": "2034-01-01",
    "brief.timezone": "Asia/Shanghai", "brief.budget_minor": "20,000", "brief.currency": "CNY",
    "brief.deliverables.0.platform": "instagram", "brief.deliverables.0.format": "image_note",
    "brief.key_messages": "Mild\nFor every day", "terms.clocks.draft_s": "5",
}  # fmt: skip


def ending(shown: Shown) -> str:
    return shown.answer.url.path.rpartition("/")[2]


async def drafted(brand: httpx.AsyncClient, **changes: str) -> Shown:
    """A campaign drafted by the editor: the page that shows it as a creator will read it."""
    form = (await opened(brand, "/briefs/new")).form("/briefs/new")
    form.fields.pop("brief.deliverables.0.outline_required", None)
    return await sent(brand, form, {**BRIEF, **changes})


async def published(brand: httpx.AsyncClient, **changes: str) -> str:
    """The id of a campaign that creators see."""
    preview = await drafted(brand, **changes)
    shown = await sent(brand, preview.form("/publish"), {})
    assert shown.answer.status_code == 200, shown.text
    return ending(shown)


async def platform_of(creator: httpx.AsyncClient) -> dict[str, str]:
    """The field of a platform where the story's creator has a verified account: it has worked there."""
    link = next(one for one in (await opened(creator, "/collaborations")).links if one.startswith("/collaborations/"))
    found = re.search(r"1\. (\w+) · ", (await opened(creator, link)).text)
    assert found, "a deliverable names its platform"
    return {"brief.deliverables.0.platform": found[1].lower()}


async def agreed(brand: httpx.AsyncClient, creator: httpx.AsyncClient, **changes: str) -> str:
    """The id of a collaboration: the creator has applied at 800, and the brand accepted."""
    campaign_id = await published(brand, **changes, **await platform_of(creator))
    applied = await sent(
        creator, (await opened(creator, f"/market/{campaign_id}")).form("/apply"), {"fees_minor.0": "800"}
    )
    application_id = ending(applied)
    confirm = await opened(brand, f"/applications/{application_id}/accept")
    assert "CN¥880.00" in confirm.text
    accepted = await sent(brand, confirm.form("/accept"), {})
    assert "Agreed" in accepted.text, accepted.text

    async def begun() -> bool:
        return "Content is to be handed in" in (await opened(brand, f"/collaborations/{application_id}")).text

    await until(begun)
    return application_id


def content_of(shown: Shown) -> str:
    return next(link for link in shown.links if "/content/" in link)


async def test_a_draft_is_saved_shown_and_edited_as_it_was_typed(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        preview = await drafted(brand)
        assert preview.answer.url.path.endswith("/publish")
        assert "Autumn lipstick <b>& co</b>" in preview.text
        assert "Draft within : 5 days (usually 7 days – 60 days)".replace(" :", ":") in re.sub(
            r"\s+", " ", preview.text
        )
        campaign_id = preview.answer.url.path.split("/")[2]
        again = (await opened(brand, f"/briefs/{campaign_id}")).form(f"/briefs/{campaign_id}")
        for name in ("brief.title", "brief.posting_from", "brief.posting_until", "brief.key_messages"):
            assert again.fields[name] == [BRIEF[name]], name
        assert again.fields["brief.budget_minor"] == ["20,000.00"]
        same = await sent(brand, again, {})
        assert "Version 1" in (await opened(brand, f"/campaigns/{campaign_id}/brief")).text, same.text
        await sent(brand, again, {"_key": "another-key", "brief.creative_freedom": "high"})
        versions = await opened(brand, f"/campaigns/{campaign_id}/brief")
    assert "Version 2" in versions.text
    async with console.visitor("other-brand") as stranger:
        assert (await stranger.get(f"/campaigns/{campaign_id}")).status_code == 404


async def test_a_form_asks_for_one_more_row_and_loses_nothing(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        form = (await opened(brand, "/briefs/new")).form("/briefs/new")
        more = await sent(brand, form, {**BRIEF, "_more": "deliverables"})
    again = more.form("/briefs/new")
    assert again.fields["brief.title"] == [BRIEF["brief.title"]]
    assert again.fields["brief.deliverables.1.platform"] == [""]
    assert again.fields["_campaign"] == form.fields["_campaign"]


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        pytest.param("brief.budget_minor", "a lot", "Please write a number", id="no number"),
        pytest.param("brief.budget_minor", "-5", "0", id="negative"),
        pytest.param("brief.title", "", "Please fill this in.", id="nothing"),
        pytest.param("brief.posting_from", "2027-13-40", "Please give a day and a time.", id="no day"),
        pytest.param("brief.usage_days", "9" * 12, "Not more than", id="too many days"),
    ],
)
async def test_a_mistake_is_told_at_its_field_and_the_rest_is_kept(
    console: OpenConsole, field: str, typed: str, told: str
) -> None:
    async with console.visitor("brand") as brand:
        form = (await opened(brand, "/briefs/new")).form("/briefs/new")
        refused = await sent(brand, form, {**BRIEF, field: typed})
    assert refused.answer.status_code == 422
    assert f'id="{field}-wrong"' in refused.answer.text
    assert told in refused.text
    kept = refused.form("/briefs/new").fields
    assert kept[field] == [typed]
    assert kept["brief.key_messages"] == [BRIEF["brief.key_messages"]]


async def test_a_form_sent_twice_is_one_command(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        form = (await opened(brand, "/briefs/new")).form("/briefs/new")
        first, second = [await sent(brand, form, {**BRIEF, "brief.title": "Sent twice"}) for _ in range(2)]
        listed = await opened(brand, "/campaigns")
    assert first.answer.url == second.answer.url
    assert listed.text.count("Sent twice") == 1


async def test_a_campaign_is_paused_resumed_and_closed(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        campaign_id = await published(brand)
        for verb, values, told in (
            ("pause", {"reason": "stock"}, "Paused"), ("resume", {}, "Published"), ("close", {"reason": "full"}, "Closed"),
        ):  # fmt: skip
            shown = await opened(brand, f"/campaigns/{campaign_id}")
            steered = await sent(brand, shown.form(f"/{verb}"), values)
            assert told in steered.text, verb
        refused = await sent(brand, shown.form("/pause"), {"_key": "another-key", "reason": "stock"})
    assert refused.answer.status_code == 409


async def test_offers_go_back_and_forth(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand, console.visitor("creator") as creator:
        campaign_id = await published(brand, **await platform_of(creator))
        market = await opened(creator, f"/market/{campaign_id}")
        assert "20,000" not in market.answer.text, "the budget is the brand's own"
        applied = await sent(creator, market.form("/apply"), {"fees_minor.0": "900"})
        own = applied.answer.url.path
        countered = await sent(brand, (await opened(brand, own)).form("/counter"), {"fees_minor.0": "700"})
        assert "Round 2" in countered.text
        assert [one.action for one in countered.forms if one.action.startswith(own)] == [f"{own}/withdraw"]
        seen = await opened(creator, own)
        assert "CN¥700.00" in seen.text
        declined = await sent(creator, seen.form("/decline"), {"reason": "too_dear"})
        assert "Declined" in declined.text
    async with console.visitor("other-creator") as stranger:
        assert (await stranger.get(own)).status_code == 404


async def test_a_draft_goes_through_compliance_to_approval(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand, console.visitor("creator") as creator:
        work_id = await agreed(brand, creator)
        content = content_of(await opened(creator, f"/collaborations/{work_id}"))
        draft = {"content.evidence.0.reference": "order 7", "content.language": "zh"}
        draft |= {"content.text": "这是最好的口红，第一品牌！"}
        await handed_in(creator, content, draft, "A revision is to be handed in")
        blocked = await opened(creator, content)
        assert '<mark class="bad"' in blocked.answer.text
        await handed_in(creator, content, draft | {"content.text": "这支口红很温和。"}, "The draft waits for the brand")
        shown = await opened(brand, content)
        assert "<del>" in shown.answer.text
        noted = await sent(brand, shown.form("/request-revision"), {"notes": "Show the box\n<script>alert(1)</script>"})
        assert "Show the box" in noted.text
        assert "<script>alert" not in noted.answer.text
        await handed_in(
            creator, content, draft | {"content.text": "这支口红很温和，盒子也好看。"}, "waits for the brand"
        )
        approved = await sent(brand, (await opened(brand, content)).form("/approve"), {})
        assert "Approved: to be scheduled or published" in approved.text
        scheduled = await sent(
            creator, (await opened(creator, content)).form("/schedule"), {"publish_at": "2033-05-06T10:00"}
        )
        assert "Scheduled: to be published" in scheduled.text
        may = await opened(brand, "/calendar?day=2033-05-06")
        assert content in may.links
        await moved(brand, creator, content.replace("/content", "").replace("/collaborations", "/calendar"))
        overview = await opened(brand, f"/collaborations/{work_id}")
    for told in ("The contract was made", "Version 3 was handed in", "Version 3 was approved"):
        assert told in overview.text


async def moved(brand: httpx.AsyncClient, creator: httpx.AsyncClient, move: str) -> None:
    """The creator's time is moved by the brand, who is asked first; not out of the window that was agreed, and by nobody else."""
    may = await opened(brand, "/calendar?day=2033-05-06")
    assert move in may.links, "what is scheduled is moved from the calendar"
    form = (await opened(brand, f"{move}?day=2033-05-20")).form(move)
    assert form.fields["publish_at"] == ["2033-05-20T10:00"], "the day that was chosen, at the time that was planned"
    asks = await sent(brand, form, {})
    assert "The creator has planned with the time before" in asks.text
    sure = next(one for one in asks.forms if "_sure" in one.fields)
    done = await sent(brand, sure, {})
    assert "Moved: the other side sees the new time." in done.text
    assert move in (await opened(creator, "/calendar?day=2033-05-20&view=week")).links
    assert move not in (await opened(creator, "/calendar?day=2033-05-06&view=week")).links
    late = await sent(brand, sure, {"publish_at": "2035-01-01T10:00", "_key": "another"})
    assert late.answer.status_code == 422
    assert "outside of the posting window" in late.text


async def test_an_entry_of_the_calendar_is_dragged(console: OpenConsole, browser: Browser) -> None:
    async with context_of(browser, console, "brand", "en", "light") as context:
        page = await watched(context, console)
        await page.opened("/calendar?day=2033-05-20")
        entry = page.page.locator("[data-moves]").first
        move = await entry.get_attribute("data-moves")
        await entry.drag_to(page.page.locator('[data-day="2033-05-11"]'))
        await page.page.wait_for_url(f"**{move}?day=2033-05-11")
        assert await page.page.locator("[name=publish_at]").input_value() == "2033-05-11T10:00"
        assert not page.complaints


async def handed_in(creator: httpx.AsyncClient, content: str, values: Mapping[str, str], told: str) -> None:
    answer = await sent(creator, (await opened(creator, content)).form("/submit"), dict(values))
    assert answer.answer.status_code == 200, answer.text

    async def shown() -> bool:
        return told in (await opened(creator, content)).text

    await until(shown)


async def test_a_cancellation_shows_its_price_first_and_is_one_command(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand, console.visitor("creator") as creator:
        work_id = await agreed(brand, creator)
        price = await opened(brand, f"/collaborations/{work_id}/cancel")
        assert "CN¥880.00" in price.text, "all of it goes back before anything is handed in"
        form = price.form("/cancel")
        wrong = await sent(brand, form, {"kill_fee_minor": "1", "reason": "budget_cut"})
        assert wrong.answer.status_code == 409
        first, second = [await sent(brand, form, {"reason": "budget_cut"}) for _ in range(2)]
        for shown in (first, second):
            assert shown.answer.status_code == 200
            assert "The budget was cut" in shown.text
        gone = await creator.get(f"/collaborations/{work_id}/cancel")
    assert gone.status_code == 409


async def test_a_dispute_is_opened_and_withdrawn_by_its_side(console: OpenConsole) -> None:
    async with (
        console.visitor("brand") as brand,
        console.visitor("creator") as creator,
        console.visitor("reviewer") as staff,
    ):
        work_id = await agreed(brand, creator)
        own = f"/collaborations/{work_id}"
        opened_ = await sent(creator, (await opened(creator, own)).form("/open-dispute"), {"reason": "no_answer"})
        assert "A dispute is open: staff rule" in opened_.text
        assert not [one for one in (await opened(brand, own)).forms if one.action.endswith("-dispute")], (
            "only who opened it"
        )
        assert f"/disputes/{work_id}" in (await opened(staff, own)).links
        over = await sent(creator, (await opened(creator, own)).form("/withdraw-dispute"), {})
        assert "The dispute was withdrawn" in over.text
        contract = await opened(creator, f"{own}/contract")
    assert "Collaboration contract" in contract.text


@pytest.mark.parametrize(
    ("who", "paths"),
    [
        ("creator", ("/campaigns", "/briefs/new")),
        ("brand", ("/market",)),
        ("finance", ("/campaigns", "/market", "/briefs/new")),
    ],
)
async def test_rooms_of_others_are_closed(console: OpenConsole, who: str, paths: tuple[str, ...]) -> None:
    async with console.visitor(who) as visitor:
        assert [(await visitor.get(path)).status_code for path in paths] == [403] * len(paths)


@pytest.mark.parametrize("name", ["other-brand", "other-creator"])
async def test_a_collaboration_of_others_is_not_there(console: OpenConsole, name: str) -> None:
    async with console.visitor("creator") as creator:
        link = next(
            one for one in (await opened(creator, "/collaborations")).links if one.startswith("/collaborations/")
        )
    async with console.visitor(name) as stranger:
        answers = [await stranger.get(f"{link}{part}") for part in ("", "/contract", "/cancel")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
