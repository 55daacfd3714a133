"""The console as a process: its app with the sign-in, and its port for operations."""

import asyncio
import contextlib
import logging
import signal
import ssl
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from console.app import make_app
from console.identity.routes import routes
from console.identity.sessions import Sessions
from console.operations import operations
from console.page import reader_language
from console.settings import ConsoleSettings

log = logging.getLogger(__name__)

DRAIN_S, RENEW_S = 10, 60.0


def opened(settings: ConsoleSettings) -> FastAPI:
    """The console with sign-in at the provider that the settings name; raises NotBuilt, ValueError, OSError."""
    sessions = Sessions(settings)
    return make_app(settings, sessions, routes(settings, sessions, reader_language))


async def serve(settings: ConsoleSettings) -> None:
    """Serves pages, and operations where they have a port, until SIGTERM or SIGINT. Raises as `opened` does."""
    tls = tls_of(settings)
    servers = [server_of(opened(settings), settings.host, settings.port, tls)]
    if settings.ops_port:
        servers.append(server_of(operations(), settings.host, settings.ops_port))

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving = [asyncio.create_task(server.serve()) for server in servers]
    renewing = asyncio.create_task(renewed(settings, tls)) if tls is not None else None
    await asyncio.wait([*serving, *([renewing] if renewing else [])], return_when=asyncio.FIRST_COMPLETED)
    stop()
    await asyncio.gather(*serving)
    if renewing is not None:
        renewing.cancel()


def tls_of(settings: ConsoleSettings) -> ssl.SSLContext | None:
    """What the console's own port serves by; None for plaintext. Raises OSError where a file is missing or wrong."""
    if settings.tls_certificate_file is None:
        return None
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=settings.tls_client_ca_file)
    made.verify_mode = ssl.CERT_REQUIRED if settings.tls_client_ca_file else ssl.CERT_NONE
    made.load_cert_chain(settings.tls_certificate_file, settings.tls_key_file)
    return made


async def renewed(settings: ConsoleSettings, tls: ssl.SSLContext) -> None:
    """Serves new connections by the certificate that lies there now, looking once a minute; a half-written pair waits."""
    file = settings.tls_certificate_file
    assert file is not None
    known = file.read_bytes()
    while True:
        await asyncio.sleep(RENEW_S)
        now = await asyncio.to_thread(file.read_bytes)
        if now != known:
            try:
                tls.load_cert_chain(file, settings.tls_key_file)
            except OSError as error:
                log.warning("the renewed certificate cannot be used yet: %s", error)
            else:
                known = now


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to `serve`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_of(app: object, host: str, port: int, tls: ssl.SSLContext | None = None) -> uvicorn.Server:
    config = uvicorn.Config(
        app, host, port, log_config=None, access_log=False, server_header=False,  # type: ignore[arg-type]
        timeout_graceful_shutdown=DRAIN_S,
    )  # fmt: skip
    config.load()
    config.ssl = tls
    return _Server(config)
