"""A TCP connection until its TLS handshake is done: limited in time and number like any connection that waits for its client."""

import asyncio
from collections.abc import Callable, MutableSet
from typing import Any, Protocol

from kernel.runtime import telemetry
from kernel.runtime.tls.material import EdgeTls

CLOSING_S = 5.0
"""Time for a client to agree to the end of an encrypted connection."""


class Connection(Protocol):
    """One connection as its port counts it."""

    address: str
    client_key: str

    @property
    def is_waiting(self) -> bool: ...

    def end(self, limit: str) -> None: ...


class Register(Protocol):
    """Connections of a port, which are admitted and leave (kernel.runtime.http_server)."""

    def admit(self, new: Connection) -> bool: ...

    def leave(self, one: Connection) -> None: ...


class Handshake(asyncio.Protocol):
    """Hands the connection on to `make()` once its bytes are plain again; a failed handshake ends it without an answer."""

    is_waiting = True

    def __init__(
        self, tls: EdgeTls, limit_s: float, known: Register, client_of: Callable[[str], str],
        open_: MutableSet[Any], make: Callable[[], asyncio.Protocol],
    ) -> None:  # fmt: skip
        """`open_`: the server's own set, whose members it shuts down when it stops."""
        self._tls, self._limit_s, self._known, self._client_of = tls, limit_s, known, client_of
        self._open, self._make = open_, make
        self._task: asyncio.Task[None] | None = None
        self.address = self.client_key = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.pause_reading()
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self.client_key = self._client_of(self.address)
        if not self._known.admit(self):
            self.end("refused")
            return
        self._open.add(self)
        self._task = asyncio.get_running_loop().create_task(self._shake())

    def end(self, limit: str) -> None:
        telemetry.count("connections_ended_total", limit=limit)
        self.shutdown()

    def shutdown(self) -> None:
        self._transport.abort()
        if self._task is not None:
            self._task.cancel()

    async def _shake(self) -> None:
        early, context = _Early(), self._tls.material().context
        try:
            encrypted = await asyncio.get_running_loop().start_tls(
                self._transport, early, context, server_side=True,
                ssl_handshake_timeout=self._limit_s, ssl_shutdown_timeout=CLOSING_S,
            )  # fmt: skip
        except (
            OSError
        ):  # plaintext, a certificate that is not believed, or the limit: SSLError and ConnectionAbortedError
            telemetry.count("connections_ended_total", limit="handshake")
            return
        finally:
            self._known.leave(self)
            self._open.discard(self)
        if encrypted is not None and not early.is_lost:
            early.hand_on(encrypted, self._make())


class _Early(asyncio.Protocol):
    """Keeps what arrives between the end of the handshake and the connection's real protocol."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._is_ended = self.is_lost = False

    def data_received(self, data: bytes) -> None:
        self._kept.append(data)

    def eof_received(self) -> None:
        self._is_ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True

    def hand_on(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        for data in self._kept:
            protocol.data_received(data)
        if self._is_ended:
            protocol.eof_received()
