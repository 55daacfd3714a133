"""The web of a development platform: the sandbox's hosts, asked over HTTP (sandbox/web.py)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from services.metrics.ports import ANSWER_S, PAGE_BYTES, Page, Refusal, Silent


class StandIn:
    """`GET <url>/web/txt?name=` answers {"records": [...]}; `GET <url>/web/page?host=&path=` {"status", "body", "refused"}."""

    def __init__(self, url: str, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(base_url=url, timeout=ANSWER_S, follow_redirects=False)

    async def txt(self, name: str) -> Sequence[str]:
        return [str(one) for one in (await self._ask("/web/txt", {"name": name}))["records"]]

    async def page(self, host: str, path: str) -> Page:
        answer = await self._ask("/web/page", {"host": host, "path": path})
        if answer["refused"]:
            raise Refusal(str(answer["refused"]))
        body = str(answer["body"]).encode()
        if len(body) > PAGE_BYTES:
            raise Refusal("site.page_too_large")
        return Page(int(answer["status"]), body)

    async def _ask(self, path: str, params: dict[str, str]) -> Any:
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await self._client.get(path, params=params)
                answer.raise_for_status()
                return answer.json()
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            raise Silent(type(error).__name__) from error

    async def close(self) -> None:
        await self._client.aclose()
