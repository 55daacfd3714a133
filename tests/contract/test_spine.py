"""One event from command to read model over every store and bus, and one process there and back."""

import asyncio

from kernel.processors.command_consumer import CommandConsumer
from kernel.processors.processes import ProcessRunner
from kernel.processors.scheduler import DeadlineScheduler
from kernel.streams.records import Topic
from tests.contract.conftest import Running
from tests.kit import counter
from tests.kit.counter import Add, Remind


async def test_events_reach_own_and_foreign_read_models(running: Running) -> None:
    await running.project(counter.foreign_sums(running.service))
    running.start(running.relay().run(running.stop))
    streams = [counter.counter() for _ in range(40)]
    for amount in (1, 2, 3):
        await asyncio.gather(*[running.writer.execute(s, Add(amount), counter.meta()) for s in streams])
    await running.until_sums(dict.fromkeys(streams, (6, 3)))


async def test_own_read_model_needs_no_bus(running: Running) -> None:
    await running.project(counter.OWN_SUMS)
    stream = counter.counter()
    for amount in (1, 2, 3):
        await running.writer.execute(stream, Add(amount), counter.meta())
    await running.until_sums({stream: (6, 3)})


async def test_a_process_asks_and_hears_of_refusals(running: Running) -> None:
    """An Added for `echo me` makes the process ask for the same amount elsewhere; a negative total refuses it."""
    await running.project(counter.OWN_SUMS)
    running.start(running.relay().run(running.stop))
    echo = ProcessRunner(counter.ECHO, running.store, running.writer)
    running.start(running.consumer("echo", echo.handle, True, ()).run(running.stop))
    commands = CommandConsumer("commands", running.store, running.writer)
    topic = Topic(f"{running.service}.commands.v1", chained=False)
    running.start(
        running.consumer("commands", commands.handle, False, [topic], counter.decode_command).run(running.stop)
    )
    stream = counter.counter()
    await running.writer.execute(stream, Add(7, "echo me"), counter.meta())
    await running.until_sums({stream: (7, 1), counter.echo_of(stream): (7, 1)})
    await running.writer.execute(counter.counter(), Add(counter.LIMIT - 7), counter.meta())
    await running.writer.execute(stream, Add(5, "echo me"), counter.meta())
    await running.until_names(
        ["counter.added@1"] * 4 + ["echo.requested@1"] * 2 + ["command.refused@1", "echo.refused@1"]
    )


async def test_a_deadline_rings_once(running: Running) -> None:
    running.start(DeadlineScheduler(running.store, running.log, running.writer, counter.CODEC).run(running.stop))
    stream = counter.counter()
    await running.writer.execute(stream, Remind(await running.log.now()), counter.meta())
    await running.until_names(["counter.reminded@1", "counter.rang@1"])
