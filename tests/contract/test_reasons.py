"""Why a record is parked holds no value of a row, whatever the database or a library says."""

import pytest
import sqlalchemy as sa
import yaml

from kernel.adapters.database import Database
from kernel.core.faults import Poison
from kernel.streams.parked import reason_of

SECRET = "eve@example.com"


async def _meets(store: Database, sql: str) -> Exception:
    with pytest.raises(sa.exc.DBAPIError) as met:
        async with store.transaction() as connection:
            await connection.execute(sa.text(sql))
    return met.value


async def test_a_broken_constraint_is_named_without_the_row(store: Database) -> None:
    """PostgreSQL says `DETAIL: Key (stream, name)=(eve@example.com, a) already exists.`"""
    row = f"INSERT INTO deadlines (stream, name, due_at, command, data) VALUES ('{SECRET}', 'a', '2026-11-20', 'c', '')"
    async with store.transaction() as connection:
        await connection.execute(sa.text(row))
    twice = await _meets(store, row)
    nothing = await _meets(store, f"INSERT INTO leases (name, owner) VALUES ('{SECRET}', 'a')")
    assert [reason_of(one) for one in (twice, nothing) if SECRET in reason_of(one)] == []
    assert all("IntegrityError" in reason_of(one) for one in (twice, nothing))
    if store.is_shared:
        assert SECRET in str(twice), "the driver's own text has it, so leaving it out proves something"
        assert "sqlstate=23505 constraint_name=deadlines_pkey table_name=deadlines" in reason_of(twice)
        assert "sqlstate=23502 table_name=leases column_name=until" in reason_of(nothing)


async def test_a_value_that_the_database_cannot_read_is_not_quoted(store: Database) -> None:
    if store.is_shared:
        met = await _meets(store, f"SELECT CAST('{SECRET}' AS integer)")
        assert SECRET in str(met)
        assert SECRET not in reason_of(met)
        assert "sqlstate=22P02" in reason_of(met)


def test_of_what_a_library_raises_our_own_line_is_told() -> None:
    """Where the library is at fault itself says little; who called it with what says more."""
    with pytest.raises(yaml.YAMLError) as met:
        yaml.safe_load(f"{SECRET}: [")
    assert "site-packages" in str(met.traceback[-1].path), "the innermost frame is the library's"
    assert "test_reasons.py:" in reason_of(met.value)
    assert SECRET not in reason_of(met.value)


def test_of_a_bug_the_line_is_told_and_of_a_fault_its_facts() -> None:
    with pytest.raises(ValueError) as met:
        int(SECRET)
    assert reason_of(met.value).startswith("ValueError at ")
    assert "test_reasons.py:" in reason_of(met.value)
    assert SECRET not in reason_of(met.value)
    assert reason_of(Poison("event.malformed", field="url")) == "Poison: event.malformed (field=url)"
