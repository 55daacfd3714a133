"""Every page that a role can come to, in both languages, both themes and two widths: whole, quiet, accessible, all ours.

All pages that links lead to are read in both languages without a browser. In the browser a covering design takes the place of
every combination: a page is loaded once in English, wide and light, then turned narrow and dark, and once in Chinese, wide and
dark, then turned narrow and light. Each pair of language, theme and width so meets on every page, in two loads. The English load
is of the first role that comes to the page, the Chinese one of the last: a page shown to several parties is seen as two of them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser

from console.words import translations
from console.words.catalogs import said
from tests.kit.axe import NARROW, WIDE, Watched, context_of, watched
from tests.kit.console import OpenConsole
from tests.kit.lively import enliven
from tests.kit.walk import Seen, routes, walked

ROLES = (
    "brand", "creator", "agency", "reviewer", "finance", "operator", "auditor", "other-brand", "other-creator",
)  # fmt: skip
LANGUAGES = ("en", "zh-CN")
EVENTS = "/history/{service}/{stream}"
"""Names of events and of their fields stand there as the contract has them, some of them words of ours."""
BROKEN = re.compile(r"\bNone\b|\bundefined\b|\bNaN\b|\{\{|\}\}|\bInvalid Date\b|<[A-Za-z_.]+ object at|_UNSPECIFIED\b")


def none(found: Iterable[str]) -> None:
    """Fails and names each of what should not be."""
    told = sorted(set(found))
    assert not told, "\n" + "\n".join(told)


@dataclass(frozen=True)
class Walks:
    """What each role came to, by role and language."""

    by: Mapping[tuple[str, str], Sequence[Seen]]

    def pages(self, role: str, lang: str) -> list[Seen]:
        return [one for one in self.by[role, lang] if one.is_page]

    def visitors(self) -> dict[str, list[Seen]]:
        """By route of a page, one address of each role that comes to it."""
        found: dict[str, dict[str, Seen]] = {}
        for role in ROLES:
            for one in self.pages(role, "en"):
                found.setdefault(one.route, {}).setdefault(role, one)
        return {route: list(by_role.values()) for route, by_role in found.items()}


@pytest.fixture(scope="module")
async def walks(console: OpenConsole) -> Walks:
    await enliven(console)
    return Walks({(role, lang): await walked(console, role, lang) for role in ROLES for lang in LANGUAGES})


async def test_links_lead_to_every_page(walks: Walks) -> None:
    reached = {route for seen in walks.by.values() for one in seen for route in (one.route, one.asked)}
    none([route for route in routes() if route not in reached])


@pytest.mark.parametrize("role", ROLES)
async def test_no_link_is_broken(walks: Walks, role: str) -> None:
    none([f"{one.address}: {one.status}" for one in walks.by[role, "en"] if one.status != 200])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("role", ROLES)
async def test_a_page_is_whole(walks: Walks, role: str, lang: str) -> None:
    none([f"{one.address}: {wrong}" for one in walks.pages(role, lang) for wrong in _wrong(one, lang)])


def _wrong(page: Seen, lang: str) -> list[str]:
    titles, heads = page.texts("title"), page.texts("h1")
    found = [f"html lang is {page.lang!r}"] if page.lang != lang else []
    found += ["no title"] if not titles or titles[0].startswith("·") else []
    found += [f"{len(heads)} h1"] if len(heads) != 1 else []
    return found + [
        f"{one.text!r} in {one.place}" for one in page.said if not one.is_quoted and BROKEN.search(one.text)
    ]


@pytest.mark.parametrize("role", ROLES)
async def test_no_english_is_left_in_chinese(walks: Walks, role: str) -> None:
    """Of the marked texts; what people and services wrote stands as they wrote it."""
    told = translations("zh-CN")
    ours = {one for room in said().values() for one in room if isinstance(one, str) and told.gettext(one) != one}
    pages = [one for one in walks.pages(role, "zh-CN") if one.route != EVENTS]
    none(
        f"{one.address}: {text.text}" for one in pages for text in one.said if text.text in ours and not text.is_quoted
    )


@pytest.mark.parametrize(("lang", "theme", "turned"), [("en", "light", "dark"), ("zh-CN", "dark", "light")])
async def test_a_browser_has_nothing_to_complain_of(
    console: OpenConsole, browser: Browser, walks: Walks, lang: str, theme: str, turned: str
) -> None:
    chosen = [visitors[0 if lang == "en" else -1] for visitors in walks.visitors().values()]
    found: list[str] = []
    for role in ROLES:
        async with context_of(browser, console, role, lang, theme) as context:
            page = await watched(context, console)
            for one in (one for one in chosen if one.role == role):
                found += [f"{role} {one.address}: {wrong}" for wrong in await _complaints(page, one.address, turned)]
    none(found)


async def _complaints(page: Watched, address: str, turned: str) -> list[str]:
    page.complaints.clear()
    await page.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    status = await page.opened(address)
    found = [f"{status}"] if status != 200 else []
    found += [f"wide: {one}" for one in await page.found()]
    await page.turned(turned, NARROW)
    found += [f"narrow, {turned}: {one}" for one in [*await page.found(), *await page.too_wide()]]
    return found + page.complaints
