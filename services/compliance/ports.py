"""The outside world as compliance needs it: what stands on a social platform right now."""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

import httpx

from kernel.core.faults import Unavailable

TIMEOUT_S = 5.0
MAX_BYTES = 1_000_000
GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Seen:
    """A post as it stands: `label` is what the platform itself shows as paid-partnership mark, "" for none."""

    text: str
    title: str = ""
    label: str = ""


class Platform(Protocol):
    """Looks at posts."""

    async def look(self, platform: str, post_id: str, idempotency_key: str) -> Seen | None:
        """The post, or None when there is none; raises Unavailable when that cannot be known now."""
        ...


class HttpPlatform:
    """`GET <url>/platform/posts/{id}` answers {"text", "title"?, "label"?} as JSON; 404 and 410 mean that it is gone."""

    def __init__(self, url: str, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S)

    async def look(self, platform: str, post_id: str, idempotency_key: str) -> Seen | None:
        headers = {"Idempotency-Key": idempotency_key}
        try:
            answer = await self._client.get(f"/platform/posts/{quote(post_id, safe='')}", headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable("platform.unreachable", why=type(error).__name__) from error
        if answer.status_code in GONE:
            return None
        if answer.status_code != 200 or len(answer.content) > MAX_BYTES:
            raise Unavailable("platform.answer", status=answer.status_code)
        return _seen(answer)

    async def close(self) -> None:
        await self._client.aclose()


def _seen(answer: httpx.Response) -> Seen:
    try:
        body = answer.json()
        return Seen(str(body["text"]), str(body.get("title") or ""), str(body.get("label") or ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable("platform.answer_malformed") from error
