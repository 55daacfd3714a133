"""Requests to the provider: bounded in time and size, no redirect followed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

WAIT_S = 5.0
BODY_LIMIT_BYTES = 256 * 1_024
CONNECTIONS = 50


class Away(Exception):
    """The provider does not answer, or not as a provider does; the text is a word that says what was asked."""


class Refused(Exception):
    """The provider refused, or what it gave is wrong; the text is a word: an error of RFC 6749, or `token_<what>`."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One answer."""

    status: int
    body: bytes

    def document(self) -> dict[str, Any]:
        """The JSON object in it. Raises Away."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Away("document") from error
        if not isinstance(found, dict):
            raise Away("document")
        return found

    @staticmethod
    def client(transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
        """`transport` replaces the network."""
        limits = httpx.Limits(max_connections=CONNECTIONS)
        return httpx.AsyncClient(timeout=WAIT_S, limits=limits, transport=transport, follow_redirects=False)


async def fetched(
    client: httpx.AsyncClient,
    method: str,
    address: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Fetched:
    """The answer of the provider. Raises Away where none comes whole within WAIT_S of each step, or one of 5xx."""
    told = {"Accept": "application/json", **(headers or {})}
    try:
        async with client.stream(method, address, data=form, headers=told) as answer:
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > BODY_LIMIT_BYTES:
                    raise Away("size")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Away("answer") from error
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Away("status")
    return Fetched(answer.status_code, body)


def refusal_of(answer: Fetched) -> Refused:
    """The error that an answer names; one that names none raises Away."""
    error = answer.document().get("error")
    if not isinstance(error, str) or not error.isascii() or not error.replace("_", "").isalnum():
        raise Away("error")
    return Refused(error[:60])
