"""`at_least`: many who wait cost what one costs, a tenant's waits are limited, and an idle wait reads little."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.core.faults import Exhausted, Invalid, NotFound, Pending
from kernel.core.ids import new_id
from kernel.edge.admission import Admission
from kernel.edge.http import Caller
from kernel.edge.limits import Share, Slots
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.processors import read_your_writes
from kernel.processors.read_your_writes import Waiters, coming, until_there
from kernel.runtime.wakeup import Wakeup
from tests.kit.notes import make_app, talking
from tests.kit.until import until, within


class Guards:
    """A database that holds guards, and counts how often they are read."""

    def __init__(self) -> None:
        self.position, self.reads = 0, 0
        self.error: Exception | None = None

    async def rows(self, sql: str, values: Mapping[str, Any]) -> list[tuple[str, int, int]]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return [("log", 0, self.position)]


@pytest.fixture
def guards(monkeypatch: pytest.MonkeyPatch) -> Guards:
    monkeypatch.setattr(read_your_writes, "POLL_S", 60.0)
    return Guards()


def waiters_of(guards: Guards, progress: Wakeup) -> Waiters:
    async def head() -> int:
        return 100

    return Waiters(cast(Database, guards), "notes", progress, head)


async def test_one_statement_serves_all_who_wait(guards: Guards) -> None:
    progress = Wakeup()
    waiters = waiters_of(guards, progress)
    waiting = [asyncio.create_task(waiters.wait("notes:7:", "notes_g1", {"log"})) for _ in range(200)]

    async def all_wait() -> bool:
        return len(waiters._of["notes_g1"]._waiting) == 200 if waiters._of else False

    async def looked(times: int) -> bool:
        return guards.reads - before >= times

    await until(all_wait)
    await asyncio.sleep(0)
    before = guards.reads
    for times, position in enumerate((3, 5, 7), 1):
        guards.position = position
        progress.notify()
        await until(partial(looked, times))
    async with within(30):
        await asyncio.gather(*waiting)
    assert guards.reads - before == 3


async def test_a_tenants_waits_are_limited_and_take_nothing_from_others(guards: Guards) -> None:
    waiters, slots = waiters_of(guards, Wakeup()), Slots("waits", Share(2, 3, 10))

    def of(subject: str, tenant: str) -> Any:
        def hold() -> AbstractContextManager[None]:
            return slots.hold(Actor(subject, tenant, frozenset()))

        return asyncio.create_task(waiters.wait("notes:7:", "notes_g1", {"log"}, hold))

    waiting = [of("ann", "acme"), of("ann", "acme"), of("ben", "acme")]

    async def three_wait() -> bool:
        return slots.count == 3

    await until(three_wait)
    for subject in ("ann", "ben", "cem"):
        with pytest.raises(Exhausted, match=r"waits\.exhausted"):
            await of(subject, "acme")
    other = of("eve", "evil")

    async def four_wait() -> bool:
        return slots.count == 4

    await until(four_wait)
    for task in (*waiting, other):
        task.cancel()
    await asyncio.gather(*waiting, other, return_exceptions=True)
    assert slots.count == 0
    assert waiters._of["notes_g1"]._waiting == {}


async def test_a_wait_over_http_takes_a_place_too(tmp_path: Path, issuer: Issuer) -> None:
    app = make_app(tmp_path, [])

    @app.get("/waits")
    async def waits(_: Caller) -> int:
        admission: Admission = app.state.edge.admission
        with admission.hold_wait():
            return admission.waits.count

    async with talking(app, issuer) as client:
        assert [(await client.get("/waits")).json() for _ in range(2)] == [1, 1]


async def test_what_is_there_already_takes_no_place(guards: Guards) -> None:
    guards.position = 7
    slots = Slots("waits", Share(0, 0, 0))
    await waiters_of(guards, Wakeup()).wait(
        "notes:7:", "notes_g1", {"log"}, lambda: slots.hold(Actor("ann", "acme", frozenset()))
    )


async def test_a_database_that_fails_fails_all_who_wait_and_the_next_one_begins_anew(guards: Guards) -> None:
    progress = Wakeup()
    waiters = waiters_of(guards, progress)
    waiting = [asyncio.create_task(waiters.wait("notes:7:", "notes_g1", {"log"})) for _ in range(3)]

    async def all_wait() -> bool:
        return bool(waiters._of) and len(waiters._of["notes_g1"]._waiting) == 3

    await until(all_wait)
    guards.error = ConnectionError("away")
    progress.notify()
    async with within(30):
        assert all(isinstance(one, ConnectionError) for one in await asyncio.gather(*waiting, return_exceptions=True))
        guards.error, guards.position = None, 7
        await waiters.wait("notes:7:", "notes_g1", {"log"})


async def test_who_comes_as_the_last_one_leaves_is_served(guards: Guards) -> None:
    """Between a look's last turn and the news of its end."""
    progress, late = Leaving(), list[asyncio.Task[None]]()
    waiters = waiters_of(guards, progress)
    waiting = asyncio.create_task(waiters.wait("notes:7:", "notes_g1", {"log"}))

    async def waits() -> bool:
        return bool(waiters._of) and len(waiters._of["notes_g1"]._waiting) == 1

    await until(waits)
    progress.left = lambda: late.append(asyncio.create_task(waiters.wait("notes:9:", "notes_g1", {"log"})))
    guards.position = 7
    progress.notify()
    async with within(30):
        await waiting

    async def came() -> bool:
        return bool(late)

    progress.notify()
    await until(came)
    await asyncio.sleep(0.01)
    guards.position = 9
    progress.notify()
    async with within(30):
        await late[0]


