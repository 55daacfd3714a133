"""Reviews off the event loop: a content is judged in a thread, so that no request and no append waits for it.

Judging is pure, so its result may be carried to where it is needed. Threads share the interpreter: the loop is served between
their steps, every few milliseconds.
"""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import cache

from kernel.core.faults import Exhausted
from services.compliance.domain.findings import Content
from services.compliance.domain.packs import day_of
from services.compliance.domain.review import Judged, Judgement, ReviewContent, check_content, judge
from services.compliance.packs import shipped_packs

THREADS = 2
PLACES, PLACES_OF_A_TENANT = 64, 8
"""Checks that may wait or run at once, in all and for one tenant."""
CHARACTERS_A_TOKEN = 500
"""So much text costs as much of the rate limit as a request does."""


class Judging:
    """Judges checks that callers wait for, and submissions before they are queued for the writer; neither waits for the other."""

    def __init__(self) -> None:
        self._checks = ThreadPoolExecutor(THREADS, "checks")
        self._submissions = ThreadPoolExecutor(1, "submissions")
        self._waiting: Counter[str] = Counter()

    async def check(self, content: Content, at: datetime, tenant: str) -> Judgement:
        """A caller's check; raises Exhausted `check.busy` when too many of the tenant, or in all, are under way."""
        if self._waiting[tenant] >= PLACES_OF_A_TENANT or self._waiting.total() >= PLACES:
            raise Exhausted("check.busy", limit=PLACES_OF_A_TENANT, retry_after_s=1)
        self._waiting[tenant] += 1
        try:
            return await _in(self._checks, content, at)
        finally:
            self._waiting[tenant] -= 1
            self._waiting += Counter()  # drops tenants without a check

    async def prepare(self, command: object, at: datetime) -> object:
        """A submission with its judgement; other commands as they are. One out of bounds is refused by its Decider."""
        if not isinstance(command, ReviewContent):
            return command
        check_content(command.content)
        judged = await _in(self._submissions, command.content, at)
        day = day_of(shipped_packs(), command.content.jurisdiction, at)
        return replace(command, judged=Judged(judged, day))


async def _in(pool: ThreadPoolExecutor, content: Content, at: datetime) -> Judgement:
    return await asyncio.get_running_loop().run_in_executor(pool, judge, shipped_packs(), content, at)


def tokens_of(content: Content) -> int:
    """What judging the content costs, in tokens of the rate limit."""
    proofs = sum(len(one.phrase) for one in content.evidence)
    read = len(content.text) + len(content.title) + sum(map(len, content.tags)) + proofs
    return read // CHARACTERS_A_TOKEN


@cache
def judging() -> Judging:
    """The one of this process: its threads are bounded, however many roles judge."""
    return Judging()
