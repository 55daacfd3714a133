"""Grants of a service's two database roles, as SQL statements, and row-level security on read models.

`<service>_writer` may append to the log and move its head, and may not change an event. `<service>_query` may read read
models. `Database.grant` executes the statements on a database that has roles.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from kernel.processors.projector import Projection, physical


def roles_of(service: str) -> tuple[str, str]:
    return f"{service}_writer", f"{service}_query"


def rights(service: str, metadata: sa.MetaData) -> Iterator[str]:
    """Statements that create both roles and grant them their rights on the service's own tables."""
    for role in roles_of(service):
        yield _create_role(role)
        yield f'GRANT USAGE ON SCHEMA public TO "{role}"'
    for name in metadata.tables:
        may = {"log_events": "SELECT, INSERT", "log": "SELECT, UPDATE"}.get(name, "SELECT, INSERT, UPDATE, DELETE")
        yield f'GRANT {may} ON "{name}" TO "{service}_writer"'
    yield f'GRANT SELECT ON alembic_version TO "{service}_writer"'
    yield f'GRANT SELECT ON guards TO "{service}_query"'


def _create_role(role: str) -> str:
    """Creates a role unless it exists, so with roles made by an administrator the owner needs no right to create any.

    An error that the role exists is ignored, because another service may create it at the same time.
    """
    exists = f"EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
    create = f'BEGIN CREATE ROLE "{role}" NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END'
    return f"DO $$ BEGIN IF NOT {exists} THEN {create}; END IF; END $$"


def protection(service: str, projection: Projection, generation: int) -> Iterator[str]:
    """Grants rights on one generation and its views, and switches row-level security on where rows carry `readers`."""
    for table in projection.tables:
        copy = physical(table, generation).name
        yield f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{copy}" TO "{service}_writer"'
        yield f'GRANT SELECT ON "{copy}", "{table.name}" TO "{service}_query"'
        yield f'GRANT SELECT ON "{table.name}" TO "{service}_writer"'
        yield f'ALTER VIEW "{table.name}" SET (security_invoker = true)'
        if "readers" in table.columns:
            yield from _row_security(service, copy)


def _row_security(service: str, table: str) -> Iterator[str]:
    setting = (
        "nullif(current_setting('app.readers', true), '')"  # PostgreSQL leaves it empty after a transaction that set it
    )
    readers = f"ARRAY(SELECT jsonb_array_elements_text({setting}::jsonb))"
    yield f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY'
    yield f'DROP POLICY IF EXISTS readers ON "{table}"'
    yield f'DROP POLICY IF EXISTS writer ON "{table}"'
    yield f'CREATE POLICY readers ON "{table}" FOR SELECT TO "{service}_query" USING (readers ?| {readers})'
    yield f'CREATE POLICY writer ON "{table}" TO "{service}_writer" USING (true) WITH CHECK (true)'
