"""Each mechanism switched off in a real process turns its fault test red, as tests/contract/test_mutations.py does in one.

A switch is a patch that a toy makes of itself at start (`TOY_SWITCH`); beside it stands the fault that must then be seen.
"""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kernel.adapters import disconnects
from kernel.adapters.postgres.database import PostgresDatabase
from kernel.core.clock import system_clock
from kernel.eventlog import backpressure
from kernel.eventlog.postgres_log import PostgresLog
from kernel.processors import reactor
from kernel.runtime import roles
from kernel.runtime.health import Health
from tests.integration.test_clock_skew import HOUR_S, run_skewed
from tests.integration.test_disk_full import SQLITE_MB, full_and_freed
from tests.integration.test_hung import drained_while_hung
from tests.kit.disk import small_disk
from tests.kit.frozen import freeze
from tests.kit.toys import Load, Toys, holds, make_toys
from tests.kit.until import within

RED_S = 8.0
CONTRACT = "tests.contract.test_mutations"
HERE = "tests.integration.test_mutations_faults"
Fault = Callable[[Toys, str], Awaitable[None]]


def machine_time(patch: pytest.MonkeyPatch) -> None:
    """Leases and deadlines go by the machine's clock."""

    async def now(*_: object) -> Any:
        return system_clock()

    patch.setattr(PostgresLog, "now", now)
    patch.setattr(PostgresDatabase, "time", now)


def full_disk_is_a_bug(patch: pytest.MonkeyPatch) -> None:
    """A full disk is not told from a broken constraint."""
    patch.setattr(disconnects, "is_lost", lambda _: False)


def never_too_far_behind(patch: pytest.MonkeyPatch) -> None:
    """Commands are taken however far the relay is behind."""
    patch.setattr(backpressure.Backpressure, "check", lambda _: None)


def never_cancelled(patch: pytest.MonkeyPatch) -> None:
    """A drain waits for each role as long as it takes, and a call outside may take as long."""
    run = roles.run

    async def patient(given: Sequence[roles.Role], health: Health | None = None) -> int:
        return await run([replace(role, deadline_s=3_600) for role in given], health, drain_limit_s=3_600)

    patch.setattr(roles, "run", patient)
    patch.setattr(reactor, "CALL_LIMIT_S", 3_600)
    patch.setattr(reactor, "HOLD_S", 3_600)


async def killed(toys: Toys, point: str, switch: str) -> None:
    """As test_crash, at one point."""
    dying = toys.start(TOY_POINT=f"kill {point} 4", TOY_SWITCH=switch)
    async with within(3 * RED_S):
        await toys.clients.send_until(lambda: dying.poll() is not None)
    assert dying.poll() == -signal.SIGKILL
    toys.env["TOY_SWITCH"] = switch
    await toys.settle(RED_S)


async def frozen(toys: Toys, name: str, **variables: str) -> None:
    await freeze(toys, name, RED_S, **variables)
    await toys.settle(RED_S)


async def zombie_writer(toys: Toys, switch: str) -> None:
    """It wakes with a decision on what others have changed since; what comes of it is seen when all has settled."""
    await freeze(toys, "writer before its transaction", TOY_SWITCH=switch)
    await toys.settle()


async def unrelayed(toys: Toys, switch: str) -> None:
    """No relay runs, which is what a broker that is gone comes to."""
    toys.start("rest", TOY_SWITCH=switch, DANDELION_RELAY_LAG_LIMIT_EVENTS="50")
    async with Load(toys.clients):
        await holds(lambda: toys.clients.refused["relay.behind"] > 0, RED_S)


REPEATED = "fault:internal|command.breaks_constraint"
"""The unique key objected to an id that was not looked up: to a caller's command, or to one that is parked for it."""
UNSENT = "topic|requests_sent"
"""The log has an event, or a request to another service, that the topic has not."""
ON_SQLITE: list[tuple[str, Fault, str]] = [
    (f"{CONTRACT}:checkpoint_before_ack", lambda toys, off: killed(toys, "sent, checkpoint moved", off), UNSENT),
    (f"{CONTRACT}:id_lookup_off", lambda toys, off: killed(toys, "committed, not answered", off), REPEATED),
    (f"{HERE}:never_too_far_behind", unrelayed, "^$"),
    (f"{HERE}:never_cancelled", lambda toys, off: drained_while_hung(toys, RED_S, TOY_SWITCH=off), "ended with None"),
]
ON_POSTGRES: list[tuple[str, Fault, str]] = [
    (
        f"{CONTRACT}:guard_cas_off",
        lambda toys, off: frozen(toys, "projector before its transaction", TOY_SWITCH=off),
        "sums",
    ),
    (f"{CONTRACT}:head_cas_off", zombie_writer, "inline_totals"),
    ("idle transactions are borne", lambda toys, _: frozen(toys, "writer in its transaction", TOY_IDLE_MS="0"), "^$"),
    (f"{HERE}:machine_time", lambda toys, off: run_skewed(toys, HOUR_S, TOY_SWITCH=off), "<= 6.0|timedelta"),
]


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[Toys]:
    made = await make_toys(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'toys.db'}", f"local:///{tmp_path / 'bus.db'}")
    yield made
    await made.close()


async def turns_red(fault: Awaitable[None], sign: str) -> None:
    """For the reason that `sign` matches; a timeout says nothing."""
    with pytest.raises((AssertionError, TimeoutError), match=sign):
        await fault


@pytest.mark.parametrize(("switch", "fault", "sign"), ON_SQLITE, ids=[switch for switch, *_ in ON_SQLITE])
async def test_a_mutant_on_sqlite_is_caught(switch: str, fault: Fault, sign: str, embedded: Toys) -> None:
    await turns_red(fault(embedded, switch), sign)


@pytest.mark.parametrize(("switch", "fault", "sign"), ON_POSTGRES, ids=[switch for switch, *_ in ON_POSTGRES])
async def test_a_mutant_on_postgres_is_caught(switch: str, fault: Fault, sign: str, toys: Toys) -> None:
    await turns_red(fault(toys, switch), sign)


async def test_a_full_disk_taken_for_a_bug_is_caught(tmp_path: Path) -> None:
    with small_disk(SQLITE_MB) as disk:
        store, bus = f"sqlite+aiosqlite:///{disk.path / 'toys.db'}", f"local:///{disk.path / 'bus.db'}"
        toys = await make_toys(tmp_path, store, bus, TOY_SWITCH=f"{HERE}:full_disk_is_a_bug")
        await turns_red(full_and_freed(toys, disk), "fault:internal|ended")
