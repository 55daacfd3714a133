"""A service's database as an administrator prepares it: the owner may not make roles, the service may not alter tables."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from kernel.adapters.opening import database_at
from kernel.core.ids import new_id
from kernel.host.migrate import migrate
from services.compliance.wiring import SERVICE
from tools.servers import PostgresServer

PREPARED = """
CREATE ROLE "{0}_owner" LOGIN; CREATE ROLE "{0}_writer"; CREATE ROLE "{0}_query";
CREATE ROLE "{0}_app" LOGIN NOINHERIT IN ROLE "{0}_writer", "{0}_query";
CREATE DATABASE "{0}" OWNER "{0}_owner";
"""


@pytest.fixture
async def prepared(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """The name of a prepared service, whose database is empty."""
    name = f"svc{new_id()[-10:]}"
    admin = await asyncpg.connect(postgres_server.dsn())
    for statement in PREPARED.format(name).strip().split(";"):
        if statement.strip():
            await admin.execute(statement)
    yield name
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    for role in ("owner", "app", "writer", "query"):
        await admin.execute(f'DROP ROLE "{name}_{role}"')
    await admin.close()


def as_user(server: PostgresServer, user: str, database: str) -> str:
    return server.url(database).replace("postgres@", f"{user}@", 1)


async def test_an_owner_without_the_right_to_make_roles_migrates_and_the_service_appends(
    postgres_server: PostgresServer, prepared: str
) -> None:
    owner = database_at(as_user(postgres_server, f"{prepared}_owner", prepared), SERVICE.metadata())
    for _ in range(2):
        await migrate(prepared, owner, Path(SERVICE.migrations), SERVICE.projections)
    await owner.close()
    url = as_user(postgres_server, f"{prepared}_app", prepared).replace("postgresql+asyncpg", "postgresql")
    app = await asyncpg.connect(url, server_settings={"role": f"{prepared}_writer"})
    try:
        await app.execute("UPDATE log SET head = head + 1")
        for refused in ("DELETE FROM log_events", "UPDATE log_events SET name = ''", "DROP TABLE log"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(refused)
        await app.execute(f'SET ROLE "{prepared}_query"')
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("SELECT * FROM log_events")
    finally:
        await app.close()
