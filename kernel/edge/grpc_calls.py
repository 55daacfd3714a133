"""One gRPC call on its way to a servicer: admission, its message, deadline, trace, metrics, and faults as statuses."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import unquote

import grpc
from google.protobuf.message import DecodeError
from grpc.aio import AbortError, ServerInterceptor
from opentelemetry.trace import SpanKind

from kernel.core.decider import Actor
from kernel.core.faults import Exhausted, Fault, Invalid
from kernel.edge.admission import Admission, set_caller
from kernel.edge.grpc_errors import STATUS, RpcContext, abort, abort_unexpected
from kernel.edge.tokens import open_streams
from kernel.edge.tokens.bearer import bearer_token
from kernel.runtime import telemetry

OPEN = ("/grpc.health.v1.Health/", "/grpc.reflection.")
"""Methods without authentication: probes have no token, and reflection is registered outside production only."""
DEADLINE_S, DEADLINE_LIMIT_S = 10.0, 30.0
OPEN_LIMIT = 50
"""Calls without authentication at once, and as many streams: who keeps streams open takes no place of a probe."""
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


@dataclass(slots=True)
class CallEdge(ServerInterceptor):  # type: ignore[type-arg]  # the stubs are generic, the class is not
    """Interceptor of every method: authentication, limits, deadline, trace, metrics, and errors as statuses.

    Each method is served as one that takes a stream of messages, which is the same on the wire: so a call is admitted before
    its message is read, and a message that does not arrive ends the call.
    """

    admission: Admission
    open_without_token: Counter[str] = field(default_factory=Counter)

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler, method = await continuation(handler_call_details), handler_call_details.method
        if handler is None:
            return handler
        if method.startswith(OPEN):
            return self._without_token(handler)
        if handler.unary_unary:
            make, behave = grpc.stream_unary_rpc_method_handler, self._unary(method, handler.unary_unary)
        elif handler.unary_stream:
            make, behave = grpc.stream_stream_rpc_method_handler, self._stream(method, handler.unary_stream)
        else:
            raise NotImplementedError("requests are single messages here")
        return make(behave, _lenient(handler.request_deserializer), _encoded(handler.response_serializer))

    def _unary(self, method: str, behave: Callable[[Any, RpcContext], Awaitable[Any]]) -> Callable[..., Any]:
        async def handle(requests: AsyncIterator[Any], context: RpcContext) -> Any:
            async with self._guarded(method, context) as (actor, _):
                with self.admission.calls.hold(actor):
                    async with asyncio.timeout(_left_s(context, DEADLINE_S, DEADLINE_LIMIT_S)):
                        return await behave(await self._message(requests), context)

        return handle

    def _stream(self, method: str, behave: Callable[[Any, RpcContext], Any]) -> Callable[..., Any]:
        async def handle(requests: AsyncIterator[Any], context: RpcContext) -> None:
            async with self._guarded(method, context) as (actor, token):
                with self.admission.streams.hold(actor):
                    async with self.admission.open.lasting(token, context.time_remaining()):
                        request = await self._message(requests)
                        async with aclosing(behave(request, context)) as items:
                            async for item in items:
                                await self.admission.verifier.verify(token)  # a message is sent while the token is good
                                await context.write(item)

        return handle

    async def _message(self, requests: AsyncIterator[Any]) -> Any:
        """The call's one message; raises Invalid for bytes that are none, and when it does not arrive in time."""
        try:
            async with asyncio.timeout(self.admission.message_s):
                message = await anext(aiter(requests), None)
        except TimeoutError:
            raise Invalid("request.too_slow", limit_s=int(self.admission.message_s)) from None
        if message is None:
            raise Invalid("request.malformed")
        return message

    def _without_token(self, handler: Any) -> Any:
        """Health and reflection: bounded in number and time, as anybody may call them."""
        kind = next(kind for kind in KINDS if getattr(handler, kind))
        behave, is_stream = getattr(handler, kind), not kind.endswith("_unary")

        async def bounded(requests: Any, context: RpcContext) -> Any:
            limit_s = open_streams.STREAM_LIMIT_S if is_stream else DEADLINE_LIMIT_S
            async with self._place_without_token("stream" if is_stream else "call", context), asyncio.timeout(limit_s):
                request = requests if kind.startswith("stream_") else await self._message(requests)
                if not is_stream:
                    return await behave(request, context)
                told = behave(request, context)
                if not isinstance(told, AsyncIterator):  # it writes by itself, as health's Watch does
                    return await told
                async for item in told:
                    await context.write(item)
                return None

        make = getattr(grpc, f"stream_{'stream' if is_stream else 'unary'}_rpc_method_handler")
        return make(bounded, handler.request_deserializer, handler.response_serializer)

    @asynccontextmanager
    async def _place_without_token(self, kind: str, context: RpcContext) -> AsyncIterator[None]:
        if self.open_without_token[kind] >= OPEN_LIMIT:
            await abort(context, Exhausted("calls.exhausted", of="all", limit=OPEN_LIMIT, retry_after_s=1), "")
        self.open_without_token[kind] += 1
        try:
            yield
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "deadline exceeded")
        except Fault as fault:
            await abort(context, fault, "")
        finally:
            self.open_without_token[kind] -= 1

    @asynccontextmanager
    async def _guarded(self, method: str, context: RpcContext) -> AsyncIterator[tuple[Actor, str]]:
        """Admits the caller; faults of the block become statuses, which are counted."""
        started, status = perf_counter(), grpc.StatusCode.OK
        metadata = dict(context.invocation_metadata() or ())
        try:
            with telemetry.span(f"rpc {method}", _header(metadata, "traceparent"), kind=SpanKind.SERVER):
                yield await self._admit(metadata, context)
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

    async def _admit(self, metadata: Mapping[str, str | bytes], context: RpcContext) -> tuple[Actor, str]:
        """Authenticates the caller and takes one call from its buckets; returns the caller and its token."""
        given = bearer_token(_header(metadata, "authorization"))
        actor = await self.admission.authenticate(given, _address(context), _forwarded(context))
        _, exhausted = self.admission.take(actor)
        if exhausted:
            raise exhausted
        set_caller(actor)
        return actor, given


