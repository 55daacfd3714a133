"""What discovery does in the world for its own events: deletes the key and texts of who is to be forgotten."""

from typing import Any

from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered
from kernel.core.ids import derived_id
from kernel.host.app import App
from kernel.processors.processes import SYSTEM, Effect
from services.discovery.domain.erasure import ErasureAsked, RecordErasure
from services.discovery.tables import personal_of


def effects(app: App) -> list[Effect]:
    """Every effect of discovery. At least once: deleting what is gone changes nothing."""
    personal = personal_of(app.settings, app.database)

    async def erase(incoming: Delivered[Any]) -> None:
        await personal.erase(app.database, incoming.event.subject_id)
        meta = Meta(derived_id("erased", incoming.id), Actor("effect:erase", "platform", SYSTEM))
        await app.writer.execute(incoming.stream, RecordErasure(incoming.event.subject_id), meta)

    return [Effect("erase", (ErasureAsked,), erase)]
