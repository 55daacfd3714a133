"""The console as a process: its app with the sign-in, and its port for operations.

Both ports are those of the kernel's edge: half-sent heads and bodies end after a time, connections are bounded by address, and
the certificate is read again when it changes.
"""

import asyncio
import contextlib
import logging
import signal
import ssl
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp

from console.app import make_app
from console.calls.clients import Services
from console.crowding import LivePerAddress
from console.identity.routes import routes
from console.identity.sessions import Sessions
from console.operations import operations
from console.page import reader_language
from console.settings import ConsoleSettings
from kernel.edge.incoming import TrustedProxies, is_trusted, principal_of
from kernel.runtime.http_server import HttpLimits, http, listen
from kernel.runtime.roles import Role
from kernel.runtime.tls.material import EdgeTls, TlsFiles

log = logging.getLogger(__name__)

DRAIN_S, RENEW_S = 10, 60.0


def opened(settings: ConsoleSettings) -> FastAPI:
    """The console with sign-in at the provider that the settings name; raises NotBuilt, ValueError, OSError."""
    sessions = Sessions(settings)
    return make_app(settings, sessions, routes(settings, sessions, reader_language))


async def serve(settings: ConsoleSettings) -> None:
    """Serves pages, and operations where they have a port, until SIGTERM or SIGINT. Raises as `opened` does, and OSError."""
    app, stop = opened(settings), asyncio.Event()
    loop = asyncio.get_running_loop()
    ports = [pages(settings, app)]
    if settings.ops_port:
        ports.append(http(operations(), listen(settings.host, settings.ops_port), grace_s=DRAIN_S))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = [asyncio.ensure_future(port.serve(stop)) for port in ports]
    renewing = asyncio.create_task(renewed(settings, app.state.services))
    try:
        await asyncio.wait([*serving, renewing], return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.gather(*serving)
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing
        await app.state.sessions.close()
        await app.state.services.close()


def pages(settings: ConsoleSettings, app: ASGIApp, limits: HttpLimits | None = None) -> Role:
    """The port of the pages, bound; `limits` in place of the usual ones. Raises OSError."""
    trusted = [ip_network(one) for one in settings.proxies()]
    bounded = TrustedProxies(LivePerAddress(app, principal_of), trusted)
    bound = listen(settings.host, settings.port)
    return http(bounded, bound, grace_s=DRAIN_S, limits=limits or limits_of(settings), tls=tls_of(settings))


def limits_of(settings: ConsoleSettings) -> HttpLimits:
    """The edge's usual limits; proxies, which bring many visitors, have none by address."""
    trusted = [ip_network(one) for one in settings.proxies()]
    return HttpLimits(is_exempt=lambda address: is_trusted(address, trusted), client_of=principal_of)


def tls_of(settings: ConsoleSettings) -> EdgeTls | None:
    """What the console's own port serves by; None for plaintext. Raises OSError where a file is missing or wrong."""
    certificate, key = settings.tls_certificate_file, settings.tls_key_file
    if certificate is None or key is None:
        return None
    tried = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=settings.tls_client_ca_file)
    tried.load_cert_chain(certificate, key)
    return EdgeTls(TlsFiles(certificate, key, settings.tls_client_ca_file))


async def renewed(settings: ConsoleSettings, services: Services) -> None:
    """Calls the services with the certificate that lies there now, looking once in RENEW_S; a half-written pair waits."""
    files = [file for file in (settings.certificate_file, settings.key_file, settings.ca_file) if file is not None]
    known = await asyncio.to_thread(_held, files)
    while True:
        await asyncio.sleep(RENEW_S)
        try:
            now = await asyncio.to_thread(_held, files)
            if now != known:
                await services.renew()
                known = now
        except OSError as error:
            log.warning("the renewed certificate for calls cannot be used yet: %s", error)


def _held(files: Sequence[Path]) -> list[bytes]:
    return [file.read_bytes() for file in files]
