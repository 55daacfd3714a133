"""What discovery does in the world for its own events: deletes the key and texts of who is to be forgotten."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bus import PARTITIONS
from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered
from kernel.core.ids import derived_id, is_id, partition_of, stream_id
from kernel.eventlog.commands import QueuedCommand
from kernel.host.app import App
from kernel.processors.processes import SYSTEM, Effect
from services.discovery.domain.commands import ForgetCreator
from services.discovery.domain.erasure import ErasureAsked, RecordErasure
from services.discovery.domain.events import CreatorForgotten


def effects(app: App) -> list[Effect]:
    """Every effect of discovery. At least once: deleting what is gone changes nothing."""

    async def erase(incoming: Delivered[Any]) -> None:
        """Key, texts, accounts and the events that say so go in one transaction."""
        subject, actor = incoming.event.subject_id, Actor("effect:erase", "platform", SYSTEM)

        async def delete(connection: AsyncConnection) -> bool:
            await app.personal.erase_in(connection, subject)
            return True

        meta = Meta(derived_id("erased", incoming.id), actor)
        commands = [QueuedCommand(incoming.stream, RecordErasure(subject), meta)]
        if is_id(subject):
            meta = Meta(derived_id("forgotten", incoming.id), actor)
            commands.append(QueuedCommand(stream_id("creator", subject), ForgetCreator(), meta))
        for result in await app.writer.execute_group(commands, delete):
            if result.fault is not None:
                raise result.fault

    async def scrub(incoming: Delivered[Any]) -> None:
        """Once the read model has dropped the person, the store drops its copies of the rows before."""
        partition = partition_of(incoming.stream, PARTITIONS)
        await app.at_least(f"{app.service.name}:{incoming.position}:{partition}", "creators")
        await app.database.scrub()

    return [Effect("erase", (ErasureAsked,), erase), Effect("scrub", (CreatorForgotten,), scrub)]
