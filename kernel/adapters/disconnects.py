"""How libraries say, by mistake or in passing, that the other side is gone. Kafka's and SQLAlchemy's own errors are not here."""

import asyncio

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, TimeoutError

from kernel.core.faults import Unavailable


def is_stray(error: BaseException | None) -> bool:
    """A CancelledError that nobody asked this task for: it comes out of a library's own cancelled future.

    A task group takes it for an orderly end, so a loop that let it pass would be gone without a word.
    """
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and not task.cancelling()


def is_closed_handle(error: BaseException | None) -> bool:
    """uvloop's word for writing to a connection that was closed meanwhile: a plain RuntimeError, not an OSError."""
    return isinstance(error, RuntimeError) and "the handler is closed" in str(error)


class translated:  # noqa: N801 - reads as a clause: `with translated():`
    """Turns every form of a lost or busy database into Unavailable `database.unavailable`; other errors pass."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and is_lost(error):
            raise Unavailable("database.unavailable", why=type(error).__name__) from error


def is_lost(error: BaseException) -> bool:
    """Whether the outcome of the statement is unknown or a retry may succeed (reliability: asyncpg's many forms of it)."""
    if isinstance(error, IntegrityError):
        return False
    if isinstance(error, DBAPIError):
        lost = error.connection_invalidated or isinstance(error, InterfaceError)
        return lost or _is_passing(error.orig) or _sqlite_busy(error)
    if _is_passing(error) or is_closed_handle(error):
        return True
    names = {kind.__name__ for kind in type(error).__mro__}
    driver = {"InternalClientError", "ConnectionDoesNotExistError", "InterfaceError", "ConnectionFailureError"}
    return isinstance(error, OSError | TimeoutError) or not names.isdisjoint(driver)


def _is_passing(error: BaseException | None) -> bool:
    """By SQLSTATE class: connection, login (a password that is being rotated), resources, the server's end, rollback,
    locks, a transaction's state."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    return state[:2] in {"08", "28", "53", "57", "40", "55", "25"}


def _sqlite_busy(error: DBAPIError) -> bool:
    message = str(error.orig)
    return isinstance(error, OperationalError) and any(word in message for word in ("locked", "disk", "full", "I/O"))
