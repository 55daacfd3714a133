"""What discovery does in the world for its own events: deletes the key and texts of who is to be forgotten."""

from collections.abc import Sequence
from typing import Any

from kernel.adapters.bus import PARTITIONS
from kernel.core.decider import Meta
from kernel.core.events import Delivered
from kernel.core.ids import derived_id, is_id, partition_of, stream_id
from kernel.eventlog.commands import QueuedCommand
from kernel.host.app import App
from kernel.processors.erasing import ACTOR, erasing
from kernel.processors.processes import Effect
from services.discovery.domain.commands import ForgetCreator
from services.discovery.domain.events import CreatorForgotten


def effects(app: App) -> list[Effect]:
    """Every effect of discovery: key, texts, accounts and the events that say so go in one transaction."""

    async def scrub(incoming: Delivered[Any]) -> None:
        """Once the read model has dropped the person, the store drops its copies of the rows before."""
        partition = partition_of(incoming.stream, PARTITIONS)
        await app.at_least(f"{app.service.name}:{incoming.position}:{partition}", "creators")
        await app.database.scrub()

    erase = erasing(lambda: app.personal, app.writer, _forget)
    return [erase, Effect("scrub", (CreatorForgotten,), scrub)]


def _forget(subject: str, event_id: str) -> Sequence[QueuedCommand]:
    """The creator's own part of an erasure; others who are erased are no creators."""
    if not is_id(subject):
        return ()
    meta = Meta(derived_id("forgotten", event_id), ACTOR)
    return (QueuedCommand(stream_id("creator", subject), ForgetCreator(), meta),)
