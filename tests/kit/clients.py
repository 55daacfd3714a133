"""Clients that send commands to toy processes over HTTP, remember what they were told, and ask again what they were not."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from time import monotonic

import httpx

from kernel.core.ids import new_id
from tests.kit import counter
from tests.kit.until import within
from tools.speed import patience

ANSWER_LIMIT_S = 60
PAUSE_S = 0.1
PACE_S = 0.02
"""After each answer: eight clients keep commands overlapping, and what a fault does is waited for without a busy machine."""
OWNERS = ("all", "echo me", "all")


class Clients:
    """`told` maps each command's key to its position, or None while nobody knows."""

    def __init__(self, *ports: int) -> None:
        self._http = httpx.AsyncClient(timeout=patience(ANSWER_LIMIT_S), trust_env=False)
        self._ports = ports
        self.told: dict[str, int | None] = {}
        self._paths: dict[str, str] = {}
        self.refused: Counter[str] = Counter()
        """How often each code was answered."""
        self.unasked: list[str] = []
        """Refusals that did not say when to come again."""
        self.longest_s = 0.0

    def send_to(self, *ports: int) -> None:
        """From now on; each client sends to one of them."""
        self._ports = ports

    def acknowledged(self) -> int:
        return sum(position is not None for position in self.told.values())

    async def send_until(self, over: Callable[[], bool], clients: int = 8) -> None:
        """Every client sends one command after another, the same again until it is answered, until `over()`."""
        await asyncio.gather(*[self._client(number, over) for number in range(clients)])

    async def _client(self, number: int, over: Callable[[], bool]) -> None:
        stream, sent = counter.counter(), 0
        while not over():
            sent += 1
            key = new_id()
            rings = sent % 8 == 4
            path = f"/add/{stream}/{key}?owner={OWNERS[number % len(OWNERS)]}"
            path = f"/remind/{counter.counter()}/{key}?in_ms=30" if rings else path
            while not await self.ask(key, path, number) and not over():
                continue
            await asyncio.sleep(PACE_S)

    async def ask(self, key: str, path: str, number: int = 0) -> bool:
        """Sends one command, and says whether it was acknowledged; if not, it is too early to ask again until it returns."""
        self.told.setdefault(key, None)
        self._paths[key] = path
        asked_at = monotonic()
        try:
            answer = await self._http.post(f"http://127.0.0.1:{self._ports[number % len(self._ports)]}{path}")
        except httpx.TransportError:
            await asyncio.sleep(PAUSE_S)
            return False
        self.longest_s = max(self.longest_s, monotonic() - asked_at)
        if answer.status_code == 200:
            self.told[key] = answer.json()["position"]
            return True
        self.refused[answer.json()["code"]] += 1
        assert answer.status_code == 503, answer.text
        if "Retry-After" not in answer.headers:
            self.unasked.append(answer.text)
        await asyncio.sleep(PAUSE_S)
        return False

    async def ask_again(self, limit_s: float = 30) -> None:
        """Until every command is acknowledged, under the key it had."""
        async with within(limit_s):
            await asyncio.gather(*[self._insist(key) for key, position in self.told.items() if position is None])

    async def _insist(self, key: str) -> None:
        while not await self.ask(key, self._paths[key]):
            continue

    async def clock_of(self, port: int) -> datetime:
        """What the process there takes for the time."""
        return datetime.fromisoformat((await self._http.get(f"http://127.0.0.1:{port}/clock")).json()["at"])

    async def is_answered(self, port: int) -> bool:
        """Whether a process serves there: before that it has no handler of SIGTERM."""
        try:
            await self.clock_of(port)
        except httpx.TransportError:
            return False
        return True

    async def close(self) -> None:
        await self._http.aclose()
