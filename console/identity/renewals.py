"""Refreshes each session once, however many of its requests come at the same moment: a rotating token is used once.

Requests that still bring the session of before, from another tab or after an answer that was lost on its way, are given the one
that came of it.
"""

import asyncio
import hashlib
from collections import OrderedDict

from console.identity.fetching import Away
from console.identity.kept import Session
from console.identity.oidc import Provider

DONE_LIMIT, AT_ONCE_LIMIT = 10_000, 500


class Renewals:
    """Of one process: replicas do not know of each other's, so a session stays with one of them, or the provider's refresh
    tokens do not rotate (docs/identity.md)."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._done: OrderedDict[bytes, Session] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Task[Session]] = {}

    def newest(self, session: Session) -> Session:
        """What came of a session so far; itself where nothing did."""
        for _ in range(len(self._done)):
            later = self._done.get(_key(session))
            if later is None:
                break
            if _key(later) == _key(session):  # a provider that does not rotate
                return max(session, later, key=lambda one: one.tokens.until)
            session = later
        return session

    async def renewed(self, session: Session) -> Session:
        """The session with the next tokens. Raises Refused where it has ended, Away.

        The refresh is a task of its own: a browser that leaves meanwhile would lose the only good token.
        """
        key = _key(session)
        task = self._under_way.get(key)
        if task is None:
            if len(self._under_way) >= AT_ONCE_LIMIT:
                raise Away("refresh")
            task = asyncio.create_task(self._renew(key, session), name="refresh a session")
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    async def _renew(self, key: bytes, session: Session) -> Session:
        later = session.with_tokens(await self._provider.refresh(session.tokens))
        self._done[key] = later
        while len(self._done) > DONE_LIMIT:
            self._done.popitem(last=False)
        return later

    def _finished(self, key: bytes, task: "asyncio.Task[Session]") -> None:
        """Whoever waited has the error; where nobody waits any more, it is looked at here."""
        del self._under_way[key]
        if not task.cancelled():
            task.exception()


def _key(session: Session) -> bytes:
    return hashlib.sha256(f"{session.id} {session.tokens.refresh}".encode()).digest()
