"""`python -m services.<service> <role>...`: one process of one service; `migrate` and `rebuild` prepare its database and end."""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from kernel.adapters.bus import Bus
from kernel.adapters.database import Database, open_database
from kernel.core.faults import Fault, Invalid
from kernel.eventlog.log import Log
from kernel.host.app import ROLES, Service, open_app, open_bus, run_migrations
from kernel.processors.generations import Rebuild
from kernel.processors.projector import Projection
from kernel.runtime import roles, telemetry
from kernel.runtime.logs import start_logging
from kernel.runtime.roles import POOLS, Role
from kernel.runtime.settings import Settings, load

log = logging.getLogger(__name__)


def main(service: Service, settings_type: type[Settings]) -> NoReturn:
    """Roles come from the command line; the process leaves with 0, 1 (a role crashed), 2 (usage) or 78 (settings)."""
    names = sys.argv[1:]
    if names[:1] != ["rebuild"] and not (names and set(names) <= {*ROLES, "migrate"}):
        usage = f"migrate | rebuild [read model ...] | {' | '.join(ROLES)} ..."
        sys.stderr.write(f"usage: python -m services.{service.name} {usage}\n")
        raise SystemExit(2)
    settings = load(settings_type)
    start_logging(service.name, logging.getLevelNamesMapping()[settings.log_level.upper()])
    if settings.otlp_endpoint:
        telemetry.start_tracing(service.name, settings.otlp_endpoint)
    if names == ["migrate"]:
        asyncio.run(run_migrations(service, settings))
        raise SystemExit(0)
    if names[0] == "rebuild":
        asyncio.run(run_rebuild(service, settings, names[1:]))
        raise SystemExit(0)
    roles.main(serve(service, settings, names))


async def serve(service: Service, settings: Settings, names: Sequence[str]) -> int:
    """Serves the roles until a signal; returns the exit code."""
    app = open_app(service, settings)
    try:
        opened = await app.roles(names)
    except (Fault, OSError) as fault:
        log.error("cannot start", exc_info=fault, extra={"code": getattr(fault, "code", type(fault).__name__)})
        await app.close()
        return 1

    async def close_pools(stop: asyncio.Event) -> None:
        await stop.wait()
        await app.close()

    return await roles.run([*opened, Role("pools", close_pools, POOLS)], app.health)


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
