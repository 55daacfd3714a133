"""A media kit from the creator's editor to whoever has its address, and to brands; and its end."""

import httpx
import pytest

from console.look.kit_figures import SECTIONS
from tests.kit.console import OpenConsole
from tests.kit.pages import Shown, opened, sent
from tests.kit.until import until

HERE = "/profile/media-kit"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


async def published(console: OpenConsole, label: str, sections: list[str] | None = None) -> str:
    """The path of an address for the creator's kit, which shows these sections."""
    async with console.visitor("creator") as creator:
        page = await opened(creator, HERE)
        shown = await sent(creator, page.form(HERE), {"sections": list(SECTIONS) if sections is None else sections})
        assert "The media kit is published." in shown.text
        made = await sent(creator, shown.form("/addresses"), {"label": label})
        assert "The address is made." in made.text
        return next(link for link in made.links if link.startswith("/kits/"))


async def anybody(console: OpenConsole, path: str, lang: str = "en", **headers: str) -> Shown:
    """What somebody without a session sees."""
    told = {"accept-language": lang, "user-agent": CHROME} | headers
    async with httpx.AsyncClient(base_url=console.base_url, headers=told) as client:
        return await opened(client, path)


async def openings(console: OpenConsole, label: str) -> str:
    async with console.visitor("creator") as creator:
        text = (await opened(creator, HERE)).text
        return text.partition(label)[2].partition("End it")[0]


async def test_a_kit_is_published_shared_and_read_without_signing_in(console: OpenConsole) -> None:
    path = await published(console, "Spring brands")
    page = await anybody(console, path)
    assert page.answer.status_code == 200
    assert page.answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert page.answer.headers["referrer-policy"] == "no-referrer"
    assert "The numbers are as they stood on that day." in page.text
    assert "reported by hand" in page.text or "read from the platform" in page.text
    assert "自行填报" in (await anybody(console, path, "zh-CN")).text
    assert not [link for link in page.links if not link.startswith(("/kits/", "https://"))]

    async def is_counted() -> bool:
        return " 3 " in await openings(console, "Spring brands")

    await until(is_counted)
    robot = await anybody(console, path, **{"user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"})
    ahead = await anybody(console, path, **{"sec-purpose": "prefetch"})
    assert (robot.answer.status_code, ahead.answer.status_code) == (200, 200)
    pdf = await anybody(console, f"{path}/pdf", "zh-CN")
    assert pdf.answer.content.startswith(b"%PDF-")

    async def is_counted_once_more() -> bool:
        return " 4 " in await openings(console, "Spring brands")

    await until(is_counted_once_more)


async def test_what_is_not_chosen_is_not_shown(console: OpenConsole) -> None:
    path = await published(console, "Little", ["about"])
    page = await anybody(console, path)
    assert "Jobs settled" not in page.text
    assert "median reads" not in page.text
    async with console.visitor("brand") as brand:
        creator_id = console.cast["creator"].tenant
        seen = await opened(brand, f"/creators/{creator_id}/media-kit")
        assert "Media kit of" in seen.text
        assert "median reads" not in seen.text


@pytest.mark.parametrize(("lang", "told"), [("en", "Nothing is here"), ("zh-CN", "这里什么也没有")])
async def test_an_address_that_has_ended_says_no_more_than_one_that_never_was(
    console: OpenConsole, lang: str, told: str
) -> None:
    path = await published(console, f"Ends {lang}")
    async with console.visitor("creator") as creator:
        page = await opened(creator, HERE)
        row = page.text.partition(f"Ends {lang}")[2]
        assert "End it" in row
        link = next(one for one in page.forms if one.action.endswith("/revoke"))
        ended = await sent(creator, link, {})
        assert "The address has ended." in ended.text
    pages = [await anybody(console, one, lang) for one in (path, f"/kits/{'A' * 43}", "/kits/short", f"{path}/pdf")]
    assert {one.answer.status_code for one in pages} == {404}
    assert len({one.text for one in pages}) == 1
    assert told in pages[0].text


async def test_a_withdrawn_kit_is_seen_nowhere(console: OpenConsole) -> None:
    path = await published(console, "Withdrawn")
    async with console.visitor("creator") as creator:
        asked = await sent(creator, (await opened(creator, HERE)).form("/withdraw"), {})
        assert "Withdraw the media kit?" in asked.text
        gone = await sent(creator, asked.form("/withdraw"), {})
        assert "The media kit is withdrawn." in gone.text
    assert (await anybody(console, path)).answer.status_code == 404
    async with console.visitor("brand") as brand:
        seen = await opened(brand, f"/creators/{console.cast['creator'].tenant}/media-kit")
        assert "No media kit is shown" in seen.text


async def test_a_kit_without_a_section_is_refused_and_nothing_is_lost(console: OpenConsole) -> None:
    async with console.visitor("creator") as creator:
        page = await opened(creator, HERE)
        wrong = await sent(creator, page.form(HERE), {"sections": []})
        assert wrong.answer.status_code == 422
        long = await sent(creator, page.form("/addresses"), {"label": "x" * 61}) if len(page.forms) > 3 else wrong
        assert long.answer.status_code == 422


@pytest.mark.parametrize(
    ("name", "status"), [("brand", 403), ("operator", 403), ("creator", 200), ("other-creator", 200)]
)
async def test_who_has_an_editor(console: OpenConsole, name: str, status: int) -> None:
    async with console.visitor(name) as visitor:
        assert (await visitor.get(HERE)).status_code == status
