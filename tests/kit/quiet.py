"""Waiting until a service has nothing left to do: what is appended is relayed, and every reader stands at the ends."""

import sqlalchemy as sa

from kernel.app import App
from kernel.consume import OWN_LOG
from tests.kit.until import until


async def until_quiet(app: App, limit_s: float = 30) -> None:
    """Returns when it is so twice in a row at one head; for services with no deadline about to strike."""
    before = -1

    async def quiet() -> bool:
        nonlocal before
        head = (await app.log.head()).position
        last, before = before, head if await _caught_up(app, head) else -1
        return last == before == head

    await until(quiet, limit_s)


async def _caught_up(app: App, head: int) -> bool:
    guards, checkpoint = app.metadata.tables["guards"], app.metadata.tables["relay_checkpoint"]
    async with app.database.reading() as connection:
        rows = (await connection.execute(sa.select(guards))).all()
        relayed = (await connection.execute(sa.select(checkpoint.c.position))).scalar_one()
    ends = await app.bus.end_offsets(sorted({row.source for row in rows} - {OWN_LOG})) | {(OWN_LOG, 0): head + 1}
    read = all(row.next_offset >= ends.get((row.source, row.partition), 0) for row in rows)
    return bool(read and relayed == head)
