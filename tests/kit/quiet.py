"""Waiting until a service has nothing left to do: what is appended is relayed, and every reader stands at the ends."""

import sqlalchemy as sa

from kernel.host.app import App
from kernel.streams.records import OWN_LOG
from tests.kit.until import until


async def until_quiet(app: App, limit_s: float = 30) -> None:
    """Returns when it is so twice in a row at one head; for services with no deadline about to strike."""
    before, behind = -1, list[str]()

    async def quiet() -> bool:
        nonlocal before, behind
        head = (await app.log.head()).position
        behind = await _behind(app, head)
        last, before = before, -1 if behind else head
        return last == before == head

    try:
        await until(quiet, limit_s)
    except TimeoutError as late:
        late.add_note(f"{app.service.name}: {', '.join(behind) or 'its head moves on'}")
        raise


async def _behind(app: App, head: int) -> list[str]:
    """Who is not at the end of what it reads, and where."""
    guards, checkpoint = app.metadata.tables["guards"], app.metadata.tables["relay_checkpoint"]
    async with app.database.reading() as connection:
        rows = (await connection.execute(sa.select(guards))).all()
        relayed = (await connection.execute(sa.select(checkpoint.c.position))).scalar_one()
        live = (await connection.execute(sa.select(app.metadata.tables["projections"]))).all()
    rows = [row for row in rows if not any(_was(row.consumer, one.name, one.generation) for one in live)]
    ends = await app.bus.end_offsets(sorted({row.source for row in rows} - {OWN_LOG})) | {(OWN_LOG, 0): head + 1}
    found = [
        f"{row.consumer} at {row.next_offset} of {ends[row.source, row.partition]} in {row.source}/{row.partition}"
        for row in rows
        if row.next_offset < ends.get((row.source, row.partition), 0)
    ]
    return found + ([f"the relay at {relayed} of {head}"] if relayed != head else [])


def _was(consumer: str, projection: str, generation: int) -> bool:
    """Whether it filled a generation that another has taken the place of; nobody reads for it any more."""
    return consumer.startswith(f"{projection}_g") and consumer != f"{projection}_g{generation}"
