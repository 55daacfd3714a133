"""Campaigns of others, open ones too, are never shown to an agency as campaigns of its own, nor a way to run them."""

from cli.story.plan import DEALS
from tests.kit.console import OpenConsole
from tests.kit.pages import opened

RUN_AT = ("", "/board", "/offers", "/publish", "/brief")


async def test_campaigns_of_others_are_not_an_agency_s_own(console: OpenConsole) -> None:
    async with console.visitor("agency") as agency:
        pages = [(await opened(agency, path)).answer.text for path in ("/", "/creators", "/planner/match")]
    assert not [deal.id for deal in DEALS for page in pages if deal.id in page]


async def test_pages_of_others_campaigns_are_not_there(console: OpenConsole) -> None:
    paths = [f"/campaigns/{deal.id}{part}" for deal in DEALS for part in RUN_AT] + [
        f"/briefs/{one.id}" for one in DEALS
    ]
    async with console.visitor("agency") as agency:
        answers = {path: (await agency.get(path)).status_code for path in paths}
    assert set(answers.values()) == {404}, answers