def _address(context: RpcContext) -> str:
    """The peer's address, of `ipv4:192.0.2.1:4711` or `ipv6:%5B2001:db8::1%5D:4711`."""
    _, _, rest = unquote(context.peer()).partition(":")
    return rest.rpartition(":")[0].strip("[]") or rest


def _forwarded(context: RpcContext) -> list[str]:
    """All lines of X-Forwarded-For: each proxy may add one of its own."""
    pairs = context.invocation_metadata() or ()
    return [value for name, value in pairs if name == "x-forwarded-for" and isinstance(value, str)]


def _left_s(context: RpcContext, default_s: float, limit_s: float) -> float:
    """Seconds to the client's deadline (`default_s` when the client set none), at most `limit_s`."""
    left_s: float | None = context.time_remaining()
    return min(default_s if left_s is None else left_s, limit_s)


def _header(metadata: Mapping[str, str | bytes], name: str) -> str:
    value = metadata.get(name, "")
    return value if isinstance(value, str) else ""


def _lenient(decode: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    """Deserializer that makes malformed bytes None, so that `_message` answers INVALID_ARGUMENT; gRPC would answer INTERNAL."""

    def decoded(data: bytes) -> Any:
        try:
            return decode(data) if decode else data
        except DecodeError:
            return None

    return decoded


def _encoded(encode: Callable[[Any], bytes] | None) -> Callable[[Any], bytes]:
    """Serializer that passes bytes on: a servicer may return a message, or the bytes of a cached one."""
    return lambda reply: encode(reply) if encode and not isinstance(reply, bytes) else reply
