"""The embedded platform: all five services and the world outside in this process, on one loop. `up` and the demo run it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from cli.layout import Layout
from console.serving import opened
from console.settings import ConsoleSettings
from kernel.adapters.opening import open_bus
from kernel.host.app import App, Service, open_app, run_migrations
from kernel.runtime import http_server, roles
from kernel.runtime.logs import start_logging
from kernel.runtime.roles import EDGE, POOLS, Role
from sandbox.app import make_sandbox
from sandbox.identity.app import make_identity
from sandbox.identity.settings import IdentitySettings
from sandbox.settings import SandboxSettings
from services.campaigns.wiring import SERVICE as CAMPAIGNS
from services.compliance.wiring import SERVICE as COMPLIANCE
from services.discovery.wiring import SERVICE as DISCOVERY
from services.ledger.wiring import SERVICE as LEDGER
from services.metrics.wiring import SERVICE as METRICS

WIRED: dict[str, Service] = {one.name: one for one in (DISCOVERY, CAMPAIGNS, LEDGER, COMPLIANCE, METRICS)}
ROLES = ("rest", "rpc", "relay", "project", "process")
LIBRARIES = ("httpx", "httpcore", "faust", "aiokafka", "alembic")
"""Loggers whose routine lines tell an operator nothing."""


def roles_of(service: str) -> tuple[str, ...]:
    """The roles a service has, in the order they are started in."""
    return (*ROLES, "stream") if WIRED[service].stream is not None else ROLES


async def migrate_all(layout: Layout) -> None:
    """Makes or upgrades every service's database."""
    for name, service in WIRED.items():
        await run_migrations(service, service.settings.model_validate(layout.settings(name)))


async def make_topics(layout: Layout) -> None:
    """Makes every topic once, before many processes ask for them at the same moment."""
    bus = open_bus(layout.stores.bus)
    for service in WIRED.values():
        await bus.ensure_topics(service.topics())
    await bus.close()


async def serve(layout: Layout, ready: Callable[[], None], with_console: bool = False) -> int:
    """Serves until SIGTERM; `ready` is called when every port is bound. Returns the exit code. Raises NotBuilt for a console
    without its assets."""
    start_logging("embedded", logging.WARNING)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    await migrate_all(layout)
    bus = open_bus(layout.stores.bus)
    apps = [open_app(one, one.settings.model_validate(layout.settings(name)), bus) for name, one in WIRED.items()]

    async def close() -> None:
        for app in apps:
            await app.close()
        await bus.close()

    async def pools(stop: asyncio.Event) -> None:
        await stop.wait()
        await close()

    try:
        edges = [role for app in apps for role in await _roles(app)]
        outside = [_sandbox(layout), _identity(layout), *([_console(layout)] if with_console else [])]
    except BaseException:
        await close()
        raise
    ready()
    return await roles.run([_announcing(apps), *outside, *edges, Role("pools", pools, POOLS)])


async def _roles(app: App) -> Sequence[Role]:
    made = await app.roles(roles_of(app.service.name))
    return [replace(role, name=f"{app.service.name} {role.name}") for role in made if role.name != "loop"]


def _announcing(apps: Sequence[App]) -> Role:
    """Sets readiness to "not ready" on every port before the first port stops accepting."""

    async def serve(stop: asyncio.Event) -> None:
        await stop.wait()
        for app in apps:
            app.health.draining = True

    return Role("announce", serve, EDGE - 1)


def _sandbox(layout: Layout) -> Role:
    settings = SandboxSettings.model_validate(layout.sandbox())
    made = make_sandbox(settings)
    http = http_server.http(made.app, http_server.listen(settings.host, settings.port))

    async def serve(stop: asyncio.Event) -> None:
        made.resume()
        await http.serve(stop)
        await made.close()

    return replace(http, name="sandbox", serve=serve, order=POOLS - 1)


def _identity(layout: Layout) -> Role:
    settings = IdentitySettings.model_validate(layout.identity())
    made = make_identity(settings)
    http = http_server.http(made, http_server.listen(settings.host, settings.port))
    return replace(http, name="identity", order=POOLS - 1)


def _console(layout: Layout) -> Role:
    settings = ConsoleSettings.model_validate(layout.console())
    made = opened(settings)
    http = http_server.http(made, http_server.listen(settings.host, settings.port))

    async def serve(stop: asyncio.Event) -> None:
        await http.serve(stop)
        await made.state.sessions.close()
        await made.state.services.close()

    return replace(http, name="console", serve=serve, order=EDGE - 1)
