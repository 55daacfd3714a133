"""Faults as RFC 9457 problems: maps each kind of fault to its HTTP status, for all services."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import compile_path
from starlette.types import Scope

from kernel.core.faults import Exhausted, Fault, Internal, Invalid, Kind, Pending, Unavailable
from kernel.core.ids import new_id
from kernel.edge.fields import ERRORS_LIMIT, violations

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STATUS: Mapping[Kind, int] = {
    "invalid": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "refused": 409,
    "conflict": 409,
    "exhausted": 429,
    "unavailable": 503,
    "pending": 503,
    "poison": 500,
    "internal": 500,
}
STATUS_OF_CODE: Mapping[str, int] = {
    "body.malformed": 400,
    "body.too_large": 413,
    "body.media_type_unknown": 415,
    "deadline.exceeded": 504,
    "route.method_not_allowed": 405,
    "writer.queue_full": 503,
}
"""Status by code, where it differs from the kind's: HTTP has its own status for it, or the overload is not the caller's."""
TITLES: Mapping[Kind, str] = {
    "invalid": "The input is wrong",
    "unauthenticated": "Who is calling is not known",
    "forbidden": "The caller may not do this",
    "not_found": "There is no such thing, or not for this caller",
    "refused": "The present state does not allow this",
    "conflict": "It is there already, and differs",
    "exhausted": "A limit is used up",
    "unavailable": "Try again later with the same idempotency key",
    "pending": "Accepted, and not there yet: ask again in a moment",
    "poison": "This can never be handled",
    "internal": "Our fault; the instance names it in our logs",
}
TITLE_OF_CODE: Mapping[str, str] = {
    "body.malformed": "The body cannot be read",
    "body.too_large": "The body is too large",
    "body.media_type_unknown": "The body is of another type than this takes",
    "command.id_reused": "The idempotency key was used for another body",
    "deadline.exceeded": "It took longer than the caller waits",
    "request.head_too_large": "The head of the request is too large",
    "route.method_not_allowed": "The path does not take this method",
    "route.not_found": "There is no such path",
    "writer.queue_full": "Try again later with the same idempotency key",
}
"""Title by code, where the kind's says too little or another thing."""
RETRY_AFTER_S = 1

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; `facts` hold its numbers and names; `errors` the fields and rules.",
    "required": ["type", "title", "status", "detail", "instance", "kind", "code", "facts"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "kind": {"type": "string", "enum": list(STATUS)},
        "code": {"type": "string"},
        "facts": {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean", "null"]}},
        "errors": {
            "type": "array",
            "maxItems": ERRORS_LIMIT,
            "items": {
                "type": "object",
                "required": ["in", "field", "rule", "detail"],
                "properties": {name: {"type": "string"} for name in ("in", "field", "rule", "detail")},
            },
        },
    },
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a FastAPI app or route: documents these statuses as problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def status_of(fault: Fault) -> int:
    return STATUS_OF_CODE.get(fault.code, STATUS[fault.kind])


def problem_response(
    fault: Fault, scope: Scope, errors: Sequence[Mapping[str, str]] = (), instance: str = ""
) -> Response:
    """Response with the fault as a problem, and with WWW-Authenticate or Retry-After where HTTP asks for the header."""
    status = status_of(fault)
    body = {
        "type": f"urn:dandelion:fault:{fault.kind}",
        "title": TITLE_OF_CODE.get(fault.code, TITLES[fault.kind]),
        "status": status,
        "detail": str(fault),
        "instance": instance or quote(scope["path"][:500]),
        "kind": fault.kind,
        "code": fault.code,
        "facts": fault.facts,
        **({"errors": list(errors)} if errors else {}),
    }
    return JSONResponse(body, status, _headers(fault, status), MEDIA_TYPE)


def _headers(fault: Fault, status: int) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{fault.code}"'}
    if isinstance(fault, Exhausted | Pending | Unavailable) and status in {429, 503}:
        return {"Retry-After": str(fault.facts.get("retry_after_s") or RETRY_AFTER_S)}
    return {}


def unexpected(error: Exception, scope: Scope) -> Response:
    """Logs an unexpected exception under a new id; the problem names the id only, so that no internals reach the caller."""
    error_id = new_id()
    log.error("unexpected exception", exc_info=error, extra={"error_id": error_id, "method": scope["method"]})
    return problem_response(Internal("internal"), scope, instance=f"urn:uuid:{error_id}")


def install(app: FastAPI) -> None:
    """Installs exception handlers: each error that the app can answer is answered as a problem."""
    app.add_exception_handler(Fault, _on_fault)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_fault(request: Request, error: Exception) -> Response:
    assert isinstance(error, Fault)
    if error.kind in {"internal", "poison"}:
        return unexpected(error, request.scope)
    return problem_response(error, request.scope)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _method_not_allowed(request)
    response = problem_response(_fault_of(error.status_code), request.scope)
    response.headers.update(error.headers or {})
    return response


def _method_not_allowed(request: Request) -> Response:
    """Who asks a command's path for what is there is told where queries are."""
    allowed = ", ".join(sorted(_allowed(request.app, request.scope["path"])))
    do = f"send {allowed}; page /docs lists all routes"
    if request.method in {"GET", "HEAD"}:
        do += ": commands are PUT and POST, queries GET; gRPC has the same queries on its own port"
    response = problem_response(Invalid("route.method_not_allowed", allowed=allowed, do=do), request.scope)
    response.headers["Allow"] = allowed
    return response


def _allowed(app: FastAPI, path: str) -> set[str]:
    """Methods of all routes with that path: Starlette itself names the methods of the first route only."""
    matching = [route for route in iter_route_contexts(app.routes) if compile_path(route.path or "")[0].match(path)]
    return {method for route in matching for method in route.methods or ()}


def _fault_of(status: int) -> Fault:
    match status:
        case 404:
            return _NoRoute("route.not_found", do="see page /docs, which lists commands and queries")
        case 413:
            return Exhausted("body.too_large")
        case 400:
            return Invalid("body.malformed")
        case 503:
            return Unavailable("server.busy", retry_after_s=RETRY_AFTER_S)
        case _:
            return Invalid("request.refused", status=status)


class _NoRoute(Fault):
    kind = "not_found"


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return problem_response(Invalid("body.malformed"), request.scope)
    if _is_of_another_type(request, found):
        sent = request.headers.get("content-type", "")[:100]
        do = "send JSON, with the header Content-Type: application/json"
        return problem_response(Invalid("body.media_type_unknown", content_type=sent, do=do), request.scope)
    return problem_response(Invalid("request.invalid", errors=len(found)), request.scope, list(violations(found)))


def _is_of_another_type(request: Request, found: Sequence[Mapping[str, Any]]) -> bool:
    """A body was sent, and was not read because its media type is not JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
    sent = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    return sent and not is_json and any(tuple(one["loc"]) == ("body",) for one in found)
