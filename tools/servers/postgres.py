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
from tools.servers.places import Folder, Kept, cache, free_port, made_once, whole_copy
from tools.servers.run import Elsewhere, NoServer, Process, Runner, until
from tools.servers.server import Server, chosen
from tools.speed import patience

if TYPE_CHECKING:
    import asyncpg

VARIABLE = "DANDELION_TEST_POSTGRES"
SUPERUSER = "postgres"
INITDB_S = 120
FLAGS = f"--auth=trust --username={SUPERUSER} --encoding=UTF8 --locale=C --no-sync"
SETTINGS = {"max_connections": "500", "fsync": "on", "timezone": "UTC", "listen_addresses": "127.0.0.1"}
"""A role in a process of its own takes up to twice `POOL_SIZE` connections, and `up` starts 25 such processes."""
OUTSIDE = Path("/var/lib/dandelion")
"""Data of servers that root keeps, as PostgreSQL runs as another user then."""
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

    async def has_database(self, name: str) -> bool:
        link = await self._linked()
        try:
            return bool(await link.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", name))
        finally:
            await link.close()

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


def bring(say: Say, *, ours: bool = False, kept: Kept | None = None) -> PostgresServer:
    """From the environment, a container, or this machine, whichever works first; NoServer with every reason.

    `ours` passes over the environment's, for those who want to hurt it. `kept`: its data outlives it there.
    """
    if os.environ.get(VARIABLE) and not ours:
        return given(os.environ[VARIABLE])
    return chosen({"container": lambda: contained(say, kept), "own": lambda: own(say, kept)}, kept)


def given(dsn: str) -> PostgresServer:
    """A server that others run (its user must be allowed to make databases); NoServer when it does not answer."""
    base = dsn.replace("postgresql+asyncpg://", "postgresql://", 1)
    server = PostgresServer(Elsewhere("the given PostgreSQL"), f"given by {VARIABLE}", "?", base)
    until(server.answers, server.runner, f"the server of {VARIABLE}", timeout_s=15)
    return server


def contained(say: Say, kept: Kept | None = None) -> PostgresServer:
    """The official image in a Docker engine."""
    port = kept.port if kept else free_port()
    runner = containers.postgres(port, {**SETTINGS, "listen_addresses": "*"}, kept.name() if kept else "")
    base = f"postgresql://{SUPERUSER}@127.0.0.1:{port}"
    return _started(PostgresServer(runner, f"container {containers.POSTGRES_IMAGE}", "", base), say)


def own(say: Say, kept: Kept | None = None) -> PostgresServer:
    """This machine's binaries: in a temporary folder on a free port, or where its data is kept; as user postgres when we are
    root."""
    binaries, user = postgres_binaries(say), _user()
    temporary = None if kept else Folder("postgres")
    folder = _reachable(kept, user) if kept else temporary.path if temporary else Path()
    try:
        data, port = folder / "data", kept.port if kept else free_port()
        _initialize(binaries, data, user)
        settings = {**SETTINGS, "port": str(port), "unix_socket_directories": "" if kept else str(data)}
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        command = [str(binaries / "postgres"), "-D", str(data), *flags]
        runner = Process(command, folder / "server.log", user, death_signal=signal.SIGQUIT)
        base = f"postgresql://{SUPERUSER}@127.0.0.1:{port}"
        return _started(PostgresServer(runner, f"this machine's {binaries}", "", base, data, temporary), say)
    except BaseException:
        if temporary:
            temporary.close()
        raise


def _reachable(kept: Kept, user: str | None) -> Path:
    """The folder itself; for root a link to one that user postgres may enter, as it may not enter root's own folders.

    What an earlier link of the same name led to goes when the link is gone: it was removed with all that belonged to it.
    """
    if user is None:
        kept.folder.mkdir(parents=True, exist_ok=True)
        return kept.folder
    place = OUTSIDE / kept.name()
    if not kept.folder.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        kept.folder.parent.mkdir(parents=True, exist_ok=True)
        kept.folder.symlink_to(place)
    for folder in (place.parent, place):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    return place


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
    """A copy of the cluster that initdb made for the first server of this machine, unless data is there already; both are
    the user's alone."""
    if data.exists():
        return
    data.parent.chmod(0o755)

    def fill(folder: Path) -> None:
        with Folder("postgres-first") as place:
            _initdb(binaries, place / "data", user)
            shutil.copytree(place / "data", folder / "data")

    version = hashlib.sha256(f"{binaries} {FLAGS} {(binaries / 'initdb').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    whole_copy(made_once(cache() / f"postgres-{version}", fill) / "data", data, lambda copy: _give(copy, user))


def _give(folder: Path, user: str | None) -> None:
    if user:
        for path in (folder, *folder.rglob("*")):
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
