"""Role `migrate`: Alembic revisions forward, then the read models' first generation, roles, grants and row-level security.

Run by the owner of the database; the services themselves connect as `<service>_writer`, which may not alter anything.
"""

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.clock import system_clock
from kernel.database import Database
from kernel.errors import Internal
from kernel.projector import Projection, physical
from kernel.rebuild import live, prepare


def first_tables(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """What every service's first revision does: its tables, the log's one head row, the relay's checkpoint."""
    metadata.create_all(connection)
    connection.execute(sa.insert(metadata.tables["log"]).values(one=1, head=0, at=system_clock()))
    connection.execute(sa.insert(metadata.tables["relay_checkpoint"]).values(name="relay", position=0, last="{}"))


async def migrate(service: str, database: Database, migrations: Path, projections: Sequence[Projection]) -> None:
    """Applies what is missing; several at once wait for each other and apply it once."""
    async with database.transaction() as connection:
        if not database.is_sqlite:
            lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 1))")
            await connection.execute(lock, {"name": f"migrate {service}"})
        await connection.run_sync(_upgrade, migrations)
    for projection in projections:
        await prepare(database, projection)
    if not database.is_sqlite:
        async with database.transaction() as connection:
            await grant(connection, service, database.metadata)
            for projection in projections:
                found = await live(database, projection)
                await protect(connection, service, projection, found.generation if found else 1)


def _upgrade(connection: sa.Connection, migrations: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=lambda rev, _: script._upgrade_revs("head", rev)) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()


async def check_revision(database: Database, migrations: Path) -> None:
    """Raises Internal `database.wrong_revision` unless the database stands at the code's head revision."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    expected = ScriptDirectory.from_config(config).get_current_head()
    async with database.reading() as connection:
        names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
        found = None
        if "alembic_version" in names:
            found = (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar()
    if found != expected:
        raise Internal("database.wrong_revision", found=found, expected=expected, do="run the migrate role")


async def grant(connection: AsyncConnection, service: str, metadata: sa.MetaData) -> None:
    """`<service>_writer`: appends and moves the head, never changes an event; `<service>_query`: reads read models."""
    for role in (f"{service}_writer", f"{service}_query"):
        await _create_role(connection, role)
        await connection.execute(sa.text(f'GRANT USAGE ON SCHEMA public TO "{role}"'))
    for name in metadata.tables:
        rights = {"log_events": "SELECT, INSERT", "log": "SELECT, UPDATE"}.get(name, "SELECT, INSERT, UPDATE, DELETE")
        await connection.execute(sa.text(f'GRANT {rights} ON "{name}" TO "{service}_writer"'))
    await connection.execute(sa.text(f'GRANT SELECT ON alembic_version TO "{service}_writer"'))
    await connection.execute(sa.text(f'GRANT SELECT ON guards TO "{service}_query"'))


async def _create_role(connection: AsyncConnection, role: str) -> None:
    """Where an administrator has made it, the owner needs no right to make roles; of two at once one finds it made."""
    known = f"EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
    made = f'BEGIN CREATE ROLE "{role}" NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END'
    await connection.execute(sa.text(f"DO $$ BEGIN IF NOT {known} THEN {made}; END IF; END $$"))


async def protect(connection: AsyncConnection, service: str, projection: Projection, generation: int) -> None:
    """Grants on one generation and its views; row-level security where rows carry `readers`."""
    for table in projection.tables:
        copy = physical(table, generation).name
        await connection.execute(sa.text(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{copy}" TO "{service}_writer"'))
        await connection.execute(sa.text(f'GRANT SELECT ON "{copy}", "{table.name}" TO "{service}_query"'))
        await connection.execute(sa.text(f'GRANT SELECT ON "{table.name}" TO "{service}_writer"'))
        await connection.execute(sa.text(f'ALTER VIEW "{table.name}" SET (security_invoker = true)'))
        if "readers" in table.columns:
            await _secure_rows(connection, service, copy)


async def _secure_rows(connection: AsyncConnection, service: str, table: str) -> None:
    readers = "ARRAY(SELECT jsonb_array_elements_text(current_setting('app.readers', true)::jsonb))"
    for statement in (
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'DROP POLICY IF EXISTS readers ON "{table}"',
        f'DROP POLICY IF EXISTS writer ON "{table}"',
        f'CREATE POLICY readers ON "{table}" FOR SELECT TO "{service}_query" USING (readers ?| {readers})',
        f'CREATE POLICY writer ON "{table}" TO "{service}_writer" USING (true) WITH CHECK (true)',
    ):
        await connection.execute(sa.text(statement))
