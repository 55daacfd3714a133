"""PostgreSQL, one server in a temporary folder unless the environment names one; fsync stays on."""

import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from tools.servers import containers
from tools.servers.install import Say, postgres_binaries, told
from tools.servers.places import Folder, cache, free_port, made_once
from tools.servers.run import Elsewhere, NoServer, Process, Runner, until
from tools.servers.server import Server, first_that_works
from tools.speed import patience

if TYPE_CHECKING:
    import asyncpg

VARIABLE = "DANDELION_TEST_POSTGRES"
SUPERUSER = "postgres"
INITDB_S = 120
FLAGS = f"--auth=trust --username={SUPERUSER} --encoding=UTF8 --locale=C --no-sync"
SETTINGS = {"max_connections": "200", "fsync": "on", "timezone": "UTC", "listen_addresses": "127.0.0.1"}
MODES = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class PostgresServer(Server):
    """`dsn(database)` is a `postgresql://` address, `url(database)` the same for SQLAlchemy over asyncpg."""

    name = "PostgreSQL"
    orderly = MODES["fast"]

    def __init__(
        self,
        runner: Runner,
        source: str,
        version: str,
        base: str,
        data: Path | None = None,
        folder: Folder | None = None,
    ) -> None:
        super().__init__(runner, source, version, folder)
        self.base, self.data = base, data

    def address(self) -> str:
        host = urlsplit(self.base)
        return f"{host.hostname}:{host.port or 5432}"

    def dsn(self, database: str = "postgres") -> str:
        return urlunsplit(urlsplit(self.base)._replace(path=f"/{database}"))

    def url(self, database: str = "postgres") -> str:
        return self.dsn(database).replace("postgresql://", "postgresql+asyncpg://", 1)

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """As `pg_ctl stop -m mode`: the signal it sends to the postmaster, waited for."""
        self._end(MODES[mode])

    async def probe(self) -> bool:
        import asyncpg  # imported at its first use: most who import this file start no server

        try:
            link = await asyncpg.connect(self.dsn(), timeout=patience(5))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        try:
            folder = await link.fetchval("SELECT current_setting('data_directory')")
            self.version = (await link.fetchval("SHOW server_version")).split()[0]
        finally:
            await link.close()
        return self.data is None or Path(folder) == self.data

    async def create_database(self, name: str | None = None, template: str = "template1") -> str:
        """Makes a database (a fresh name unless given) as a copy of the template and answers its name."""
        name = name or f"test_{uuid4().hex}"
        await self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    async def drop_database(self, name: str) -> None:
        """Drops it, ending who is still connected; one that does not exist is no error."""
        await self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def end_sessions(self, database: str) -> int:
        """Terminates every backend of a database; how many there were."""
        link = await self._linked()
        try:
            query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1"
            return int(await link.fetchval(query, database))
        finally:
            await link.close()

    async def _admin(self, statement: str) -> None:
        link = await self._linked()
        try:
            await link.execute(statement)
        finally:
            await link.close()

    async def _linked(self) -> "asyncpg.Connection[Any]":
        import asyncpg

        return await asyncpg.connect(self.dsn(), timeout=patience(30))


def bring(say: Say, *, ours: bool = False) -> PostgresServer:
    """From the environment, a container, or this machine, whichever works first; NoServer with every reason.

    `ours` passes over the environment's, for those who want to hurt it.
    """
    if os.environ.get(VARIABLE) and not ours:
        return given(os.environ[VARIABLE])
    return first_that_works([lambda: contained(say), lambda: own(say)])


def given(dsn: str) -> PostgresServer:
    """A server that others run (its user must be allowed to make databases); NoServer when it does not answer."""
    base = dsn.replace("postgresql+asyncpg://", "postgresql://", 1)
    server = PostgresServer(Elsewhere("the given PostgreSQL"), f"given by {VARIABLE}", "?", base)
    until(server.answers, server.runner, f"the server of {VARIABLE}", timeout_s=15)
    return server


def contained(say: Say) -> PostgresServer:
    """The official image in a Docker engine."""
    port = free_port()
    runner = containers.postgres(port, {**SETTINGS, "listen_addresses": "*"})
    base = f"postgresql://{SUPERUSER}@127.0.0.1:{port}"
    return _started(PostgresServer(runner, f"container {containers.POSTGRES_IMAGE}", "", base), say)


def own(say: Say) -> PostgresServer:
    """This machine's binaries, in a temporary folder, on a free port; as user postgres when we are root."""
    binaries, user, folder, port = postgres_binaries(say), _user(), Folder("postgres"), free_port()
    data = folder.path / "data"
    try:
        _initialize(binaries, data, user)
        settings = {**SETTINGS, "port": str(port), "unix_socket_directories": str(data)}
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        command = [str(binaries / "postgres"), "-D", str(data), *flags]
        runner = Process(command, folder.path / "server.log", user, death_signal=signal.SIGQUIT)
        base = f"postgresql://{SUPERUSER}@127.0.0.1:{port}"
        return _started(PostgresServer(runner, f"this machine's {binaries}", "", base, data, folder), say)
    except BaseException:
        folder.close()
        raise


def plan() -> str:
    """What `bring` would use now, without starting or fetching anything."""
    if os.environ.get(VARIABLE):
        return f"the server of {VARIABLE}"
    if containers.engine():
        return f"container {containers.POSTGRES_IMAGE}, else this machine's own"
    try:
        return f"this machine's {postgres_binaries(None)}"
    except NoServer as missing:
        return f"to be installed when a test needs it ({missing})"


def _user() -> str | None:
    return SUPERUSER if os.geteuid() == 0 else None


def _initialize(binaries: Path, data: Path, user: str | None) -> None:
    """A copy of the cluster that initdb made for the first server of this machine; both are the user's alone."""
    data.parent.chmod(0o755)

    def fill(folder: Path) -> None:
        with Folder("postgres-first") as place:
            _initdb(binaries, place / "data", user)
            shutil.copytree(place / "data", folder / "data")

    version = hashlib.sha256(f"{binaries} {FLAGS} {(binaries / 'initdb').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    shutil.copytree(made_once(cache() / f"postgres-{version}", fill) / "data", data)
    if user:
        for path in (data, *data.rglob("*")):
            shutil.chown(path, user)


def _initdb(binaries: Path, data: Path, user: str | None) -> None:
    data.mkdir(mode=0o700)
    if user:
        data.parent.chmod(0o755)
        shutil.chown(data, user)
    command = [str(binaries / "initdb"), "-D", str(data), *FLAGS.split()]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=patience(INITDB_S), user=user, cwd=data, check=False
    )
    if done.returncode:
        raise NoServer(f"initdb failed: {told(done)}")


def _started(server: PostgresServer, say: Say) -> PostgresServer:
    say(f"starting PostgreSQL ({server.source})")
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server
