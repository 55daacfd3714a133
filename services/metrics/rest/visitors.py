"""Visitors of tracking links: what of their requests is a click, and which click a request repeats.

A browser is known by the clicks that its cookie names, which are looked up where they are logged. What no cookie says
(yet) is known for a minute by address and headers, in the memory of this process only: neither is stored.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from time import monotonic

import crawleruseragents
from fastapi import Request

from kernel.core.clock import system_clock
from kernel.runtime import telemetry
from services.metrics.domain.link.clicks import NotAClick
from services.metrics.domain.link.link import LinkCode
from services.metrics.reads.registry import Registry

SEEN = "dandelion_seen"
"""The cookie that names the browser's last clicks on our links, newest first."""
SEEN_LIMIT = 10
COOKIELESS_S = 60.0
COOKIELESS_LIMIT = 20_000
DAY_S = 86_400
CROWDS_LIMIT = 100_000
AGENT_CHARS = 500
_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BROWSER = re.compile("(?:Mozilla|Opera|UCWEB)/")
"""How every browser that people use begins to name itself, for the sake of old sites."""
_TRAITS = ("user-agent", "accept-language", "sec-ch-ua", "sec-ch-ua-platform")
crawleruseragents.is_crawler("")  # compiles the list once, here and not in the first request
_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")


def not_a_click(headers: Mapping[str, str]) -> NotAClick | None:
    """Why a request is no click, as its headers say; None for one that a person may have made."""
    ahead = " ".join(headers.get(name, "").lower() for name in _AHEAD)
    if "prefetch" in ahead or "prerender" in ahead:
        return NotAClick.PREFETCH
    if "preview" in ahead:
        return NotAClick.PREVIEW
    if is_robot(headers.get("user-agent", "")[:AGENT_CHARS]):
        return NotAClick.ROBOT
    mode, place = headers.get("sec-fetch-mode", "navigate"), headers.get("sec-fetch-dest", "document")
    return None if (mode, place) == ("navigate", "document") else NotAClick.EMBEDDED


@lru_cache(4_096)
def is_robot(agent: str) -> bool:
    """Known robots, link previews of chats and networks, libraries; and who does not say that it is a browser."""
    return not _BROWSER.match(agent) or bool(crawleruseragents.is_crawler(agent))


def with_seen(seen: str, click_id: str) -> str:
    """The cookie's value with a click put first."""
    return ".".join(list(dict.fromkeys([click_id, *_seen(seen)]))[:SEEN_LIMIT])


def _seen(cookie: str) -> list[str]:
    return _ID.findall(cookie)[:SEEN_LIMIT]


def shows_a_visitor(headers: Mapping[str, str]) -> bool:
    """Whether Accept-Language names a language, as it does in every browser that a person uses."""
    return bool(headers.get("accept-language", "").strip())


@dataclass(slots=True)
class DayCounts:
    """Counts of a day by key. The memory is this process's and bounded; a replica more is a limit more."""

    now: Callable[[], float] = monotonic
    _counted: OrderedDict[tuple[str, str], tuple[int, int]] = field(default_factory=OrderedDict)

    def take(self, limits: Mapping[tuple[str, str], int]) -> bool:
        """Adds one to each key, unless one of them stands at its limit."""
        day = int(self.now() // DAY_S)
        counts = {key: self._today(key, day) for key in limits}
        if any(counts[key] >= limit for key, limit in limits.items()):
            return False
        for key, count in counts.items():
            self._counted[key] = day, count + 1
            self._counted.move_to_end(key)
        while len(self._counted) > CROWDS_LIMIT:
            self._counted.popitem(last=False)
        return True

    def _today(self, key: tuple[str, str], day: int) -> int:
        counted_on, count = self._counted.get(key, (day, 0))
        return count if counted_on == day else 0


@dataclass(slots=True)
class Crowds:
    """Clicks of an address in a day: at most `per_link` of one link and `in_all` of all; what is beyond counts as a request."""

    per_link: int
    in_all: int
    counts: DayCounts = field(default_factory=DayCounts)

    def takes(self, link_id: str, address: str) -> bool:
        """Whether one more click of the address counts."""
        return self.counts.take({(address, link_id): self.per_link, (address, ""): self.in_all})


@dataclass(slots=True)
class Strays:
    """Requests that are no clicks: so many of one link, and of all links of a brand, are kept in a day. Robots come by themselves
    and for nothing, and each request that is kept stands in the log for ever."""

    per_link: int
    per_brand: int
    counts: DayCounts = field(default_factory=DayCounts)

    def keeps(self, link: LinkCode) -> bool:
        """Whether one more request of the link is kept."""
        kept = self.counts.take({(link.brand_id, link.link_id): self.per_link, (link.brand_id, ""): self.per_brand})
        if not kept:
            telemetry.count("requests_not_kept_total")
        return kept


@dataclass(slots=True)
class Visitors:
    """One click per visitor, link and window of `window_s`."""

    registry: Registry
    window_s: int
    now: Callable[[], float] = monotonic
    _known: OrderedDict[bytes, tuple[str, float]] = field(default_factory=OrderedDict)

    async def click_of(self, link: LinkCode, request: Request, request_id: str) -> str:
        """The click that a request repeats, else its own id: it is the visitor's click then."""
        seen = _seen(request.cookies.get(SEEN, ""))
        since = system_clock() - timedelta(seconds=self.window_s)
        named = await self.registry.newest_click(link.link_id, seen, since) if seen else ""
        return named or self._tapped(link, request, request_id)

    def _tapped(self, link: LinkCode, request: Request, request_id: str) -> str:
        """Also the second of two taps with the same cookies: no answer has named the first one's click yet."""
        key = _traits(link, request)
        click_id, at = self._known.get(key, ("", 0.0))
        if click_id and self.now() - at < COOKIELESS_S:
            return click_id
        self._known[key] = request_id, self.now()
        self._known.move_to_end(key)
        if len(self._known) > COOKIELESS_LIMIT:
            self._known.popitem(last=False)
        return request_id

    def forget(self, link: LinkCode, request: Request, request_id: str) -> None:
        """The click was not logged: who tries again is no repeat of it."""
        key = _traits(link, request)
        if self._known.get(key, ("", 0.0))[0] == request_id:
            del self._known[key]


def _traits(link: LinkCode, request: Request) -> bytes:
    host = request.client.host if request.client else ""
    cookie = ".".join(_seen(request.cookies.get(SEEN, "")))
    told = [link.link_id, host, cookie, *(request.headers.get(name, "")[:AGENT_CHARS] for name in _TRAITS)]
    return hashlib.blake2b("\x1f".join(told).encode("utf-8", "replace"), digest_size=16).digest()
