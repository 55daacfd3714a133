"""The configured key set (JWKS) fetched from a file or an address; its size and its time are bounded."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

JWKS_LIMIT_BYTES = 256 * 1024
Fetch = Callable[[], Awaitable[bytes]]


def fetch_from(source: str) -> Fetch:
    """Fetcher of a JWKS from a file path or an http(s) address; it follows no redirect."""
    if not source.startswith(("http://", "https://")):
        path = Path(source)
        return lambda: asyncio.to_thread(path.read_bytes)

    return lambda: _over_http(source)


async def _over_http(source: str) -> bytes:
    """The document at an address; raises OSError when none comes."""
    import httpx  # imported here: a key set in a file needs no client, and the token issuer needs none either

    try:
        async with httpx.AsyncClient(follow_redirects=False) as client, client.stream("GET", source) as answer:
            answer.raise_for_status()
            return await _bounded(answer)
    except httpx.HTTPError as error:
        raise OSError(f"the key set does not come: {error!r}") from error


async def _bounded(answer: "httpx.Response") -> bytes:
    document = b""
    async for chunk in answer.aiter_bytes():
        document += chunk
        if len(document) > JWKS_LIMIT_BYTES:
            raise ValueError("the key set is too large")
    return document
