"""The outside world as compliance needs it: what stands on a social platform right now.

The platform's answer is done (a post, or none), refused for good (`Unreadable`), or later (Unavailable is raised).
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import orjson

from kernel.core.faults import Invalid, Unavailable
from kernel.core.ids import path_segment

TIMEOUT_S, ANSWER_S = 5.0, 10.0
"""Of a step, and of the whole answer."""
MAX_BYTES = 1_000_000
GONE = frozenset({404, 410})
LATER = frozenset({401, 403, 408, 425, 429})
"""Refusals that say nothing about the post: our key, our pace or their clock."""
OPTIONAL = {name: name for name in ("title", "label", "overlay", "author_handle")} | {"author_id": "author"}
"""What an answer may leave out, by its name here."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A post as it stands: `label` is what the platform itself shows as paid-partnership mark, "" for none.

    `overlay` is what stands on the picture all the time, where the platform (or who reads pictures for it) can tell.
    `author_id` is the platform's own id of the account that posted it, `author_handle` its handle.
    """

    text: str
    title: str = ""
    label: str = ""
    overlay: str = ""
    author_id: str = ""
    author_handle: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The platform has answered for good, and nobody can tell from it what stands there. `reason` is a code."""

    reason: str


class Platform(Protocol):
    """Looks at posts."""

    async def look(self, platform: str, post_id: str, idempotency_key: str) -> Seen | Unreadable | None:
        """The post, or None when there is none; raises Unavailable when that cannot be known now."""
        ...


class HttpPlatform:
    """`GET <url>/platform/posts/{id}` answers {"text", "author"?, "author_handle"?, "title"?, "label"?, "overlay"?} as JSON; 404
    and 410: it is gone. `author` is the platform's id of the account."""

    def __init__(self, url: str, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, follow_redirects=False)

    async def look(self, platform: str, post_id: str, idempotency_key: str) -> Seen | Unreadable | None:
        headers = {"Idempotency-Key": idempotency_key, "Accept-Encoding": "identity"}
        try:
            address = f"/platform/posts/{path_segment(post_id)}"
            async with asyncio.timeout(ANSWER_S), self._client.stream("GET", address, headers=headers) as answer:
                return await _read(answer)
        except (Invalid, httpx.InvalidURL):
            return Unreadable("platform.post_id_malformed")
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable("platform.unreachable", why=type(error).__name__) from error

    async def close(self) -> None:
        await self._client.aclose()


async def _read(answer: httpx.Response) -> Seen | Unreadable | None:
    status = answer.status_code
    if status in GONE:
        return None
    if status in LATER or status >= 500 or 300 <= status < 400:
        raise Unavailable("platform.answer", status=status)
    if status != 200:
        return Unreadable(f"platform.refused_{status}")
    content = bytearray()
    # An answer is asked for as it is: unpacked, it may be huge.
    if answer.headers.get("content-encoding", "identity") != "identity":
        return Unreadable("platform.answer_malformed")
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > MAX_BYTES:
            return Unreadable("platform.answer_too_large")
    return _seen(bytes(content))


def _seen(content: bytes) -> Seen | Unreadable:
    try:
        body = orjson.loads(content)
        told = {name: _text(body.get(inside) or "") for name, inside in OPTIONAL.items()}
        return Seen(_text(body["text"]), **told)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Unreadable("platform.answer_malformed")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value
