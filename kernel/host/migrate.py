"""Role `migrate`: upgrades to the newest Alembic revision, then makes database roles, grants, read models and row-level security.

The owner of the database runs it. The other roles connect as `<service>_writer`, which may not alter tables.
"""

import ast
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.faults import Internal
from kernel.processors.generations import make_first
from kernel.processors.grants import protection, rights
from kernel.processors.projector import Projection

_STANDS_AT = sa.text("SELECT version_num FROM alembic_version")


async def migrate(service: str, database: Database, migrations: Path, projections: Sequence[Projection]) -> None:
    """Upgrades the database in one transaction, under an advisory lock: of several processes one upgrades, the others wait."""
    async with database.transaction() as connection:
        await database.lock_upgrade(connection, service)
        await connection.run_sync(_upgrade, migrations)
        await database.grant(connection, rights(service, database.metadata))
        for projection in projections:
            found = await make_first(connection, database, projection)
            await database.grant(connection, protection(service, projection, found.generation))


def _upgrade(connection: sa.Connection, migrations: Path) -> None:
    from alembic.config import Config  # imported here: takes a quarter of a second, and no other role needs Alembic
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=lambda rev, _: script._upgrade_revs("head", rev)) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()


def head_revision(migrations: Path) -> str:
    """Head revision: the one that no other revision names as its `down_revision`; ValueError unless there is exactly one."""
    found = [_revisions(file) for file in sorted((migrations / "versions").glob("*.py"))]
    (head,) = {revision for revision, _ in found} - {down for _, down in found}
    return str(head)


def _revisions(file: Path) -> tuple[object, object]:
    """`revision` and `down_revision` of a migration, from its syntax tree: a start-up check must not run migrations."""
    assigned = {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in ast.parse(file.read_text()).body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
        if statement.targets[0].id in {"revision", "down_revision"}
    }
    return assigned["revision"], assigned["down_revision"]


async def check_revision(database: Database, migrations: Path) -> None:
    """Raises Internal `database.wrong_revision` unless the database stands at the code's head revision."""
    found, expected = await _revision(database), head_revision(migrations)
    if found != expected:
        raise Internal("database.wrong_revision", found=found, expected=expected, do="run the migrate role")


async def _revision(database: Database) -> str | None:
    """The database's revision in one statement: readiness asks every second. The tables are listed only where it fails."""
    try:
        async with database.reading() as connection:
            found: str | None = (await connection.execute(_STANDS_AT)).scalar()
            return found
    except sa.exc.DBAPIError:
        async with database.reading() as connection:
            if "alembic_version" in await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()):
                raise
        return None
