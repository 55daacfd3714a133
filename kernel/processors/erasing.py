"""Effect of erasures: deletes a subject's key and texts in the transaction that appends the events which say so."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.vault.personal import Personal
from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered
from kernel.core.ids import derived_id
from kernel.core.personal import ErasureAsked, RecordErasure
from kernel.eventlog.commands import QueuedCommand
from kernel.eventlog.writer import Writer
from kernel.processors.processes import SYSTEM, Effect

More = Callable[[str, str], Sequence[QueuedCommand]]
"""Further commands of the same transaction, by subject and id of the event that asks for the erasure."""
ACTOR = Actor("effect:erase", "platform", SYSTEM)


def erasing(personal: Callable[[], Personal], writer: Writer, more: More = lambda subject, event_id: ()) -> Effect:
    """At least once: deleting what is gone changes nothing."""

    async def erase(incoming: Delivered[Any]) -> None:
        subject = incoming.event.subject_id

        async def delete(connection: AsyncConnection) -> bool:
            await personal().erase_in(connection, subject)
            return True

        meta = Meta(derived_id("erased", incoming.id), ACTOR)
        commands = [QueuedCommand(incoming.stream, RecordErasure(subject), meta), *more(subject, incoming.id)]
        for result in await writer.execute_group(commands, delete):
            if result.fault is not None:
                raise result.fault

    return Effect("erase", (ErasureAsked,), erase)
