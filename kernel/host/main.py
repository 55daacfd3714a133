"""`python -m services.<service> <role>...`: one process of one service; `migrate` and `rebuild` prepare its database and end."""

import asyncio
import logging
import sys
from collections.abc import Sequence
from typing import NoReturn

from kernel.core.errors import Fault
from kernel.host.app import ROLES, Service, open_app, run_migrations
from kernel.host.refill import run_rebuild
from kernel.runtime import run, telemetry
from kernel.runtime.logs import start_logging
from kernel.runtime.run import POOLS, Role
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
    run.main(serve(service, settings, names))


async def serve(service: Service, settings: Settings, names: Sequence[str]) -> int:
    """Serves the roles until a signal; returns the exit code."""
    app = open_app(service, settings)
    try:
        roles = await app.roles(names)
    except (Fault, OSError) as fault:
        log.error("cannot start", exc_info=fault, extra={"code": getattr(fault, "code", type(fault).__name__)})
        await app.close()
        return 1

    async def close_pools(stop: asyncio.Event) -> None:
        await stop.wait()
        await app.close()

    return await run.run([*roles, Role("pools", close_pools, POOLS)], app.health)
