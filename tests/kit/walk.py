"""The console walked by its links: from the menu of a role to one of each page that the role can come to, in every language.

Pages are known by their routes, so that a page to which no link leads is found as well.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

from cli.story.plan import DEALS
from console.pages import routers
from tests.kit.console import OpenConsole
from tests.kit.pages import PageForm, Shown

OF_ONE_ROUTE = 4
"""Addresses of one route that a role is shown: things in different states, other tabs and filters."""
OF_ONE_DOCUMENT = 2
"""Pages of one route that show parts of a document all alike."""
ALIKE = "/documentation/"
LIMIT = 400
"""Addresses of a role."""
FILLED = {"/operator/find": {"service": "campaigns", "stream": f"campaign-{DEALS[0].id}"}}
"""What a person types to come further than links lead."""
UNHEARD = frozenset({"script", "style", "svg", "template", "noscript"})
TOLD = ("aria-label", "title", "placeholder", "alt")
PARTS = re.compile(r"^hx-(get|sse:connect)$")


@dataclass(frozen=True, slots=True)
class Said:
    """A text of a page and where it stands: inside which tag, or in which attribute.

    `is_quoted`: an element around it names a language of its own, as it does for what people and services wrote.
    """

    text: str
    place: str
    is_quoted: bool = False


class _Page(HTMLParser):
    """What a page says, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Said] = []
        self.links: list[str] = []
        self.lang = ""
        self._open: list[tuple[str, bool]] = []
        """Each with whether it or one around it is quoted."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.lang = told.get("lang", "") if tag == "html" else self.lang
        self.said += [Said(told[name].strip(), f"{tag}[{name}]") for name in TOLD if told.get(name, "").strip()]
        self.links += [value for name, value in told.items() if PARTS.match(name)]
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        elif tag == "form" and told.get("action") in FILLED:
            self.links.append(f"{told['action']}?{urlencode(FILLED[told['action']])}")
        if tag not in ("input", "img", "br", "hr", "meta", "link", "use", "source", "wbr", "rect", "path", "line"):
            self._open.append((tag, self._is_quoted() or (tag != "html" and "lang" in told)))

    def handle_endtag(self, tag: str) -> None:
        if any(tag == one for one, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and UNHEARD.isdisjoint(one for one, _ in self._open):
            self.said.append(Said(text, self._open[-1][0] if self._open else "", self._is_quoted()))

    def _is_quoted(self) -> bool:
        return bool(self._open) and self._open[-1][1]


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer that a role came to: `said` and `links` of a whole page or of a part of one, nothing of a stream or file."""

    role: str
    route: str
    address: str
    status: int
    lang: str
    said: Sequence[Said]
    links: Sequence[str]
    forms: Sequence[PageForm]
    is_page: bool

    @property
    def asked(self) -> str:
        """Route of the address, which may have led on to another."""
        return route_of(urlsplit(self.address).path)

    def texts(self, place: str) -> list[str]:
        return [one.text for one in self.said if one.place == place]


@cache
def _routes(method: str) -> Mapping[str, re.Pattern[str]]:
    """By pattern what a path of it matches, those of routers inside a room's router too."""
    every = iter_route_contexts([route for router in routers() for route in router.routes])
    paths = [route.path or "" for route in every if method in (route.methods or ())]
    return {path: compile_path(path)[0] for path in paths}


def routes(method: str = "GET") -> list[str]:
    """Patterns of all routes of all rooms, such as `/campaigns/{campaign_id}`."""
    return list(_routes(method))


def route_of(path: str, method: str = "GET") -> str:
    """Pattern of the route that answers a path, "" when none does."""
    return next((pattern for pattern, matching in _routes(method).items() if matching.match(path)), "")


async def seen(client: httpx.AsyncClient, role: str, address: str) -> Seen:
    """What stands at an address. A stream's beginning is enough."""
    async with client.stream("GET", address) as answer:
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if kind == "text/html":
            await answer.aread()
        text = answer.text if kind == "text/html" else ""
        parsed = _Page()
        parsed.feed(text)
        route = route_of(urlsplit(str(answer.url)).path)
        is_page = "<html" in text[:200].lower()
        forms = [form for form in Shown(answer).forms if form.method == "post"] if text else []
        return Seen(role, route, address, answer.status_code, parsed.lang, parsed.said, parsed.links, forms, is_page)


async def walked(console: OpenConsole, role: str, lang: str) -> list[Seen]:
    """What a role comes to by links alone, home first."""
    found: list[Seen] = []
    waiting, known, of_route = ["/"], {"/"}, Counter[Any]()
    async with console.visitor(role, lang) as client:
        while waiting and len(found) < LIMIT:
            found.append(here := await seen(client, role, waiting.pop(0)))
            for address in _inner(here):
                route = route_of(urlsplit(address).path)
                most = OF_ONE_DOCUMENT if route.startswith(ALIKE) else OF_ONE_ROUTE
                if address in known or not route or of_route[route] >= most:
                    continue
                known.add(address)
                of_route[route] += 1
                waiting.append(address)
    return found


def _inner(here: Seen) -> Iterator[str]:
    """Addresses of this console that a page links to, without fragments, those without filters first."""
    inner = [urlsplit(urljoin(here.address, link)) for link in here.links]
    ours = [one for one in inner if not one.scheme and not one.netloc and one.path.startswith("/")]
    yield from (one.path for one in ours if not one.query)
    yield from (f"{one.path}?{one.query}" for one in ours if one.query)
