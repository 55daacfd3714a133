"""HTTP as the story uses it: an answer read whole, and one error for a service that could not be reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

ANSWER_S = 30.0
"""Time to connect, and between two parts of an answer."""


class Away(Exception):
    """No answer came: whether anything was done is unknown. The text names the library's error."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its whole body."""

    status_code: int
    headers: Mapping[str, str]
    """By name in any case of letters."""
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        return orjson.loads(self.content)


class Calls:
    """Connections to all services, opened by the first call and kept; follows no redirect and keeps no cookie."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """Raises Away when no whole answer came."""
        if self._session is None:
            waits = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_S, sock_read=ANSWER_S)
            self._session = aiohttp.ClientSession(timeout=waits, cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with self._session.request(
                method, url, headers=headers, data=content, allow_redirects=False
            ) as answer:
                return Answer(answer.status, answer.headers, await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(type(error).__name__) from error

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()
