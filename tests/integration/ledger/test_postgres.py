"""The same ledger over PostgreSQL: the story, the race, paging, row-level security and the proof."""

from pathlib import Path

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.opening import database_at
from kernel.core.decider import Actor
from kernel.eventlog.opening import open_log
from kernel.host.app import App
from kernel.processors.access import reading_as
from kernel.processors.generations import Rebuild
from services.ledger.domain.events import ChainKind
from services.ledger.projections import PROJECTIONS
from tests.integration.ledger import test_books, test_money_bugs, test_story
from tests.integration.ledger.client import running, unique
from tests.kit.generations import dump


async def test_the_ledger_over_postgresql(database_url: str, tmp_path: Path) -> None:
    async with running(tmp_path, database_url=database_url, delay_ms=5) as ledger:
        await test_story.test_a_deliverable_is_funded_released_and_paid_out(ledger)
        await test_story.test_a_cancelled_deliverable_pays_its_kill_fee_and_returns_the_rest(ledger)
        await test_story.test_a_refused_command_is_answered_to_its_requester(ledger)
        await test_money_bugs.test_approve_and_reject_racing_pay_one_side_once(ledger)
        await test_money_bugs.test_accepted_and_then_silence_returns_the_money_by_the_clock(ledger)
        await test_books.test_a_statement_turns_pages_and_a_balance_knows_its_past(ledger)
        await test_books.test_the_trial_balance_balances_and_the_ledger_verifies_over_rpc(ledger)
        await test_books.test_the_bound_in_the_table_is_a_second_lock(ledger)
        assert len(await ledger.chains(ChainKind.PAYOUT_CONFIRMED)) == 1
        await rows_are_hidden_by_the_database_too(ledger.app.database)
        await read_models_can_be_made_anew(ledger.app, database_url)


async def read_models_can_be_made_anew(app: App, database_url: str) -> None:
    """As the database's owner: the service itself may not make tables."""
    owner = database_at(database_url, app.metadata)
    for projection in PROJECTIONS:
        await app.at_least(f"ledger:{(await app.log.head()).position}:", projection.name)
        live = await dump(owner, projection, 1)
        codec, log = app.service.codec, open_log(owner)
        rebuild = Rebuild(projection, owner, log, codec, "ledger", app.bus, lambda _type, _value: None)
        assert await dump(owner, projection, await rebuild.run()) == live
    await owner.close()


async def rows_are_hidden_by_the_database_too(database: Database) -> None:
    """No filter in the query: row-level security alone."""
    stranger = Actor("eve", unique("brand"), frozenset({"brand"}))
    finance = Actor("fay", "platform", frozenset({"finance"}))
    for actor, sees in [(stranger, False), (finance, True)]:
        for table in ("balances", "statement_lines"):
            async with reading_as(database, "ledger", actor) as connection:
                found = (await connection.execute(sa.text(f"SELECT count(*) FROM {table}"))).scalar_one()
            assert bool(found) == sees, table
