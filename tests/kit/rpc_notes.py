"""A small gRPC service on the kernel's edge, for tests of the edge itself, and a client of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import Int64Value, StringValue
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from kernel.core.faults import (
    Conflict,
    Exhausted,
    Forbidden,
    Internal,
    Invalid,
    NotFound,
    Pending,
    Poison,
    Refused,
    Unavailable,
)
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.grpc import MESSAGE_LIMIT_BYTES, Rpc, RpcService, caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.runtime.telemetry import current_traceparent
from tests.kit.issuing import ACME, verifier_at

Code = grpc.StatusCode
SERVICE = "test.notes.v1.NoteQueryService"
MARKER = "ann@example.test"
FAULTS: dict[str, tuple[Exception, grpc.StatusCode]] = {
    "invalid": (Invalid("note.too_long", field="text", limit=5), Code.INVALID_ARGUMENT),
    "forbidden": (Forbidden("note.not_a_party"), Code.PERMISSION_DENIED),
    "missing": (NotFound("note.unknown"), Code.NOT_FOUND),
    "refused": (Refused("note.not_a_draft", open=False, by=None), Code.FAILED_PRECONDITION),
    "conflict": (Conflict("note.changed"), Code.ABORTED),
    "exhausted": (Exhausted("note.quota", retry_after_s=7), Code.RESOURCE_EXHAUSTED),
    "unavailable": (Unavailable("database.unavailable"), Code.UNAVAILABLE),
    "pending": (Pending("note.pending"), Code.UNAVAILABLE),
    "poison": (Poison("note.poison", secret=MARKER), Code.INTERNAL),
    "internal": (Internal("note.broken", secret=MARKER), Code.INTERNAL),
    "bug": (ZeroDivisionError(MARKER), Code.INTERNAL),
}


class Notes:
    """Read answers who asked; Fail raises; Hang never ends; Watch counts, then waits, or counts without end."""

    async def read(self, request: StringValue, context: RpcContext) -> StringValue:
        return StringValue(value=f"{caller().id}@{caller().tenant} {request.value} {current_traceparent()}")

    async def fail(self, request: StringValue, context: RpcContext) -> StringValue:
        raise FAULTS[request.value][0]

    async def hang(self, request: StringValue, context: RpcContext) -> StringValue:
        await asyncio.Event().wait()
        return StringValue()

    async def watch(self, request: StringValue, context: RpcContext) -> AsyncIterator[Int64Value]:
        for number in count() if request.value == "flood" else range(3):
            yield Int64Value(value=number)
        if request.value in FAULTS:
            raise FAULTS[request.value][0]
        if request.value == "wait":
            await asyncio.Event().wait()


def add(server: grpc.aio.Server) -> None:
    notes = Notes()

    def unary(behave: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(behave, StringValue.FromString, StringValue.SerializeToString)

    handlers = {
        "Read": unary(notes.read),
        "Fail": unary(notes.fail),
        "Hang": unary(notes.hang),
        "Watch": grpc.unary_stream_rpc_method_handler(
            notes.watch, StringValue.FromString, Int64Value.SerializeToString
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


class Talk:
    """A client with ann's token."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self.channel = channel
        self.metadata: tuple[tuple[str, str], ...] = (("authorization", f"Bearer {token}"),)

    async def ask(self, method: str, text: str = "", timeout: float | None = 20, raw: bytes | None = None) -> str:
        encode: Callable[[StringValue], bytes] = StringValue.SerializeToString if raw is None else lambda _: raw
        call = self.channel.unary_unary(f"/{SERVICE}/{method}", encode, StringValue.FromString)
        answer = await call(StringValue(value=text), metadata=self.metadata, timeout=timeout)
        return str(answer.value)

    def watch(self, text: str) -> Any:
        call = self.channel.unary_stream(f"/{SERVICE}/Watch", StringValue.SerializeToString, Int64Value.FromString)
        return call(StringValue(value=text), metadata=self.metadata)


def details(error: grpc.aio.AioRpcError, kind: type[Message]) -> list[Any]:
    """The details of one type that an error carries."""
    status = Status()
    trailing: Any = error.trailing_metadata()
    status.ParseFromString(trailing["grpc-status-details-bin"])
    assert status.code == error.code().value[0]
    found = []
    for packed in status.details:
        message = kind()
        if packed.Unpack(message):
            found.append(message)
    return found


def reason(error: grpc.aio.AioRpcError) -> str:
    """The stable code of the fault that an error tells."""
    (info,) = details(error, ErrorInfo)
    return str(info.reason)


@asynccontextmanager
async def serving(
    folder: Path, issuer: Issuer, limits: AdmissionLimits | None = None, **options: Any
) -> AsyncIterator[tuple[Rpc, Talk]]:
    """The service on a free port, trusting the Issuer of `folder`, and a client of it; `options` are those of Rpc."""
    verifier = verifier_at(folder)
    served = Rpc([RpcService(SERVICE, add)], Admission(verifier, limits), **options)
    port = await served.start("127.0.0.1:0")
    large = [("grpc.max_send_message_length", 2 * MESSAGE_LIMIT_BYTES)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=large) as channel:
        yield served, Talk(channel, issuer.issue("ann", ACME, "brand"))
    await served.stop(grace_s=0)
