"""What campaigns does in the world for its own events: deletes the key of who is to be forgotten, and its store's copies."""

from typing import Any

from kernel.core.events import Delivered
from kernel.core.personal import ErasureDone
from kernel.host.app import App
from kernel.processors.erasing import erasing
from kernel.processors.processes import Effect


def effects(app: App) -> list[Effect]:
    """Every effect of campaigns. No read model holds a personal field, so nothing else has to go first."""

    async def scrub(incoming: Delivered[Any]) -> None:
        await app.database.scrub()

    return [erasing(lambda: app.personal, app.writer), Effect("scrub", (ErasureDone,), scrub)]
