"""Read-your-writes: a query with the token of a receipt waits until the read model has applied the receipt's event.

A command may lead to a stream that other processes begin later, in this service or another: its token names that stream too, and
a query about the stream waits until its caller can see the stream (`until_there`), or says that the stream is pending.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Container
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from kernel.adapters.bus import PARTITIONS
from kernel.adapters.database import Database
from kernel.core.faults import Invalid, NotFound, Pending, Unavailable
from kernel.core.ids import split_stream
from kernel.runtime.wakeup import Wakeup, wait
from kernel.streams.records import OWN_LOG

_TOKEN = re.compile(r"([a-z][a-z0-9_]{0,63}):([0-9]{1,18}):([0-9]{1,4})?(?::([a-z][a-z0-9_]{0,31}-[0-9a-f-]{36}))?")
TOKEN_FORM = "the token of a receipt as it came, <service>:<position>:<partition>[:<stream>]"
_GUARDS = "SELECT source, partition, last_position FROM guards WHERE consumer = :consumer"
WAIT_LIMIT_S = 5.0
POLL_S = 0.025
"""Interval between two looks at the guards. A projector in this process wakes the waiter; one in another cannot."""
LOOK_S = 0.05
"""Interval between two looks for a stream that is to come."""
T = TypeVar("T")
Place = tuple[str, int]
"""A source and its partition."""
Hold = Callable[[], AbstractContextManager[None]]


def parse_token(token: str) -> tuple[str, int, int | None]:
    """Parses a receipt's token into `(service, position, partition)`; raises Invalid `at_least.malformed`."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise Invalid("at_least.malformed", field="at_least", expected=TOKEN_FORM)
    return found[1], int(found[2]), int(found[3]) if found[3] else None


def coming(token: str) -> str:
    """The stream that the token's command leads to; empty for a token without one, and for what is no token."""
    found = _TOKEN.fullmatch(token)
    return (found[4] or "") if found else ""


async def until_there(
    read: Callable[[], Awaitable[T]], stream: str, hold: Hold = nullcontext, limit_s: float = WAIT_LIMIT_S
) -> T:
    """What `read` gives once it finds its thing; raises Pending `<noun>.pending` where it still raises NotFound past `limit_s`.

    `read` reads as the caller, so a stranger who names a stream waits as long for one that is there as for one that is nowhere.
    """
    ends_at = monotonic() + limit_s
    with hold():
        while True:
            try:
                return await read()
            except NotFound:
                if monotonic() >= ends_at:
                    break
            await asyncio.sleep(LOOK_S)
    raise Pending(f"{split_stream(stream)[0]}.pending", stream=stream, retry_after_s=1)


async def there(
    token: str,
    stream: str,
    read: Callable[[], Awaitable[T]],
    at_least: Callable[[], Awaitable[None]],
    hold: Hold = nullcontext,
) -> T:
    """What `read` gives of `stream`: after `at_least`, or where the token's command leads to `stream`, `until_there`.

    Such a token may be another service's, whose log the read model does not follow.
    """
    if coming(token) == stream:
        return await until_there(read, stream, hold)
    await at_least()
    return await read()


@dataclass(slots=True, eq=False)
class Waiter:
    """Looks at one consumer's guards for all queries that wait for it: however many wait, one statement per look.

    A commit of a projector in this process wakes the waiter, which ends when nobody waits any more.
    """

    database: Database
    consumer: str
    progress: Wakeup
    _waiting: dict["asyncio.Future[None]", tuple[Place, int]] = field(default_factory=dict)
    _looking: "asyncio.Task[None] | None" = None

    async def wait(self, place: Place, position: int, limit_s: float) -> bool:
        """Waits until the guard of `place` has reached `position`; False past `limit_s`."""
        reached = asyncio.get_running_loop().create_future()
        self._waiting[reached] = place, position
        if self._looking is None:
            self._begin()
        try:
            async with asyncio.timeout(limit_s):
                await reached
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(reached, None)
        return True

    async def guards(self) -> dict[Place, int]:
        rows = await self.database.rows(_GUARDS, {"consumer": self.consumer})
        return {(source, partition): position for source, partition, position in rows}

    def _begin(self) -> None:
        self._looking = asyncio.create_task(self._look(), name=f"at_least {self.consumer}")
        self._looking.add_done_callback(self._ended)

    async def _look(self) -> None:
        woken = self.progress.listen()
        try:
            while self._waiting:
                woken.clear()
                self._settle(await self.guards())
                await wait(woken, POLL_S)
        finally:
            self.progress.leave(woken)

    def _settle(self, guards: dict[Place, int]) -> None:
        for reached, (place, position) in list(self._waiting.items()):
            if guards.get(place, 0) >= position and not reached.done():
                reached.set_result(None)
                del self._waiting[reached]

    def _ended(self, looking: "asyncio.Task[None]") -> None:
        """After a look that failed all queries that wait fail too, and the next one begins anew.

        A query that came as the look ended, since nobody waited any more, gets a look of its own.
        """
        self._looking = None
        error = None if looking.cancelled() else looking.exception()
        if error is None and not looking.cancelled():
            if self._waiting:
                self._begin()
            return
        waiting, self._waiting = self._waiting, {}
        for reached in waiting:
            if not reached.done():
                reached.set_exception(error or Unavailable("at_least.not_reached", retry_after_s=1))


@dataclass(slots=True)
class Waiters:
    """The waiters of a service, one per consumer. `head` is the position of the own log's head."""

    database: Database
    service: str
    progress: Wakeup
    head: Callable[[], Awaitable[int]]
    _of: dict[str, Waiter] = field(default_factory=dict)

    async def wait(
        self,
        token: str,
        consumer: str,
        sources: Container[str],
        hold: Hold = nullcontext,
        limit_s: float = WAIT_LIMIT_S,
    ) -> None:
        """Returns when the consumer, which reads `sources`, has applied the token's event; raises Unavailable past `limit_s`.

        What the consumer can never reach is refused at once: a source it does not read, a partition that is not there, a
        position of the own log ahead of the head. `hold` takes the caller's place among those who wait.
        """
        place, position = self._place(token)
        source, partition = place
        if source not in sources or partition >= PARTITIONS:
            raise Invalid("at_least.not_read_here", field="at_least", token=token)
        waiter = self._waiter(consumer)
        if (await waiter.guards()).get(place, 0) >= position:
            return
        if source == OWN_LOG and position > await self.head():
            raise Invalid("at_least.ahead", field="at_least", token=token)
        with hold():
            if not await waiter.wait(place, position, limit_s):
                raise Unavailable("at_least.not_reached", token=token, retry_after_s=1)

    def _waiter(self, consumer: str) -> Waiter:
        """The one waiter of a consumer; of generations that a rebuild has replaced none is kept."""
        found = self._of.get(consumer)
        if found is None:
            name = consumer.rpartition("_g")[0]
            self._of = {key: one for key, one in self._of.items() if key.rpartition("_g")[0] != name}
            found = self._of[consumer] = Waiter(self.database, consumer, self.progress)
        return found

    def _place(self, token: str) -> tuple[Place, int]:
        service, position, partition = parse_token(token)
        is_own = service == self.service
        if not is_own and partition is None:
            raise Invalid("at_least.malformed", field="at_least", expected=TOKEN_FORM)
        return (OWN_LOG if is_own else f"{service}.events.v1", 0 if is_own else partition or 0), position
