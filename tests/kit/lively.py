"""What the story leaves nobody to look at, made through the console's own forms: a draft, an offer that waits."""

import json
import sqlite3
from contextlib import closing
from urllib.parse import urlsplit
from uuid import uuid4

from tests.kit.console import OpenConsole
from tests.kit.pages import Shown, opened, sent
from tests.kit.until import until

CREATOR_LINK_CHARS = len("/creators/") + 36
BRIEF = {
    "brief.title": "Spring in the city",
    "brief.posting_from": "2027-03-01",
    "brief.posting_until": "2027-05-31",
    "brief.budget_minor": "20000",
    "brief.deliverables.0.format": "image_note",
}


def platform_of(console: OpenConsole, who: str = "creator") -> str:
    """A platform on which a creator has a verified account."""
    with closing(sqlite3.connect(console.layout.folder / "campaigns.db")) as database:
        wanted = (console.cast[who].tenant,)
        (accounts,) = database.execute("SELECT accounts FROM creators WHERE creator_id = ?", wanted).fetchone()
    return next(str(one["platform"]) for one in json.loads(accounts) if one["verified"])


async def drafted(console: OpenConsole, who: str = "brand") -> str:
    """Id of a campaign that a brand has just drafted."""
    async with console.visitor(who) as client:
        form = (await opened(client, "/briefs/new")).form("/briefs/new")
        brief = {**BRIEF, "brief.deliverables.0.platform": platform_of(console)}
        return _path(await sent(client, form, {**brief, "_key": str(uuid4())})).split("/")[2]


async def published(console: OpenConsole, campaign_id: str, who: str = "brand") -> None:
    async with console.visitor(who) as client:
        form = (await opened(client, f"/campaigns/{campaign_id}/publish")).form("/publish")
        _path(await sent(client, form, {}))


async def offered(console: OpenConsole, campaign_id: str, who: str = "creator") -> str:
    """Id of the application that a creator has just made."""
    async with console.visitor(who) as client:
        form = (await opened(client, f"/market/{campaign_id}")).form("/apply")
        return _path(await sent(client, form, {"fees_minor.0": "900"})).split("/")[2]


async def accepted(console: OpenConsole, application_id: str, who: str = "brand") -> str:
    """Id of the collaboration that an accepted application became."""
    async with console.visitor(who) as client:
        form = (await opened(client, f"/applications/{application_id}/accept")).form("/accept")
        shown = await sent(client, form, {})
        _path(shown)
        return next(link.split("/")[2] for link in shown.links if link.startswith("/collaborations/"))


async def disputed(console: OpenConsole, collaboration_id: str, who: str = "creator") -> None:
    path = f"/collaborations/{collaboration_id}"
    async with console.visitor(who) as client:

        async def has_begun() -> bool:
            """The collaboration comes of the agreement in a moment."""
            return any(one.action == f"{path}/open-dispute" for one in (await opened(client, path)).forms)

        await until(has_begun)
        _path(await sent(client, (await opened(client, path)).form("/open-dispute"), {}))


async def reworded(console: OpenConsole, bio: str, who: str = "creator") -> None:
    """A creator says something else of itself."""
    async with console.visitor(who) as client:
        form = (await opened(client, "/profile/edit")).form("/profile/edit")
        _path(await sent(client, form, {"bio": bio}))


async def searched(console: OpenConsole, who: str = "brand") -> None:
    """A search that a brand has saved, with a creator that came to match it since."""
    async with console.visitor(who) as client:
        page = await opened(client, "/creators?text=walker-of-the-page")
        shown = await sent(client, page.form("/creators/saved"), {"name": "Walkers", "watched": "true"})
        _path(shown)

        async def is_looked() -> bool:
            return "Walkers Watched" in (await opened(client, "/creators/saved")).text

        await until(is_looked, 60)
    await reworded(console, "I am a walker-of-the-page")
    async with console.visitor(who) as client:

        async def is_told() -> bool:
            return "1 new" in (await opened(client, "/creators/saved")).text

        await until(is_told, 60)


async def shortlisted(console: OpenConsole, who: str = "brand") -> None:
    """A list that a brand has begun with a creator, and a note about it."""
    async with console.visitor(who) as client:
        page = await opened(client, "/creators")
        creator = next(link for link in page.links if link.startswith("/creators/") and len(link) == CREATOR_LINK_CHARS)
        add = (await opened(client, f"/creators/shortlists/add?ids={creator.rpartition('/')[2]}")).form("/add")
        shown = await sent(client, add, {"shortlist_id": "", "name": "Walked through"})
        _path(shown)
        form = shown.form("/note")
        _path(await sent(client, form, {f"note.{form.fields['creator_id'][0]}": "Answers fast"}))


async def shown_kit(console: OpenConsole, who: str = "creator") -> None:
    """A media kit with an address."""
    async with console.visitor(who) as client:
        page = await sent(client, (await opened(client, "/profile/media-kit")).form("/profile/media-kit"), {})
        _path(page)
        _path(await sent(client, page.form("/addresses"), {"label": "Spring"}))


async def enliven(console: OpenConsole) -> None:
    """A draft, an offer that waits for the brand, disputed work, work that goes on, a saved search, a shortlist, a media kit."""
    first, second, third, _ = [await drafted(console) for _ in range(4)]
    for campaign_id in (first, second, third):
        await published(console, campaign_id)
    await offered(console, first)
    await disputed(console, await accepted(console, await offered(console, second)))
    await accepted(console, await offered(console, third))
    await searched(console)
    await shortlisted(console)
    await shown_kit(console)


def _path(shown: Shown) -> str:
    """Where the form led; an error that quotes the page when it was refused."""
    if shown.answer.status_code >= 400:
        code = shown.text.partition("Code ")[2][:80]
        raise AssertionError(f"{shown.answer.request.url}: {shown.answer.status_code}: {code}")
    return urlsplit(str(shown.answer.url)).path
