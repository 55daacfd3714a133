"""What an account's profile on a social platform says right now.

The platform's answer is done (a profile, or none), refused for good (`Unreadable`), or later (Unavailable is raised).
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import httpx
import orjson

from kernel.core.faults import Invalid, Unavailable
from kernel.core.ids import path_segment

TIMEOUT_S, ANSWER_S = 5.0, 10.0
"""Of a step, and of the whole answer."""
MAX_BYTES = 200_000
GONE = frozenset({404, 410})
LATER = frozenset({401, 403, 408, 425, 429})
"""Refusals that say nothing about the profile: our key, our pace or their clock."""


@dataclass(frozen=True, slots=True)
class SeenProfile:
    """`bio` is what the account says of itself, as the platform shows it to everybody."""

    bio: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The platform has answered for good, and nobody can tell from it what the profile says. `reason` is a code."""

    reason: str


class Profiles(Protocol):
    """Looks at profiles."""

    async def look(self, platform: str, handle: str, idempotency_key: str) -> SeenProfile | Unreadable | None:
        """The profile, or None when there is none; raises Unavailable when that cannot be known now."""
        ...


class HttpProfiles:
    """`GET <url>/platform/profiles/{platform}/{handle}` answers {"bio"} as JSON; 404 and 410: there is none."""

    def __init__(self, url: str, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, follow_redirects=False)

    async def look(self, platform: str, handle: str, idempotency_key: str) -> SeenProfile | Unreadable | None:
        headers = {"Idempotency-Key": idempotency_key, "Accept-Encoding": "identity"}
        try:
            address = f"/platform/profiles/{path_segment(platform)}/{path_segment(handle)}"
            async with asyncio.timeout(ANSWER_S), self._client.stream("GET", address, headers=headers) as answer:
                return await _read(answer)
        except (Invalid, httpx.InvalidURL):
            return Unreadable("profile.handle_malformed")
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable("profile.unreachable", why=type(error).__name__) from error


async def _read(answer: httpx.Response) -> SeenProfile | Unreadable | None:
    status = answer.status_code
    if status in GONE:
        return None
    if status in LATER or status >= 500 or 300 <= status < 400:
        raise Unavailable("profile.answer", status=status)
    # An answer is asked for as it is: unpacked, it may be huge.
    if status != 200 or answer.headers.get("content-encoding", "identity") != "identity":
        return Unreadable("profile.answer_refused" if status != 200 else "profile.answer_malformed")
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > MAX_BYTES:
            return Unreadable("profile.answer_too_large")
    return _seen(bytes(content))


def _seen(content: bytes) -> SeenProfile | Unreadable:
    try:
        bio = orjson.loads(content)["bio"]
    except (ValueError, KeyError, TypeError):
        return Unreadable("profile.answer_malformed")
    return SeenProfile(bio) if isinstance(bio, str) else Unreadable("profile.answer_malformed")
