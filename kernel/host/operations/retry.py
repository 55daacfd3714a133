"""Retry of a parked key: its events are handled again, in order, by the consumer that parked them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.core.clock import system_clock
from kernel.core.faults import BUGS, Fault, NotFound, Refused
from kernel.host.app import App
from kernel.processors.command_consumer import CommandConsumer
from kernel.processors.generations import live_generation
from kernel.processors.processes import ProcessRunner
from kernel.processors.projector import Projector, consumer_name
from kernel.processors.reactor import Reactor
from kernel.streams.consumer import Consumer
from kernel.streams.parked import reason_of
from kernel.streams.records import Topic

Handler = tuple[Any, Consumer]
"""What handles a consumer's records, and the Consumer that decodes them."""


async def inside_handler(app: App, name: str) -> Handler | None:
    """The handler of a projection, a process or the commands; None for any other name, e.g. an effect's."""
    service = app.service
    for projection in service.projections:
        generation = await live_generation(app.database, projection)
        if consumer_name(projection.name, generation) == name:
            projector = Projector(projection, generation, app.database, app.progress)
            return projector, app.consumer(name, projector.handle, projection.own, projection.topics)
    for process in service.processes:
        if process.name == name:
            runner = ProcessRunner(process, app.database, app.writer)
            return runner, app.consumer(name, runner.handle, process.own, process.topics)
    if name == "commands" and service.decode_command is not None:
        executor = CommandConsumer(name, app.database, app.writer, service.prepare)
        topic = Topic(f"{service.name}.commands.v1", chained=False)
        return executor, app.consumer(name, executor.handle, False, [topic], service.decode_command)
    return None


async def handler(app: App, name: str) -> Handler:
    """The handler behind any consumer's name; raises NotFound `consumer.unknown`. An effect's needs the secrets of its calls."""
    found = await inside_handler(app, name)
    if found is not None:
        return found
    for effect in app.service.effects(app):
        if effect.name == name:
            made = Reactor(effect, app.database)
            return made, app.consumer(name, made.handle, True, ())
    raise NotFound("consumer.unknown", consumer=name, service=app.service.name)


async def retry_key(app: App, consumer: str, key: str) -> int:
    """Handles a key's events in a process that runs the writer; returns how many. 0: the key is an effect's, whose own process
    tries it within a second, as only that process has the secrets of its calls.

    Raises NotFound `parked_key.unknown`, and Refused `parked_key.still_fails` with the reason: the key then stays as it was.
    """
    parked = app.metadata.tables["parked"]
    mine = (parked.c.consumer == consumer) & (parked.c.key == key)
    async with app.database.reading() as connection:
        if (await connection.execute(sa.select(parked.c.key).where(mine).limit(1))).first() is None:
            raise NotFound("parked_key.unknown", consumer=consumer[:200], key=key[:200])
    found = await inside_handler(app, consumer)
    if found is None:
        await _hand_over(app, mine, system_clock())
        return 0
    runner, its_consumer = found
    try:
        handled: int = await runner.retry(key, its_consumer.redecode)
    except (Fault, *BUGS) as error:
        if isinstance(error, Fault) and error.kind == "unavailable":
            raise
        raise Refused("parked_key.still_fails", consumer=consumer, key=key, reason=reason_of(error)) from error
    return handled


async def _hand_over(app: App, mine: sa.ColumnElement[bool], at: datetime) -> None:
    """Makes the key one of those that the effect's own process tries again by itself, due now."""
    async with app.database.transaction() as connection:
        await connection.execute(sa.update(app.metadata.tables["parked"]).where(mine).values(retry_at=at))
