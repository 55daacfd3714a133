"""gRPC server of a service: admission, deadlines, and faults as AIP-193 statuses; health v1 and reflection.

Servicers ask `caller()` and raise faults, so no servicer knows a status code.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor
from grpc import (
    ServerCertificateConfiguration,
    ServerCredentials,
    dynamic_ssl_server_credentials,
    ssl_server_certificate_configuration,
)
from grpc.aio import Server, server
from grpc_health.v1 import health as health_v1
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection as reflecting

from kernel.edge.admission import Admission
from kernel.edge.admission import caller as caller
from kernel.edge.grpc_calls import CallEdge
from kernel.runtime.health import Health
from kernel.runtime.roles import EDGE, Role
from kernel.runtime.tls.material import EdgeTls, Material

MESSAGE_LIMIT_BYTES = 4 * 1024 * 1024
CONCURRENT_LIMIT = 2_000
"""RPCs that the server takes on at all, above the sum of the slots: a call without a slot is refused in milliseconds."""
HANDSHAKE_LIMIT_MS = 10_000
HEALTH_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class RpcService:
    """A service to register: its full protobuf name, and `add`, e.g. `partial(add_X_to_server, servicer)`.

    With `described` and `servicer` its queries are also answered over HTTP (kernel.edge.transcoding)."""

    name: str
    add: Callable[[Server], None]
    described: ServiceDescriptor | None = None
    servicer: Any = None
    beside: Callable[[asyncio.Event], Awaitable[None]] | None = None
    """What runs in every process that answers the queries, e.g. keeps an index in memory."""
    commands: Any = None
    """A router of commands that belong to the queries; over HTTP only."""

    @classmethod
    def of(
        cls,
        described: ServiceDescriptor,
        add: Callable[[Any, Server], None],
        servicer: Any,
        beside: Callable[[asyncio.Event], Awaitable[None]] | None = None,
    ) -> "RpcService":
        """A service for both edges; `add` is the generated `add_X_to_server`."""
        return cls(described.full_name, partial(add, servicer), described, servicer, beside)


class Rpc:
    """gRPC server of some services on one port."""

    def __init__(
        self,
        services: Sequence[RpcService],
        admission: Admission,
        *,
        health: Health | None = None,
        reflection: bool = False,
        tls: EdgeTls | None = None,
    ) -> None:
        """`reflection`: outside production only. Without `tls` the server listens in plaintext."""
        self._services, self._health = services, health or Health()
        self._edge = CallEdge(admission)
        self._reflection, self._tls = reflection, tls
        self._states = health_v1.aio.HealthServicer()  # type: ignore[attr-defined]
        self._server: Server | None = None

    async def start(self, address: str) -> int:
        """Starts listening on `host:port` and returns the port (0 asks for a free one); raises OSError when it is taken."""
        self._server = server(interceptors=[self._edge], options=_OPTIONS, maximum_concurrent_rpcs=CONCURRENT_LIMIT)
        for service in self._services:
            service.add(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._states, self._server)
        if self._reflection:
            names = [service.name for service in self._services]
            reflecting.enable_server_reflection([*names, health_v1.SERVICE_NAME, reflecting.SERVICE_NAME], self._server)
        try:
            port = self._listen(self._server, address)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}") from error
        await self.show_health()
        await self._server.start()
        return port

    def _listen(self, started: Server, address: str) -> int:
        if self._tls is None:
            return started.add_insecure_port(address)
        return started.add_secure_port(address, _credentials(self._tls))

    async def show_health(self) -> None:
        """Sets the health v1 status of "" and of each service to the present readiness."""
        ready = (await self._health.readiness()).ok
        serving = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *[service.name for service in self._services]):
            await self._states.set(name, serving)

    async def stop(self, grace_s: float = 8) -> None:
        """Stops the server: health says NOT_SERVING, streams end, and calls may finish within `grace_s`."""
        await self._states.enter_graceful_shutdown()
        self._edge.admission.open.end_all()
        if self._server:
            await self._server.stop(grace_s)

    def role(self, address: str, grace_s: float = 8) -> Role:
        """Role that runs the server until a drain (kernel.runtime.roles)."""

        async def serve(stop: asyncio.Event) -> None:
            await self.start(address)
            while not stop.is_set():
                await self.show_health()
                try:
                    async with asyncio.timeout(HEALTH_INTERVAL_S):
                        await stop.wait()
                except TimeoutError:
                    continue
            await self.stop(grace_s)

        return Role("rpc", serve, EDGE, grace_s + 1)


def _credentials(tls: EdgeTls) -> ServerCredentials:
    """Credentials that gRPC asks for at every handshake, from threads of its own; None tells it that nothing has changed."""
    known = tls.material()

    def fetch() -> ServerCertificateConfiguration | None:
        nonlocal known
        if (found := tls.material()) is known:
            return None
        known = found
        return _configuration(found)

    # grpc-stubs do not know that None stands for "as before"
    return dynamic_ssl_server_credentials(_configuration(known), fetch, tls.asks_clients)  # type: ignore[arg-type]


def _configuration(found: Material) -> ServerCertificateConfiguration:
    return ssl_server_certificate_configuration([(found.key, found.certificate)], found.client_ca)


_OPTIONS = [
    ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
    ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
    ("grpc.so_reuseport", 0),
    ("grpc.server_handshake_timeout_ms", HANDSHAKE_LIMIT_MS),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]
