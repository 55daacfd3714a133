"""Republish: sends a topic's messages again from the log, beside a running relay, after the topic lost records or was recreated.

Every message is sent once more, chained from position 0; readers skip the positions that they know. At the end the relay's
checkpoint is set back by one event. A round that the relay has under way is then refused, and the messages that the relay sent
meanwhile come once more, behind the republished ones. So a reader before a hole gets all missing messages, in order.
"""

from collections.abc import Callable

import sqlalchemy as sa

from kernel.adapters.bus import Bus
from kernel.adapters.database import Database
from kernel.core.faults import Invalid
from kernel.eventlog.log import StoredLog
from kernel.streams.relay import ROUND_EVENTS, SEND_DEADLINE_S, Checkpoint, Relay

Progress = Callable[[int, int], None]
"""`(position, last position)` after each round."""


async def republish_topic(
    relay: Relay, log: StoredLog, bus: Bus, topic: str, progress: Progress = lambda _at, _end: None
) -> int:
    """Sends the log's messages for one topic again and returns their count. After Unavailable call it again: it starts over."""
    end = (await relay.checkpoint()).position - 1
    at, sent, producer = Checkpoint(), 0, await bus.producer()
    try:
        while at.position < end:
            made = relay.build_round(await log.read(at.position, ROUND_EVENTS, upto=end), at)
            batches = {where: messages for where, messages in made.batches.items() if where[0] == topic}
            if batches:
                await producer.send(batches, SEND_DEADLINE_S)
            at, sent = made.checkpoint, sent + sum(map(len, batches.values()))
            progress(at.position, end)
    finally:
        await producer.close()
    await relay.rewind(at)
    return sent


def check_topic(service: str, topic: str) -> None:
    """Raises Invalid `topic.not_from_a_log` for a topic that no relay sends to: only a relay's messages are in a log."""
    if topic != f"{service}.events.v1" and not topic.endswith(".commands.v1"):
        raise Invalid("topic.not_from_a_log", topic=topic, service=service)


async def is_past_end(database: Database, bus: Bus, topic: str) -> bool:
    """True if a guard of this database is past the topic's end, which means that the topic was recreated."""
    guards, ends = database.metadata.tables["guards"], await bus.end_offsets([topic])
    query = sa.select(guards.c.partition, guards.c.next_offset).where(guards.c.source == topic)
    async with database.reading() as connection:
        return any(row[1] > ends.get((topic, row[0]), 0) for row in (await connection.execute(query)).all())


async def reset_guards(database: Database, topic: str) -> int:
    """Resets this database's guards to the topic's start and returns how many guards moved.

    `last_position` stays, so that consumers skip repeats. A running consumer fails to move its guard once, then loads it.
    """
    guards = database.metadata.tables["guards"]
    async with database.transaction() as connection:
        moved = await connection.execute(sa.update(guards).where(guards.c.source == topic).values(next_offset=0))
    return moved.rowcount
