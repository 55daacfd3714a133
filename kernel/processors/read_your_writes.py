"""Read-your-writes: a query with the token of a receipt waits until the read model has applied the receipt's event."""

import asyncio
from collections.abc import Mapping

from kernel.adapters.database import Database
from kernel.core.faults import Invalid, Unavailable
from kernel.runtime.wakeup import Wakeup, wait

_LAST = "SELECT last_position FROM guards WHERE consumer = :consumer AND source = :source AND partition = :partition"
WAIT_LIMIT_S = 5.0
POLL_S = 0.025
"""Interval between two looks at the guard. A projector in this process wakes the waiting query; one in another cannot."""


def parse_token(token: str) -> tuple[str, int, int | None]:
    """Parses a receipt's token into `(service, position, partition)`; raises Invalid `at_least.malformed`."""
    parts = token.split(":")
    if len(parts) != 3 or not parts[1].isdigit() or not (parts[2] == "" or parts[2].isdigit()):
        raise Invalid("at_least.malformed", expected="the token of a receipt")
    return parts[0], int(parts[1]), int(parts[2]) if parts[2] else None


async def wait_for(
    database: Database, service: str, consumer: str, token: str, progress: Wakeup, limit_s: float = WAIT_LIMIT_S
) -> None:
    """Returns when the consumer's guard has reached the token's position; raises Unavailable past `limit_s`."""
    source, position, partition = parse_token(token)
    is_own = source == service
    where: dict[str, str | int] = {
        "consumer": consumer,
        "source": "log" if is_own else f"{source}.events.v1",
        "partition": 0 if is_own else partition or 0,
    }
    woken = progress.listen()
    try:
        async with asyncio.timeout(limit_s):
            while not await _reached(database, where, position):
                woken.clear()
                await wait(woken, POLL_S)
    except TimeoutError:
        raise Unavailable("at_least.not_reached", token=token, retry_after_s=1) from None
    finally:
        progress.leave(woken)


async def _reached(database: Database, where: Mapping[str, str | int], position: int) -> bool:
    found = await database.rows(_LAST, where)
    return bool(found) and found[0][0] >= position
