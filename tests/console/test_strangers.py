"""Somebody else's things: no page tells of them, no form changes them, and no form is taken without the token of its page.

What a stranger's own links lead to is the stranger's to see (the market, a creator's page); everything else that the parties and
the platform's people came to is asked for by every stranger, and every form that they saw is sent.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import pytest

from console.words.catalogs import said
from tests.kit.console import OpenConsole
from tests.kit.pages import PageForm, Shown, sent
from tests.kit.walk import Seen, route_of, routes, walked
from tests.kit.written import events_of

PARTIES = ("brand", "creator", "reviewer", "finance", "operator", "auditor")
STRANGERS = ("other-brand", "other-creator", "agency")
OF_ONESELF = "/profile/"
"""What is sent there is about whoever sends it, whatever else the address names."""
FOREIGN = re.compile(r"\{(\w+)[^}]*\}")
TOLD_LETTERS = 12
"""Shorter texts of a page may be anybody's."""


@dataclass(frozen=True)
class Walks:
    by: Mapping[str, Sequence[Seen]]

    def of_others(self, stranger: str) -> list[Seen]:
        """Things of the parties at addresses of routes with an id, where no link leads the stranger."""
        own = {one.route for one in self.by[stranger] if one.status == 200}
        met = {one.address: one for role in PARTIES for one in self.by[role] if FOREIGN.search(one.route)}
        return [one for one in met.values() if one.status == 200 and one.route not in own]

    def forms(self, roles: Sequence[str]) -> dict[str, tuple[str, PageForm]]:
        """By route: who was shown a form that sends there, and the form."""
        shown = ((role, form) for role in roles for one in self.by[role] for form in one.forms)
        found: dict[str, tuple[str, PageForm]] = {}
        for role, form in shown:
            found.setdefault(route_of(urlsplit(form.action).path, "POST"), (role, form))
        return found

    def ids(self) -> dict[str, str]:
        """An id of the parties by the name that routes give it."""
        found: dict[str, str] = {}
        for role in PARTIES:
            for one in self.by[role]:
                pattern = FOREIGN.sub(r"(?P<\1>[^/]+)", one.route)
                match = re.fullmatch(pattern, urlsplit(one.address).path)
                found |= match.groupdict() if match else {}
        return found


@pytest.fixture(scope="module")
async def walks(console: OpenConsole) -> Walks:
    return Walks({role: await walked(console, role, "en") for role in (*PARTIES, *STRANGERS)})


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_page_of_others_tells_nothing(console: OpenConsole, walks: Walks, stranger: str) -> None:
    ours = {text for room in said().values() for text in room}
    common = {one.text for seen in walks.by[stranger] for one in seen.said}
    things, found = walks.of_others(stranger), []
    assert things
    async with console.visitor(stranger) as client:
        for thing in things:
            shown = Shown(await client.get(thing.address))
            told = {one.text for one in thing.said if len(one.text) >= TOLD_LETTERS} - ours - common
            found += [f"{thing.address}: {text}" for text in told if text in shown.text]
            if shown.answer.status_code not in (403, 404):
                found.append(f"{thing.address}: {shown.answer.status_code}")
    assert not found, "\n" + "\n".join(found)


def _forms(walks: Walks) -> Iterator[tuple[str, str, PageForm]]:
    """Every route that takes a form: who was shown one, else nobody and a form made up of ids of the parties."""
    shown, ids = walks.forms(PARTIES), walks.ids()
    for route in routes("POST"):
        path = FOREIGN.sub(lambda match: ids.get(match[1], str(uuid5(NAMESPACE_URL, match[1]))), route)
        role, form = shown.get(route, ("", PageForm(path, "post", {"_key": ["made-up-key"]})))
        yield route, role, form


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_form_of_others_changes_nothing(console: OpenConsole, walks: Walks, stranger: str) -> None:
    name, own, found = console.cast[stranger].name, walks.forms([stranger]), []
    before = events_of(console.layout, [name])
    async with console.visitor(stranger) as client:
        for route, _, form in _forms(walks):
            if not FOREIGN.search(route) or route in own or route.startswith(OF_ONESELF):
                continue
            answer = (await sent(client, form, {"_form": "f" * 32})).answer
            if answer.status_code not in (403, 404, 422):
                found.append(f"{route}: {answer.status_code}")
    assert not found, "\n" + "\n".join(found)
    assert events_of(console.layout, [name]) == before


async def test_a_form_without_its_page_s_token_changes_nothing(console: OpenConsole, walks: Walks) -> None:
    everybody = [who.name for who in console.cast.values()]
    before, found = events_of(console.layout, everybody), []
    for route, role, form in _forms(walks):
        async with console.visitor(role or "brand") as client:
            for token in ("", "g" * 32):
                answer = (await sent(client, form, {"_form": token})).answer
                if answer.status_code != 403:
                    found.append(f"{route} as {role or 'brand'}: {answer.status_code}")
    assert not found, "\n" + "\n".join(found)
    assert events_of(console.layout, everybody) == before
