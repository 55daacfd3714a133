"""What must hold when the faults are over: each check names its invariant, counts what it looked at, and says what is wrong."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from cli.lag import rows as lag_rows
from cli.story import money
from cli.story.heard import Heard
from cli.story.market import Unexpected
from cli.verify import CHECKS
from kernel.app import App
from kernel.errors import Fault
from kernel.ids import command_id
from tests.soak.load import Load, Told

QUIET_S = 120.0
LOOK_EVERY_S = 0.5
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """`looked_at` rows for the invariant; what is wrong with some of them."""

    invariant: str
    looked_at: int
    problems: tuple[str, ...] = ()


async def quiet(apps: Sequence[App], within_s: float = QUIET_S) -> None:
    """Until no relay and no reader is behind; Unexpected with who is when the time is over."""
    behind: list[str] = []
    try:
        async with asyncio.timeout(within_s):
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
        raise Unexpected(f"not quiet after {within_s:.0f} s: {'; '.join(behind)}") from None


async def check_all(apps: Sequence[App], load: Load) -> list[Checked]:
    """Every service's own checks, then those from one end to the other."""
    found = [
        Checked(f"{app.service.name}: {name}", *_result(await check(app)))
        for app in apps
        for name, check in CHECKS.items()
    ]
    told = load.caller.told
    found += [await told_is_in_the_log(app, [one for one in told if one.service == app.service.name]) for app in apps]
    found += [await heard_once(app, load.heard) for app in apps]
    found.append(await _asked("escrows held = released + returned", lambda: _escrows(load)))
    found.append(await _asked("debits equal credits", lambda: _balance(load)))
    found.append(await _asked("the ledger verifies", lambda: _verify(load)))
    found.append(await _asked("returns equal what was sent and paid", load.returns))
    return found


def _result(given: tuple[int, list[str]]) -> tuple[int, tuple[str, ...]]:
    return given[0], tuple(given[1])


async def told_is_in_the_log(app: App, told: Sequence[Told]) -> Checked:
    """Each command that was told ok stands in the log once, and ends where its receipt says."""
    events = app.metadata.tables["log_events"]
    query = sa.select(events.c.position, events.c.stream, events.c.version, events.c.command)
    async with app.database.reading() as connection:
        stored = (await connection.execute(query)).all()
    at = {row.position: (row.stream, row.version) for row in stored}
    times = Counter((row.stream, row.command) for row in stored if row.command)
    problems = []
    for one in told:
        count = times[one.stream, command_id(one.tenant, one.actor, one.stream, one.key)]
        if count != 1:
            problems.append(f"{one.stream} under key {one.key} stands {count} times in the log")
        if at.get(one.position) != (one.stream, one.version):
            problems.append(f"{one.stream}@{one.version} was told to be at {one.position}: {at.get(one.position)}")
    return Checked(f"{app.service.name}: told ok is in the log once", len(told), tuple(problems))


async def heard_once(app: App, heard: Heard) -> Checked:
    """The subscriber heard every public event, none of them twice (that would have ended it), and nothing else."""
    events = app.metadata.tables["log_events"]
    query = sa.select(events.c.stream, events.c.version).where(events.c.partition.is_not(None))
    async with app.database.reading() as connection:
        public = {f"{row.stream}@{row.version}" for row in (await connection.execute(query)).all()}
    found = heard.ids(app.service.name)
    problems = [f"{id_} was not heard" for id_ in _some(public - found)]
    problems += [f"{id_} was heard and is in no log" for id_ in _some(found - public)]
    return Checked(f"{app.service.name}: every public event was heard once", len(public), tuple(problems))


def _some(ids: Iterable[str]) -> list[str]:
    return sorted(ids)[:SHOWN]


async def _asked(invariant: str, ask: Callable[[], Awaitable[int]]) -> Checked:
    try:
        return Checked(invariant, await ask())
    except Unexpected as problem:
        return Checked(invariant, 0, (str(problem),))


async def _escrows(load: Load) -> int:
    return len(money.escrows(load.heard))


async def _balance(load: Load) -> int:
    return len((await money.trial_balance(load.caller, load.heard)).rows)


async def _verify(load: Load) -> int:
    return sum(check.checked for check in (await money.verify(load.caller)).checks)
