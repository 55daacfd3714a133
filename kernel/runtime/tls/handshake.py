"""A TCP connection until its TLS handshake is done: limited in time and number like any connection that waits for its client.

The event loop's own servers of TLS tell nobody of a connection before its handshake is done, so the port accepts in plaintext,
and the socket is given to the loop again for the handshake. (`start_tls` cannot be used: uvloop reads on before it, and
loses the first bytes.)
"""

import asyncio
import os
import socket
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
    """Gives the connection to `make()` once its bytes are plain again; a failed handshake ends it without an answer."""

    is_waiting = True

    def __init__(
        self, tls: EdgeTls, limit_s: float, known: Register, client_of: Callable[[str], str],
        open_: MutableSet[Any], make: Callable[[], asyncio.Protocol],
    ) -> None:  # fmt: skip
        """`open_`: the server's own set, whose members it shuts down when it stops."""
        self._tls, self._limit_s, self._known, self._client_of = tls, limit_s, known, client_of
        self._open, self._make = open_, make
        self.address = self.client_key = ""
        self._task: asyncio.Task[None] | None = None
        self._is_loops = False
        """Whether the socket is the loop's, which closes it whatever comes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self.client_key = self._client_of(self.address)
        try:
            taken = _taken(transport)
        except OSError:  # no file descriptor is left
            self.end("refused")
            return
        if not self._known.admit(self):
            taken.close()
            self.end("refused")
            return
        self._open.add(self)
        self._task = asyncio.get_running_loop().create_task(self._shake(taken))
        self._task.add_done_callback(lambda _: self._over(taken))

    def end(self, limit: str) -> None:
        telemetry.count("connections_ended_total", limit=limit)
        self.shutdown()

    def shutdown(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _shake(self, taken: socket.socket) -> None:
        loop, self._is_loops = asyncio.get_running_loop(), True
        try:
            await loop.connect_accepted_socket(
                lambda: _Encrypted(self._leave, self._make), taken, ssl=self._tls.material().context,
                ssl_handshake_timeout=self._limit_s, ssl_shutdown_timeout=CLOSING_S,
            )  # fmt: skip
        except (
            OSError
        ):  # plaintext, a certificate that is not believed, or the limit: SSLError and ConnectionAbortedError
            telemetry.count("connections_ended_total", limit="handshake")

    def _leave(self) -> None:
        self._known.leave(self)
        self._open.discard(self)

    def _over(self, taken: socket.socket) -> None:
        self._leave()
        if not self._is_loops:  # cancelled before it began: nobody else closes the socket
            taken.close()


class _Encrypted(asyncio.Protocol):
    """The end of the handshake: from here on the connection is its real protocol's."""

    def __init__(self, leave: Callable[[], None], make: Callable[[], asyncio.Protocol]) -> None:
        self._leave, self._make = leave, make

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._leave()
        protocol = self._make()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


def _taken(transport: asyncio.Transport) -> socket.socket:
    """The transport's socket under another descriptor; the transport ends, the TCP connection does not."""
    try:
        return socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
    finally:
        transport.abort()
