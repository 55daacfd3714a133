"""Group commit on SQLite: write transactions that wait for the connection at the same time share one BEGIN and one COMMIT.

A commit is a disk sync, which costs far more than the few rows that a transaction here writes. Each transaction after the
first stands in a savepoint of its own, so that one which fails is rolled back alone. All callers go on after the COMMIT. If the
COMMIT fails, no transaction of the group has happened, and the next ones are committed alone, so that a bad one fails by itself.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.disconnects import translated
from kernel.adapters.sqlite.driver import connection_of
from kernel.core.faults import Fault, Unavailable

GROUP_LIMIT = 32
"""Transactions of one group."""
GROUP_S = 0.05
"""Age past which a group takes no other transaction: the first of them waits for the COMMIT of all."""
WAIT_S = 30.0
"""Wait for the connection, as for one of a pool."""
Begin = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class _Abandoned(Exception):
    """Rolls a group back whose only transaction failed."""


class _Member:
    """One transaction: `entered` gives it the connection, `left` tells how its block ended, `settled` that it is committed."""

    __slots__ = ("entered", "left", "settled")

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.entered: asyncio.Future[AsyncConnection] = loop.create_future()
        self.left: asyncio.Future[bool] = loop.create_future()
        self.settled: asyncio.Future[None] = loop.create_future()

    def leave(self, done: bool) -> None:
        if not self.left.done():
            self.left.set_result(done)

    def fail(self, error: BaseException) -> None:
        for waiting in (self.entered, self.settled):
            if not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # marks it as retrieved: nobody awaits a transaction that was given up meanwhile


class GroupCommit:
    """The groups of one database. One task serves the queue, so that a caller that is cancelled holds nobody else."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._waiting: deque[_Member] = deque()
        self._serving: asyncio.Task[None] | None = None
        self._alone = 0
        """Transactions still to be committed alone, after a group that failed."""

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[AsyncConnection]:
        """A transaction of a group: commits after the end of the block, rolls back on any exception."""
        member = self._queued()
        with translated():
            try:
                async with asyncio.timeout(WAIT_S):
                    connection = await member.entered
                yield connection
            except BaseException:
                member.leave(False)
                raise
            member.leave(True)
            await member.settled

    def _queued(self) -> _Member:
        member = _Member()
        self._waiting.append(member)
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve(), name="group commit")
        return member

    async def _serve(self) -> None:
        try:
            while self._waiting:
                await self._group()
        finally:
            self._serving = None
            self._fail(self._all_waiting(), asyncio.CancelledError())

    async def _group(self) -> None:
        """Begins, lets the waiting transactions in one after the other, and commits."""
        members: list[_Member] = []
        try:
            async with self._begin() as connection:
                began = monotonic()
                while (member := self._next(len(members), began)) is not None:
                    members.append(member)
                    if not await self._let_in(member, connection, is_first=len(members) == 1):
                        members.pop()
        except _Abandoned:
            return
        except (Fault, SQLAlchemyError) as error:
            self._alone = len(members)
            self._fail(members or self._all_waiting(), error)
            return
        except BaseException as error:
            self._fail(members, error)
            raise
        self._alone = max(0, self._alone - 1)
        for member in members:
            if not member.settled.done():
                member.settled.set_result(None)

    def _next(self, members: int, began: float) -> _Member | None:
        """The next transaction of a group with so many members; None when the group is to be committed."""
        if members and (self._alone or members >= GROUP_LIMIT or monotonic() > began + GROUP_S):
            return None
        while self._waiting:
            member = self._waiting.popleft()
            if not member.entered.done():
                return member
        return None

    async def _let_in(self, member: _Member, connection: AsyncConnection, is_first: bool) -> bool:
        """Waits until the transaction's block has ended; False when it failed and was rolled back."""
        raw = connection_of(connection)
        if not is_first:
            await raw.direct("SAVEPOINT member", is_short=True)
        if member.entered.done():  # given up while the savepoint was made
            member.leave(False)
        else:
            member.entered.set_result(connection)
        if await member.left:
            if not is_first:
                await raw.direct("RELEASE member", is_short=True)
            return True
        if is_first:
            raise _Abandoned
        await raw.direct("ROLLBACK TO member")
        await raw.direct("RELEASE member")
        return False

    def _all_waiting(self) -> list[_Member]:
        """Empties the queue and returns its transactions, none of which was let in."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def _fail(self, members: Sequence[_Member], error: BaseException) -> None:
        """Fails transactions that have not happened; one of several with Unavailable, as the error may be another one's."""
        is_own = isinstance(error, Fault) or (len(members) == 1 and isinstance(error, Exception))
        why = error if is_own else Unavailable("database.unavailable", why=type(error).__name__)
        for member in members:
            member.fail(why)
