"""What must hold when the faults are over: each check names its invariant, counts what it looked at, and says what is wrong."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

import sqlalchemy as sa

from cli.commands.lag import rows as lag_rows
from cli.story import money
from cli.story.heard import Heard
from cli.story.market import Unexpected
from kernel.core.check import Check, CheckResult
from kernel.core.faults import Fault
from kernel.core.ids import command_id
from kernel.host.app import App
from kernel.verify.invariants import check_service
from soak.load import Load, Told
from tools.speed import patience

QUIET_S = 120.0
LOOK_EVERY_S = 0.5
SHOWN = 5


async def quiet(apps: Sequence[App], within_s: float = QUIET_S) -> None:
    """Until no relay and no reader is behind; Unexpected with who is when the time is over."""
    behind: list[str] = []
    try:
        async with asyncio.timeout(patience(within_s)):
            while True:
                try:
                    found = [(app.service.name, row) for app in apps for row in await lag_rows(app)]
                    behind = [f"{name} {row[0]} {row[2]} behind in {row[1]}" for name, row in found if row[2]]
                    if not behind:
                        return
                except Fault as fault:
                    behind = [str(fault)]
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        raise Unexpected(f"not quiet after {patience(within_s):.0f} s: {'; '.join(behind)}") from None


async def check_all(apps: Sequence[App], load: Load) -> list[CheckResult]:
    """Every invariant of every service, as `dandelion verify --deep` looks at them; then from one end to the other."""
    found = [one for app in apps for one in await check_service(app)]
    told = load.caller.told
    found += [await told_is_in_the_log(app, [one for one in told if one.service == app.service.name]) for app in apps]
    found += [await heard_once(app, load.heard) for app in apps]
    found.append(await _asked("escrows_released_or_returned", lambda: _escrows(load)))
    found.append(await _asked("debits_equal_credits", lambda: _balance(load)))
    found.append(await _asked("ledger_verifies", lambda: _verify(load)))
    found.append(await _asked("returns_are_what_was_sent_and_paid", load.returns))
    return found


async def told_is_in_the_log(app: App, told: Sequence[Told]) -> CheckResult:
    """Each command that was told ok stands in the log once, and ends where its receipt says."""
    events = app.metadata.tables["log_events"]
    query = sa.select(events.c.position, events.c.stream, events.c.version, events.c.command)
    async with app.database.reading() as connection:
        stored = (await connection.execute(query)).all()
    at = {row.position: (row.stream, row.version) for row in stored}
    times = Counter((row.stream, row.command) for row in stored if row.command)
    check = Check("told_is_in_the_log_once")
    for one in told:
        count, found = times[one.stream, command_id(one.tenant, one.actor, one.stream, one.key)], at.get(one.position)
        check.that(count == 1, f"{one.stream} under key {one.key} stands {count} times in the log")
        if found != (one.stream, one.version):
            check.fail(f"{one.stream}@{one.version} was told to be at {one.position}, where {found} is")
    return replace(check.result(), service=app.service.name)


async def heard_once(app: App, heard: Heard) -> CheckResult:
    """The subscriber heard every public event, none of them twice (that would have ended it), and nothing else."""
    events = app.metadata.tables["log_events"]
    query = sa.select(events.c.stream, events.c.version).where(events.c.partition.is_not(None))
    async with app.database.reading() as connection:
        public = {f"{row.stream}@{row.version}" for row in (await connection.execute(query)).all()}
    found = heard.ids(app.service.name)
    problems = [f"{id_} was not heard" for id_ in _some(public - found)]
    problems += [f"{id_} was heard and is in no log" for id_ in _some(found - public)]
    return CheckResult("public_events_heard_once", len(public), problems, app.service.name)


def _some(ids: Iterable[str]) -> list[str]:
    return sorted(ids)[:SHOWN]


async def _asked(invariant: str, ask: Callable[[], Awaitable[int]]) -> CheckResult:
    try:
        return CheckResult(invariant, await ask(), [], "end to end")
    except Unexpected as problem:
        return CheckResult(invariant, 0, [str(problem)], "end to end")


async def _escrows(load: Load) -> int:
    return len(money.escrows(load.heard))


async def _balance(load: Load) -> int:
    return len((await money.trial_balance(load.caller, load.heard)).rows)


async def _verify(load: Load) -> int:
    return sum(check.checked for check in (await money.verify(load.caller)).checks)
