"""gRPC server of a service: authentication, rate limit, deadlines, and faults as AIP-193 statuses; health v1 and reflection.

Servicers ask `caller()` and raise faults, so no servicer knows a status code.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc.aio import AbortError, Server, ServerInterceptor, server
from grpc_health.v1 import health as health_v1
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection as reflecting
from opentelemetry.trace import SpanKind

from kernel.core.decider import Actor
from kernel.core.faults import Fault, Invalid, Unauthenticated, Unavailable
from kernel.edge.auth import Verifier
from kernel.edge.grpc_errors import STATUS, RpcContext, abort, abort_unexpected
from kernel.edge.limits import Buckets
from kernel.runtime import telemetry
from kernel.runtime.health import Health
from kernel.runtime.roles import EDGE, Role

OPEN = ("/grpc.health.v1.Health/", "/grpc.reflection.")
"""Methods without authentication: probes have no token, and reflection is registered outside production only."""
MESSAGE_LIMIT_BYTES = 4 * 1024 * 1024
DEADLINE_S, DEADLINE_LIMIT_S = 10.0, 30.0
STREAM_LIMIT_S = 900.0
"""Longest life of a stream: a watcher reconnects after it, and its token is verified again."""
CONCURRENT_LIMIT = 1000
HEALTH_INTERVAL_S = 1.0

_caller: ContextVar[Actor] = ContextVar("caller")


def caller() -> Actor:
    """Actor whose RPC is being handled; raises LookupError outside of an RPC."""
    return _caller.get()


@dataclass(slots=True)
class _Edge(ServerInterceptor):  # type: ignore[type-arg]  # the stubs are generic, the class is not
    """Interceptor of every method but the open ones: authentication, rate, deadline, trace, metrics, and errors as statuses."""

    verifier: Verifier
    buckets: Buckets
    stopping: bool = False
    waits: dict[asyncio.Timeout, str] = field(default_factory=dict)
    """Timeouts in which streams wait for their next message, with their tokens: a drain or a revoked token ends them."""

    def __post_init__(self) -> None:
        self.verifier.watchers.append(self.look_again)

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler, method = await continuation(handler_call_details), handler_call_details.method
        if handler is None or method.startswith(OPEN):
            return handler
        if handler.unary_unary:
            make, behave = grpc.unary_unary_rpc_method_handler, self._unary(method, handler.unary_unary)
        elif handler.unary_stream:
            make, behave = grpc.unary_stream_rpc_method_handler, self._stream(method, handler.unary_stream)
        else:
            raise NotImplementedError("requests are single messages here")
        return make(behave, _lenient(handler.request_deserializer), _encoded(handler.response_serializer))

    def _unary(self, method: str, behave: Callable[[Any, RpcContext], Awaitable[Any]]) -> Callable[..., Any]:
        async def handle(request: Any, context: RpcContext) -> Any:
            async with self._guarded(method, request, context):
                async with asyncio.timeout(_left_s(context, DEADLINE_S, DEADLINE_LIMIT_S)):
                    return await behave(request, context)

        return handle

    def _stream(self, method: str, behave: Callable[[Any, RpcContext], Any]) -> Callable[..., Any]:
        async def handle(request: Any, context: RpcContext) -> AsyncIterator[Any]:
            async with self._guarded(method, request, context), aclosing(behave(request, context)) as items:
                until = asyncio.get_running_loop().time() + _left_s(context, STREAM_LIMIT_S, STREAM_LIMIT_S)
                token = _bearer(context)
                while (item := await self._next(items, until, token)) is not None:
                    yield item

        return handle

    async def _next(self, items: AsyncIterator[Any], until: float, token: str) -> Any:
        """Next message of a stream, None at the stream's end. Waits until `until` at most, ends when a drain begins, and with
        its token: a message is sent only while the token is good."""
        if self.stopping:
            raise Unavailable("server.stopping", retry_after_s=1)
        try:
            async with asyncio.timeout_at(until) as wait:
                self.waits[wait] = token
                item = await anext(items, None)
        except TimeoutError:
            if self.stopping:
                raise Unavailable("server.stopping", retry_after_s=1) from None
            await self.verifier.verify(token)
            raise
        finally:
            self.waits.pop(wait, None)
        await self.verifier.verify(token)
        return item

    def look_again(self) -> None:
        """Wakes the streams whose token is revoked now; `_next` refuses them."""
        for wait, token in list(self.waits.items()):
            if not wait.expired() and self.verifier.is_revoked(token):
                wait.reschedule(0)

    def end_streams(self) -> None:
        """Ends all streams with UNAVAILABLE, so that their clients reconnect to another replica."""
        self.stopping = True
        for wait in list(self.waits):
            if not wait.expired():
                wait.reschedule(0)

    @asynccontextmanager
    async def _guarded(self, method: str, request: Any, context: RpcContext) -> AsyncIterator[None]:
        started, status = perf_counter(), grpc.StatusCode.OK
        metadata = dict(context.invocation_metadata() or ())
        try:
            with telemetry.span(f"rpc {method}", _header(metadata, "traceparent"), kind=SpanKind.SERVER):
                await self._admit(_header(metadata, "authorization"), request)
                yield
        except (AbortError, asyncio.CancelledError, GeneratorExit):
            status = grpc.StatusCode.CANCELLED
            raise
        except TimeoutError:
            status = grpc.StatusCode.DEADLINE_EXCEEDED
            await context.abort(status, "deadline exceeded")
        except Fault as fault:
            status = STATUS[fault.kind]
            await abort(context, fault, method)
        except Exception as error:
            status = grpc.StatusCode.INTERNAL
            await abort_unexpected(context, error, method)
            raise  # not reached: abort raises
        finally:
            telemetry.count("rpc_requests_total", method=method, status=status.name)
            telemetry.observe("rpc_request_seconds", perf_counter() - started, method=method)

    async def _admit(self, authorization: str, request: Any) -> None:
        actor = await self.verifier.verify(_token_of(authorization))
        _, exhausted = self.buckets.take((actor.tenant, actor.id))
        if exhausted:
            raise exhausted
        if request is None:
            raise Invalid("request.malformed")
        _caller.set(actor)


def _token_of(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("token.missing")
    return token


def _bearer(context: RpcContext) -> str:
    """The token of a call that was admitted."""
    return _token_of(_header(dict(context.invocation_metadata() or ()), "authorization"))


def _left_s(context: RpcContext, default_s: float, limit_s: float) -> float:
    """Seconds to the client's deadline (`default_s` when the client set none), at most `limit_s`."""
    left_s: float | None = context.time_remaining()
    return min(default_s if left_s is None else left_s, limit_s)


