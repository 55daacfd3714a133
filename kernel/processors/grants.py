"""Rights on PostgreSQL: two roles of each service, what they may do, and row-level security on read models."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.processors.projector import Projection, physical


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
    said = "nullif(current_setting('app.readers', true), '')"  # empty in a session that was told it in a transaction before
    readers = f"ARRAY(SELECT jsonb_array_elements_text({said}::jsonb))"
    for statement in (
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'DROP POLICY IF EXISTS readers ON "{table}"',
        f'DROP POLICY IF EXISTS writer ON "{table}"',
        f'CREATE POLICY readers ON "{table}" FOR SELECT TO "{service}_query" USING (readers ?| {readers})',
        f'CREATE POLICY writer ON "{table}" TO "{service}_writer" USING (true) WITH CHECK (true)',
    ):
        await connection.execute(sa.text(statement))


async def has_roles(connection: AsyncConnection, service: str) -> bool:
    """Whether the service's roles have been made (by `migrate`, on PostgreSQL)."""
    if connection.dialect.name != "postgresql":
        return False
    found = sa.text("SELECT count(*) FROM pg_roles WHERE rolname IN (:writer, :query)")
    names = {"writer": f"{service}_writer", "query": f"{service}_query"}
    return bool((await connection.execute(found, names)).scalar_one() == 2)
