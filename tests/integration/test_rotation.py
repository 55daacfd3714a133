"""Secrets are rotated while the ledger runs: its files are read anew, nothing is rebuilt or started again."""

import asyncio
import base64
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import httpx
import pytest

from cli.layout import SERVICES, Layout, Ports, Stores
from kernel.core.ids import new_id
from kernel.host.app import run_migrations
from sandbox.webhooks import sign
from services.ledger.wiring import SERVICE
from tests.kit.until import until
from tools.servers import PostgresServer
from tools.servers.places import free_port
from tools.servers.run import Process
from tools.speed import patience

BODY = {"amount_minor": 100, "currency": "CNY", "instrument": "tok_visa"}
ONLY_WITH_PASSWORDS = "COPY (VALUES ('host all postgres all trust'), ('host all all all scram-sha-256')) TO '{}'"
USERS = """
CREATE ROLE ledger_writer; CREATE ROLE ledger_query;
CREATE ROLE ledger_app LOGIN NOINHERIT PASSWORD 'first' IN ROLE ledger_writer, ledger_query
"""


@dataclass
class Ledger:
    """One running process of the ledger's HTTP edge, whose user must say a password."""

    layout: Layout
    server: PostgresServer
    process: Process
    password: Path
    probes: int
    http: httpx.AsyncClient

    @property
    def webhook_secrets(self) -> Path:
        return self.layout.folder / "webhook.secrets"

    async def ready(self) -> bool:
        """As its probe for readiness says."""
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{self.probes}/healthz/ready")).status_code == 200
        except httpx.TransportError:
            return False

    async def turned_away(self) -> bool:
        return not await self.ready()

    async def deposit(self) -> int:
        """One command's status."""
        headers = {
            "Authorization": f"Bearer {self.layout.issuer().issue('bea', new_id(), 'brand')}",
            "Idempotency-Key": new_id(),
        }
        return (await self.http.put(f"/deposits/{new_id()}", json=BODY, headers=headers)).status_code

    async def accepts(self, secret: str) -> bool:
        """Whether a webhook of that signature counts; it speaks of a transfer that nobody knows."""
        word = b'{"type":"x","data":{"reference":"none","kind":"deposit","status":"pending"}}'
        answer = await self.http.post("/webhooks/psp", content=word, headers=sign(secret, "m1", int(time.time()), word))
        assert answer.status_code in {200, 401}
        return answer.status_code == 200

    async def database_says(self, password: str) -> None:
        """The password of the service's user is another from now on, and all its connections are cut."""
        admin = await asyncpg.connect(self.server.dsn())
        await admin.execute(f"ALTER ROLE ledger_app PASSWORD '{password}'")
        await admin.close()
        await self.server.end_sessions("ledger")


@pytest.fixture
async def ledger(fresh_postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Ledger]:
    layout = await _prepared(fresh_postgres, tmp_path)
    password, probes = tmp_path / "app.password", free_port()
    password.write_text("first\n")
    app = fresh_postgres.url("ledger").replace("postgres@", "ledger_app@", 1)
    told = replace(layout, stores=replace(layout.stores, databases={"ledger": app}),
                   more={"database_password_file": str(password), "ops_port": str(probes)})  # fmt: skip
    command = [sys.executable, "-m", "services.ledger", "rest"]
    process = Process(command, tmp_path / "rest.log", env={**os.environ, **told.environment("ledger")})
    process.start()
    try:
        async with httpx.AsyncClient(base_url=layout.http("ledger"), timeout=patience(60)) as http:
            made = Ledger(layout, fresh_postgres, process, password, probes, http)
            await until(made.ready, 60)
            yield made
    finally:
        process.close()


async def _prepared(server: PostgresServer, folder: Path) -> Layout:
    """A migrated database whose service's user must say its password, and everything else that a ledger is told."""
    await server.create_database("ledger")
    stores = Stores(dict.fromkeys(SERVICES, server.url("ledger")), f"local://{folder / 'bus.db'}")
    layout = Layout.at(folder, Ports.free(free_port), stores)
    admin = await asyncpg.connect(server.dsn())
    for statement in USERS.split(";"):
        await admin.execute(statement)
    await run_migrations(SERVICE, SERVICE.settings.model_validate(layout.settings("ledger")))
    await admin.execute(ONLY_WITH_PASSWORDS.format(await admin.fetchval("SHOW hba_file")))
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()
    return layout


async def test_new_connections_say_the_password_that_the_file_holds_now(ledger: Ledger) -> None:
    """The vault is late: a command that meets the old password waits, and goes through when the file has the new one."""
    assert await ledger.deposit() == 201
    await ledger.database_says("second")
    waiting = asyncio.create_task(ledger.deposit())
    await until(ledger.turned_away)
    ledger.password.write_text("second\n")
    assert await waiting == 201
    await until(ledger.ready)


async def test_two_webhook_secrets_are_valid_until_the_old_line_goes(ledger: Ledger) -> None:
    old, new = (f"whsec_{base64.b64encode(one * 24).decode()}" for one in (b"o", b"n"))
    seen = []
    for lines in ([old], [old, new], [new]):
        ledger.webhook_secrets.write_text("\n".join(lines))
        seen.append((await ledger.accepts(old), await ledger.accepts(new)))
    assert seen == [(True, False), (True, True), (False, True)]