class Leaving(Wakeup):
    """Tells of the first who leaves."""

    left: Callable[[], object] | None = None

    def leave(self, event: asyncio.Event) -> None:
        super().leave(event)
        told, self.left = self.left, None
        if told is not None:
            told()


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("notes:101:", "at_least.ahead"),
        ("notes:" + "9" * 18 + ":", "at_least.ahead"),
        ("elsewhere:1:0", "at_least.not_read_here"),
        ("others:1:12", "at_least.not_read_here"),
        ("others:1:", "at_least.malformed"),
        ("others:1", "at_least.malformed"),
        ("notes:7", "at_least.malformed"),
        ("7", "at_least.malformed"),
    ],
)
async def test_what_nothing_will_reach_is_refused_at_once(guards: Guards, token: str, code: str) -> None:
    """A token has three parts; without its partition another service's would wait for what comes by another way."""
    with pytest.raises(Invalid) as refused:
        await waiters_of(guards, Wakeup()).wait(token, "notes_g1", {"log", "others.events.v1"})
    assert (refused.value.code, refused.value.facts["field"]) == (code, "at_least")
    assert guards.reads <= 1


async def test_what_is_to_come_is_looked_for_until_it_is_there_or_the_wait_ends() -> None:
    looks = iter((NotFound("note.unknown"), NotFound("note.unknown"), None))
    held = Slots("waits", Share(1, 1, 1))

    async def read() -> str:
        fault = next(looks)
        if fault is not None:
            raise fault
        return "there"

    hold = partial(held.hold, Actor("ann", "acme", frozenset()))
    stream = f"note-{new_id()}"
    assert await until_there(read, stream, hold) == "there"

    async def missing() -> str:
        raise NotFound("note.unknown")

    with pytest.raises(Pending) as pending:
        await until_there(missing, stream, hold, limit_s=0.0)
    assert (pending.value.code, pending.value.facts["stream"]) == ("note.pending", stream)
    with hold(), pytest.raises(Exhausted):
        await until_there(missing, stream, hold)


ONE = "018f3a10-0000-7000-8000-0000000000b7"


@pytest.mark.parametrize(
    ("token", "stream"),
    [
        (f"campaigns:7:3:review-{ONE}", f"review-{ONE}"),
        (f"campaigns:7::review-{ONE}", f"review-{ONE}"),
        ("campaigns:7:3", ""),
        ("campaigns:7:", ""),
        ("campaigns:7:3:review-1", ""),
        (f"campaigns:7:review-{ONE}", ""),
        ("", ""),
    ],
)
def test_a_token_may_name_what_its_command_leads_to(token: str, stream: str) -> None:
    assert coming(token) == stream
