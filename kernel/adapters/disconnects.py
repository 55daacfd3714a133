"""Disconnects: recognises the many errors by which drivers and event loops report a lost connection or a busy database."""

import asyncio

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, TimeoutError

from kernel.core.faults import Unavailable


def is_stray(error: BaseException | None) -> bool:
    """True for a CancelledError that nobody asked this task for: it comes from a library's own cancelled future.

    A task group takes such an error for an orderly end, so a loop that let the error pass would end silently.
    """
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and not task.cancelling()


def is_closed_handle(error: BaseException | None) -> bool:
    """True for uvloop's error on writing to a connection that was closed meanwhile: a RuntimeError, not an OSError."""
    return isinstance(error, RuntimeError) and "the handler is closed" in str(error)


class translated:  # noqa: N801 - reads as a clause: `with translated():`
    """Context manager that turns every error of a lost or busy database into Unavailable `database.unavailable`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and is_lost(error):
            raise Unavailable("database.unavailable", why=type(error).__name__) from error


def is_lost(error: BaseException) -> bool:
    """True when the outcome of the statement is unknown, or a retry may succeed (asyncpg raises such errors in many forms)."""
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
    """True for SQLSTATE classes of passing errors: connection (08), login while a password is rotated (28), resources (53),
    shutdown (57), rollback (40), locks (55), state of the transaction (25)."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    return state[:2] in {"08", "28", "53", "57", "40", "55", "25"}


def _sqlite_busy(error: DBAPIError) -> bool:
    message = str(error.orig)
    return isinstance(error, OperationalError) and any(word in message for word in ("locked", "disk", "full", "I/O"))
