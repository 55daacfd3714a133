"""The console as a process: its app with the sign-in, and its port for operations."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from console.app import make_app
from console.identity.routes import routes
from console.identity.sessions import Sessions
from console.operations import operations
from console.page import reader_language
from console.settings import ConsoleSettings

DRAIN_S = 10


def opened(settings: ConsoleSettings) -> FastAPI:
    """The console with sign-in at the provider that the settings name; raises NotBuilt, ValueError, OSError."""
    sessions = Sessions(settings)
    return make_app(settings, sessions, routes(settings, sessions, reader_language))


async def serve(settings: ConsoleSettings) -> None:
    """Serves pages, and operations where they have a port, until SIGTERM or SIGINT. Raises as `opened` does."""
    servers = [_server(opened(settings), settings.host, settings.port)]
    if settings.ops_port:
        servers.append(_server(operations(), settings.host, settings.ops_port))

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving = [asyncio.create_task(server.serve()) for server in servers]
    await asyncio.wait(serving, return_when=asyncio.FIRST_COMPLETED)
    stop()
    await asyncio.gather(*serving)


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to `serve`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: object, host: str, port: int) -> uvicorn.Server:
    config = uvicorn.Config(
        app, host, port, log_config=None, access_log=False, server_header=False,  # type: ignore[arg-type]
        timeout_graceful_shutdown=DRAIN_S,
    )  # fmt: skip
    return _Server(config)
