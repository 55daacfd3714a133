"""Role `rebuild`: fills read models of a service anew beside the live ones and swaps, as the database's owner."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from kernel.adapters.bus import Bus
from kernel.adapters.database import Database, open_database
from kernel.core.errors import Invalid
from kernel.eventlog.log import Log
from kernel.host.app import Service, open_bus
from kernel.processors.projector import Projection
from kernel.processors.rebuild import Rebuild
from kernel.runtime.settings import Settings

log = logging.getLogger(__name__)

TOLD_SHARE = 0.1
"""Progress is told each tenth."""


async def run_rebuild(service: Service, settings: Settings, names: Sequence[str]) -> None:
    """The named read models, or all; raises Invalid `projection.unknown`. Running projectors follow by themselves."""
    unknown = set(names) - {one.name for one in service.projections}
    if unknown:
        raise Invalid("projection.unknown", projection=", ".join(sorted(unknown)))
    database, bus = open_database(settings, service.metadata()), open_bus(settings.bus_url)
    try:
        for projection in service.projections:
            if not names or projection.name in names:
                generation = await _one(service, projection, database, bus)
                log.info("a read model was filled anew", extra={"projection": f"{projection.name}_g{generation}"})
    finally:
        await database.close()
        await bus.close()


async def _one(service: Service, projection: Projection, database: Database, bus: Bus) -> int:
    made = Rebuild(
        projection, database, Log(database), service.codec, service.name, bus, service.decode or _nothing,
        _telling(projection.name),
    )  # fmt: skip
    return await made.run()


def _nothing(_type: str, _value: bytes) -> Any:
    return None


def _telling(name: str) -> Callable[[int, int], None]:
    """Logs how far it is, each tenth of the way."""
    told = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if total and done / total >= told:
            log.info("filling", extra={"projection": name, "position": done})
            told = done / total + TOLD_SHARE

    return tell
