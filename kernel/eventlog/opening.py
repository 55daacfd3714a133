"""The one place that chooses a service's log by the database it lies in."""

from kernel.adapters.database import Database
from kernel.adapters.postgres.database import PostgresDatabase
from kernel.adapters.sqlite.database import SqliteDatabase
from kernel.adapters.vault.event_vault import EventVault
from kernel.core.clock import Clock, system_clock
from kernel.eventlog.log import StoredLog
from kernel.eventlog.postgres_log import PostgresLog
from kernel.eventlog.sqlite_log import SqliteLog


def open_log(database: Database, clock: Clock = system_clock, vault: EventVault | None = None) -> StoredLog:
    """The log of a database. `clock` tells SQLite the time; PostgreSQL asks its server.

    The log of a service is opened with its `vault_of`: without a vault personal fields read as blanks.
    """
    if isinstance(database, PostgresDatabase):
        return PostgresLog(database, vault)
    assert isinstance(database, SqliteDatabase), type(database).__name__
    return SqliteLog(database, clock, vault)
