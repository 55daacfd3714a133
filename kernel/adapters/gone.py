"""How libraries say, by mistake or in passing, that the other side is gone. Kafka's and SQLAlchemy's own errors are not here."""

import asyncio


def is_stray(error: BaseException | None) -> bool:
    """A CancelledError that nobody asked this task for: it comes out of a library's own cancelled future.

    A task group takes it for an orderly end, so a loop that let it pass would be gone without a word.
    """
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and not task.cancelling()


def is_closed_handle(error: BaseException | None) -> bool:
    """uvloop's word for writing to a connection that was closed meanwhile: a plain RuntimeError, not an OSError."""
    return isinstance(error, RuntimeError) and "the handler is closed" in str(error)
