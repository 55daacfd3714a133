"""Signed webhooks as a provider sends them: late, twice, out of order, tried again until the receiver says 2xx."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping
from typing import Any

import httpx

log = logging.getLogger(__name__)

TRIES = 8
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
WAITING_LIMIT = 10_000
AT_ONCE = 16


def sign(secret: str, id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, version v1."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": id_, "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}", "content-type": "application/json",
    }  # fmt: skip


class Sender:
    """Delivers in the background, at most 10,000 waiting at a time; what is too much is dropped, as a real one would."""

    def __init__(self, url: str, secret: str, client: httpx.AsyncClient) -> None:
        self._url, self._secret, self._client = url, secret, client
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def later(self, delay_s: float, id_: str, payload: Mapping[str, Any]) -> None:
        """Sends the payload under the message id after a delay."""
        if len(self._tasks) >= WAITING_LIMIT:
            log.warning("webhook dropped, too many are waiting", extra={"webhook": id_})
            return
        task = asyncio.create_task(self._deliver(delay_s, id_, json.dumps(payload).encode()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delay_s: float, id_: str, body: bytes) -> None:
        pause_s = delay_s
        for attempt in range(TRIES):
            await asyncio.sleep(pause_s)
            if await self._once(id_, body):
                return
            pause_s = min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S)
        log.warning("webhook given up", extra={"webhook": id_})

    async def _once(self, id_: str, body: bytes) -> bool:
        """The signature is made anew for each try: its timestamp must be of now."""
        try:
            async with self._slots:
                headers = sign(self._secret, id_, int(time.time()), body)
                answer = await self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError:
            return False
        return answer.is_success

    async def settled(self) -> None:
        """Waits for all that is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()