def _header(metadata: Mapping[str, str | bytes], name: str) -> str:
    value = metadata.get(name, "")
    return value if isinstance(value, str) else ""


def _lenient(decode: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    """Deserializer that makes malformed bytes None, so that `_admit` answers INVALID_ARGUMENT; gRPC would answer INTERNAL."""

    def decoded(data: bytes) -> Any:
        try:
            return decode(data) if decode else data
        except DecodeError:
            return None

    return decoded


def _encoded(encode: Callable[[Any], bytes] | None) -> Callable[[Any], bytes]:
    """Serializer that passes bytes on: a servicer may return a message, or the bytes of a cached one."""
    return lambda reply: encode(reply) if encode and not isinstance(reply, bytes) else reply


@dataclass(frozen=True, slots=True)
class RpcService:
    """A service to register: its full protobuf name, and `add`, e.g. `partial(add_X_to_server, servicer)`."""

    name: str
    add: Callable[[Server], None]


class Rpc:
    """gRPC server of some services on one port."""

    def __init__(
        self,
        services: Sequence[RpcService],
        verifier: Verifier,
        *,
        health: Health | None = None,
        buckets: Buckets | None = None,
        reflection: bool = False,
    ) -> None:
        """`reflection`: outside production only. TLS is the gateway's: this server listens in plaintext."""
        self._services, self._health = services, health or Health()
        self._edge = _Edge(verifier, buckets or Buckets())
        self._reflection = reflection
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
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}") from error
        await self.show_health()
        await self._server.start()
        return port

    async def show_health(self) -> None:
        """Sets the health v1 status of "" and of each service to the present readiness."""
        ready = (await self._health.readiness()).ok
        serving = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *[service.name for service in self._services]):
            await self._states.set(name, serving)

    async def stop(self, grace_s: float = 8) -> None:
        """Stops the server: health says NOT_SERVING, streams end, and calls may finish within `grace_s`."""
        await self._states.enter_graceful_shutdown()
        self._edge.end_streams()
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


_OPTIONS = [
    ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
    ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]
