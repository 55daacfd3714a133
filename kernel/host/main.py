"""Entry point `dandelion service <service> <role>...`: runs roles in one process; `migrate`, `rebuild`, `reseal` run once."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from kernel.adapters.bus import Bus
from kernel.adapters.opening import open_bus, open_database
from kernel.adapters.vault.event_vault import vault_of
from kernel.adapters.vault.reseal import reseal
from kernel.core.faults import Fault, Invalid
from kernel.eventlog.log import StoredLog
from kernel.eventlog.opening import open_log
from kernel.host.app import ROLES, Service, open_app, run_migrations
from kernel.processors.generations import Rebuild
from kernel.processors.projector import Projection
from kernel.runtime import roles, telemetry
from kernel.runtime.logs import start_logging
from kernel.runtime.roles import POOLS, Role
from kernel.runtime.settings import Settings, load

logger = logging.getLogger(__name__)


def main(service: Service, settings_type: type[Settings]) -> NoReturn:
    """Runs the roles that the command line names. Exit codes: 0, 1 (a role crashed), 2 (usage), 78 (settings).

    Files that the process makes are its own user's (umask)."""
    os.umask(0o077)
    names = sys.argv[1:]
    if names[:1] != ["rebuild"] and names != ["reseal"] and not (names and set(names) <= {*ROLES, "migrate"}):
        usage = f"migrate | rebuild [read model ...] | reseal | {' | '.join(ROLES)} ..."
        sys.stderr.write(f"usage: dandelion service {service.name} {usage}\n")
        raise SystemExit(2)
    settings = load(settings_type)
    _check_edges(settings, names)
    start_logging(service.name, logging.getLevelNamesMapping()[settings.log_level.upper()])
    if settings.otlp_endpoint:
        telemetry.start_tracing(service.name, settings.otlp_endpoint)
    if names == ["migrate"]:
        asyncio.run(run_migrations(service, settings))
        raise SystemExit(0)
    if names[0] == "rebuild":
        asyncio.run(run_rebuild(service, settings, names[1:]))
        raise SystemExit(0)
    if names == ["reseal"]:
        asyncio.run(run_reseal(service, settings))
        raise SystemExit(0)
    roles.main(serve(service, settings, names))


def _check_edges(settings: Settings, names: Sequence[str]) -> None:
    """Ends a process whose edge would be in plaintext unallowed, with a sentence."""
    try:
        if {"rest", "rpc"} & set(names):
            settings.edge_files()
    except Invalid as wrong:
        sys.stderr.write(f"{wrong}\n")
        raise SystemExit(78) from wrong


async def serve(service: Service, settings: Settings, names: Sequence[str]) -> int:
    """Runs the roles until a signal and returns the exit code."""
    app = open_app(service, settings)
    try:
        opened = await app.roles(names)
    except (Fault, OSError) as fault:
        code = getattr(fault, "code", type(fault).__name__)
        logger.error("process start failed", exc_info=fault, extra={"code": code})
        await app.close()
        return 1

    async def close_pools(stop: asyncio.Event) -> None:
        await stop.wait()
        await app.close()

    return await roles.run([*opened, Role("pools", close_pools, POOLS)], app.health)


PROGRESS_STEP = 0.1
"""Share of a rebuild between two log lines of its progress."""


async def run_rebuild(service: Service, settings: Settings, names: Sequence[str]) -> None:
    """Rebuilds the named read models, or all of them; raises Invalid `projection.unknown`. Running projectors follow."""
    unknown = set(names) - {one.name for one in service.projections}
    if unknown:
        raise Invalid("projection.unknown", projection=", ".join(sorted(unknown)))
    database, bus = open_database(settings, service.metadata()), open_bus(settings.bus_url)
    log = open_log(database, vault=vault_of(database, service.codec, settings))
    try:
        for projection in service.projections:
            if not names or projection.name in names:
                generation = await _rebuild(service, projection, log, bus)
                logger.info(
                    "rebuild finished: generation is live", extra={"projection": f"{projection.name}_g{generation}"}
                )
    finally:
        await database.close()
        await bus.close()


async def run_reseal(service: Service, settings: Settings) -> int:
    """Encrypts what the log holds in plaintext from before, as the database's owner, and returns the number of rows rewritten.

    Raises Invalid `personal.no_vault` for a service that keeps no personal data.
    """
    database = open_database(settings, service.metadata())
    try:
        vault = vault_of(database, service.codec, settings)
        if vault is None:
            raise Invalid("personal.no_vault", service=service.name)
        rewritten = await reseal(vault)
        logger.info("reseal finished: %d events were in plaintext", rewritten)
        return rewritten
    finally:
        await database.close()


async def _rebuild(service: Service, projection: Projection, log: StoredLog, bus: Bus) -> int:
    rebuild = Rebuild(
        projection, log.database, log, service.codec, service.name, bus, service.decode or _nothing,
        _log_progress(projection.name),
    )  # fmt: skip
    return await rebuild.run()


def _nothing(_type: str, _value: bytes) -> Any:
    return None


def _log_progress(name: str) -> Callable[[int, int], None]:
    """Progress callback of a rebuild that logs a line per PROGRESS_STEP."""
    next_share = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal next_share
        if total and done / total >= next_share:
            logger.info("rebuild in progress", extra={"projection": name, "position": done})
            next_share = done / total + PROGRESS_STEP

    return progress
