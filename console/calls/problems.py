"""What a service refuses, over either edge, as one exception: pages show it in words, at the field where one is named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

DETAILS = "grpc-status-details-bin"
STATUS: Mapping[str, int] = {
    "invalid": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "refused": 409,
    "conflict": 409,
    "exhausted": 429,
    "unavailable": 503,
    "pending": 503,
}
KIND_OF_CODE: Mapping[grpc.StatusCode, str] = {
    grpc.StatusCode.INVALID_ARGUMENT: "invalid",
    grpc.StatusCode.UNAUTHENTICATED: "unauthenticated",
    grpc.StatusCode.PERMISSION_DENIED: "forbidden",
    grpc.StatusCode.NOT_FOUND: "not_found",
    grpc.StatusCode.FAILED_PRECONDITION: "refused",
    grpc.StatusCode.ABORTED: "conflict",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "exhausted",
    grpc.StatusCode.UNAVAILABLE: "unavailable",
    grpc.StatusCode.DEADLINE_EXCEEDED: "unavailable",
    grpc.StatusCode.CANCELLED: "unavailable",
}


@dataclass(eq=False)
class Problem(Exception):
    """A refusal: `kind` decides the status, `code` is stable, `facts` hold names, `fields` say what is wrong where."""

    kind: str
    code: str
    facts: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    """Sentence by field, named by its path in the command's body: `brief.title`."""
    instance: str = ""
    """The service's name for an unexpected error, by which its log finds it."""

    @property
    def status(self) -> int:
        return STATUS.get(self.kind, 502)

    def __str__(self) -> str:
        return f"{self.kind} {self.code} {dict(self.facts)}"


def of_call(error: grpc.aio.AioRpcError) -> Problem:
    """The refusal of a query; without details (a server that is away, a deadline) by its status alone."""
    kind, facts, fields = KIND_OF_CODE.get(error.code(), "internal"), {}, {}
    code = f"service.{kind}"
    for detail in _details(error):
        if detail.Is(ErrorInfo.DESCRIPTOR):
            info = ErrorInfo()
            detail.Unpack(info)
            code, facts = info.reason, dict(info.metadata)
        elif detail.Is(BadRequest.DESCRIPTOR):
            bad = BadRequest()
            detail.Unpack(bad)
            fields = {one.field: one.description for one in bad.field_violations if one.field}
    return Problem(kind, code, facts, fields)


def _details(error: grpc.aio.AioRpcError) -> list[Any]:
    packed = next((value for name, value in _pairs(error) if name == DETAILS), b"")
    status = Status()
    status.ParseFromString(packed if isinstance(packed, bytes) else packed.encode())
    return list(status.details)


def _pairs(error: grpc.aio.AioRpcError) -> Iterable[tuple[str, Any]]:
    """Trailing metadata; its stubs say that its members are not pairs."""
    pairs: Iterable[Any] = error.trailing_metadata() or ()
    return pairs


def of_answer(answer: httpx.Response) -> Problem:
    """The refusal of a command; what is no problem of RFC 9457 (a proxy's page) is `service.internal`."""
    try:
        told = answer.json()
        facts = {name: "" if value is None else str(value) for name, value in told["facts"].items()}
        wrong = told.get("errors") or (
            [{"field": facts["field"], "detail": told["detail"]}] if facts.get("field") else ()
        )
        fields = {one["field"]: one["detail"] for one in wrong}
        return Problem(told["kind"], told["code"], facts, fields, told.get("instance", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Problem("unavailable" if answer.status_code in (502, 503, 504) else "internal", "service.internal")


AWAY = Problem("unavailable", "service.unavailable")
"""A service that cannot be reached."""
