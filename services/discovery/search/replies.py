"""Answers kept for a moment: the same question of the same caller again costs no query, also while it is being answered."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from time import monotonic

from kernel.runtime.wakeup import Wakeup

FRESH_S = 0.5
"""How much later than the read model an answer may be, where the projector runs in another process."""
LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(slots=True)
class Replies:
    """Serialised replies by question; all are dropped as soon as a projector of this process has committed."""

    progress: Wakeup
    now: Callable[[], float] = monotonic
    _held: OrderedDict[Hashable, tuple[float, bytes]] = field(default_factory=OrderedDict)
    _asked: dict[Hashable, asyncio.Task[bytes]] = field(default_factory=dict)
    _bytes: int = 0
    _moved: asyncio.Event = field(init=False)

    def __post_init__(self) -> None:
        self._moved = self.progress.listen()

    async def answer(self, question: Hashable, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        """What is kept, or what is being asked already, or what `ask` returns; raises what that raises."""
        self._look()
        since, reply = self._held.get(question, (0.0, b""))
        if reply and self.now() - since < FRESH_S:
            return reply
        asked = self._asked.get(question)
        if asked is None:
            asked = self._asked[question] = asyncio.create_task(self._ask(question, ask))
        return await asyncio.shield(asked)  # a caller that leaves takes nothing from the others

    async def _ask(self, question: Hashable, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        me, since = asyncio.current_task(), self.now()
        try:
            reply = await ask()
            if not self._look() and self._asked.get(question) is me:  # else it may be of before
                self._keep(question, since, reply)
            return reply
        finally:
            if self._asked.get(question) is me:
                del self._asked[question]

    def _keep(self, question: Hashable, since: float, reply: bytes) -> None:
        """The oldest go when there are too many bytes."""
        self._drop(question)
        self._held[question] = (since, reply)
        self._bytes += len(reply)
        while self._bytes > LIMIT_BYTES:
            self._drop(next(iter(self._held)))

    def _look(self) -> bool:
        """Whether a projector has committed since the last look; then nothing of before is kept or waited for."""
        moved = self._moved.is_set()
        if moved:
            self._moved.clear()
            self._held.clear()
            self._asked.clear()
            self._bytes = 0
        return moved

    def _drop(self, question: Hashable) -> None:
        _, reply = self._held.pop(question, (0.0, b""))
        self._bytes -= len(reply)
