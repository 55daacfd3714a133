"""What the story left behind is whole in every service and between them; what a service promises of its tables is looked at."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from cli.cross_service_checks import check_across_services
from cli.open_services import open_services
from kernel.host.app import App
from kernel.processors.generations import live_generation
from kernel.processors.projector import physical
from kernel.verify.invariants import CheckResult, broken, check_service
from tests.kit.story import embedded_stores


@pytest.fixture
async def apps(tmp_path: Path) -> AsyncIterator[list[App]]:
    """The services over a copy of the stores of a platform that has told the story and ended."""
    async with open_services(await embedded_stores(tmp_path)) as made:
        yield made


async def found_in(apps: Sequence[App], deep: bool) -> list[CheckResult]:
    found = [one for app in apps for one in await check_service(app, topics=deep, rebuilt=deep)]
    return [*[one for one in found if one.invariant != "deadlines_met"], *await check_across_services(apps)]


async def test_the_story_leaves_every_service_whole(apps: list[App]) -> None:
    found = await found_in(apps, deep=True)
    assert broken(found) == []
    assert len({one.invariant for one in found}) > 50


DAMAGE: dict[str, tuple[str, str, set[str]]] = {
    "a budget": (
        "campaigns", "UPDATE budgets SET committed_minor = committed_minor - 1 WHERE committed_minor > 0",
        {"budgets_agree"},
    ),
    "a minute": ("metrics", "UPDATE {minutes} SET added = added + 1", {"counters_add_up"}),
    "a balance": (
        "ledger", "UPDATE accounts SET credits_posted = credits_posted + 1 WHERE code = 'creator_available'",
        {"accounts_equal_journal"},
    ),
    "an escrow of what is settled": (
        "ledger", "UPDATE escrows SET status = 'held' WHERE status = 'released'",
        {"escrows_equal_journal", "escrow_follows_work"},
    ),
    "work that was paid and goes on": (
        "campaigns", "UPDATE {deliverables} SET stage = 'open' WHERE stage = 'settled'", {"escrow_follows_work"},
    ),
}  # fmt: skip


async def live_tables(app: App) -> dict[str, str]:
    """The tables behind the views, by the views' names."""
    found: dict[str, str] = {}
    for projection in app.service.projections:
        generation = await live_generation(app.database, projection)
        found |= {table.name: physical(table, generation).name for table in projection.tables}
    return found


@pytest.mark.parametrize("what", DAMAGE)
async def test_harm_to_what_a_service_promises_is_named(apps: list[App], what: str) -> None:
    service, statement, wanted = DAMAGE[what]
    app = next(one for one in apps if one.service.name == service)
    tables = await live_tables(app)
    async with app.database.transaction() as connection:
        assert (await connection.execute(sa.text(statement.format(**tables)))).rowcount > 0
    assert {one.invariant for one in await found_in(apps, deep=False) if not one.ok} == wanted
