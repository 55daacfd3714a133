"""An agency reads the open briefs of others; it never sees them as campaigns of its own, nor a way to run them."""

from collections.abc import Sequence

import httpx

from cli.story.plan import DEALS
from tests.kit.console import OpenConsole
from tests.kit.pages import opened

RUN_AT = (
    "/campaigns/{id}",
    "/campaigns/{id}/board",
    "/campaigns/{id}/offers",
    "/campaigns/{id}/publish",
    "/briefs/{id}",
)


async def open_to(reader: httpx.AsyncClient) -> Sequence[str]:
    """Campaigns of others whose brief the reader may read."""
    ids = [deal.id for deal in DEALS]
    return [one for one in ids if (await reader.get(f"/campaigns/{one}/brief")).status_code == 200]


async def test_campaigns_of_others_are_not_an_agency_s_own(console: OpenConsole) -> None:
    async with console.visitor("agency") as agency:
        others = await open_to(agency)
        pages = [(await opened(agency, path)).answer.text for path in ("/", "/creators", "/planner/match")]
    assert others
    assert not [one for one in others for page in pages if one in page]


async def test_an_open_brief_of_others_is_read_and_nothing_more(console: OpenConsole) -> None:
    async with console.visitor("agency") as agency:
        others = await open_to(agency)
        briefs = [await opened(agency, f"/campaigns/{one}/brief") for one in others]
        answers = [(await agency.get(path.format(id=one))).status_code for one in others for path in RUN_AT]
    assert others
    assert set(answers) == {404}
    assert not [link for brief in briefs for link in brief.links if link.startswith(("/briefs/", "/creators?without"))]
