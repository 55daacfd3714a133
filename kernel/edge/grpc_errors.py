"""Faults as AIP-193 statuses: maps each kind of fault to its gRPC code, for all services."""

import logging
from collections.abc import Mapping
from typing import Any, TypeAlias

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc.aio import ServicerContext

from kernel.core.faults import Fault, Internal, Kind
from kernel.core.ids import new_id

log = logging.getLogger(__name__)

RpcContext: TypeAlias = "ServicerContext[Any, Any]"
DOMAIN = "dandelion"
DETAILS = "grpc-status-details-bin"
STATUS: Mapping[Kind, grpc.StatusCode] = {
    "invalid": grpc.StatusCode.INVALID_ARGUMENT,
    "unauthenticated": grpc.StatusCode.UNAUTHENTICATED,
    "forbidden": grpc.StatusCode.PERMISSION_DENIED,
    "not_found": grpc.StatusCode.NOT_FOUND,
    "refused": grpc.StatusCode.FAILED_PRECONDITION,
    "conflict": grpc.StatusCode.ABORTED,
    "exhausted": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
    "pending": grpc.StatusCode.UNAVAILABLE,
    "poison": grpc.StatusCode.INTERNAL,
    "internal": grpc.StatusCode.INTERNAL,
}


def status_of(fault: Fault, error_id: str = "") -> Status:
    """google.rpc.Status of a fault: ErrorInfo (reason = code, metadata = facts), BadRequest with the fact `field`, RetryInfo."""
    facts = {name: _text(value) for name, value in fault.facts.items()}
    details: list[Message] = [ErrorInfo(reason=fault.code, domain=DOMAIN, metadata=facts)]
    if fault.kind == "invalid":
        violation = BadRequest.FieldViolation(field=facts.get("field", ""), description=str(fault), reason=fault.code)
        details.append(BadRequest(field_violations=[violation]))
    if fault.kind in {"unavailable", "pending", "exhausted"}:
        wait_s = fault.facts.get("retry_after_s") or 1
        details.append(RetryInfo(retry_delay=Duration(seconds=int(wait_s))))
    if error_id:
        details.append(RequestInfo(request_id=error_id))
    number: int = STATUS[fault.kind].value[0]
    return Status(code=number, message=str(fault), details=[_packed(one) for one in details])


def _text(fact: str | int | bool | None) -> str:
    return str(fact).lower() if isinstance(fact, bool | None) else str(fact)


def _packed(message: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


async def abort(context: RpcContext, fault: Fault, method: str) -> None:
    """Ends the call with the fault's status. An internal fault is logged under an id, and the caller gets only the id."""
    if fault.kind in {"internal", "poison"}:
        await abort_unexpected(context, fault, method)
    await _abort(context, STATUS[fault.kind], status_of(fault))


async def abort_unexpected(context: RpcContext, error: Exception, method: str) -> None:
    """Ends the call with INTERNAL and a new id, and logs the unexpected exception under the id."""
    error_id = new_id()
    log.error("unexpected exception", exc_info=error, extra={"error_id": error_id, "method": method})
    await _abort(context, grpc.StatusCode.INTERNAL, status_of(Internal("internal"), error_id))


async def _abort(context: RpcContext, code: grpc.StatusCode, status: Status) -> None:
    await context.abort(code, status.message, ((DETAILS, status.SerializeToString()),))
