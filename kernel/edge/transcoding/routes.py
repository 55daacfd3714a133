"""Adds the queries of a service to its HTTP API: the same servicers as over gRPC, in the same process."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import orjson
from fastapi import Depends, FastAPI, Request, Response
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from kernel.core.faults import Unavailable
from kernel.edge.grpc import RpcService
from kernel.edge.http import Caller
from kernel.edge.tokens.open_streams import STREAM_LIMIT_S
from kernel.edge.transcoding import openapi
from kernel.edge.transcoding.answers import plain, printer
from kernel.edge.transcoding.event_stream import EventStream, Watcher, watcher
from kernel.edge.transcoding.requests import FIELDS, deadline_s, message_of
from kernel.edge.transcoding.rules import Rule, rules_of
from kernel.edge.transcoding.selection import only, wanted
from kernel.edge.transcoding.validators import etag_of, is_known

JSON = "application/json"
CACHING = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
"""A client may keep an answer for itself, and asks whether it is still so before it uses it again."""


def add_queries(api: FastAPI, services: Sequence[RpcService]) -> None:
    """Adds a route for every rule of the services' methods; raises ValueError for a method that cannot be asked over HTTP."""
    for service in services:
        if service.described is None:
            continue
        for number, rule in enumerate(rules_of(service.described)):
            behave = getattr(service.servicer, rule.method.name)
            printer(rule.method.output_type)  # what has no JSON form ends the start of the process, and no request
            api.add_api_route(
                rule.path,
                _stream(rule, behave) if rule.is_stream else _unary(rule, behave),
                methods=[rule.verb],
                name=rule.method.name,
                summary=openapi.summary(rule),
                response_class=Response,
                response_model=None,
                operation_id=f"{rule.method.name}_{rule.verb}" if number else rule.method.name,
                openapi_extra=openapi.operation(rule),
            )
            openapi.add_schemas(api, rule)


def _unary(rule: Rule, behave: Callable[[Any, Any], Awaitable[Any]]) -> Callable[..., Awaitable[Response]]:
    answer_type, described = GetMessageClass(rule.method.output_type), rule.method.output_type

    async def answer(request: Request, caller: Caller) -> Response:
        fields = wanted(request.query_params.get(FIELDS, ""), described)
        message, limit_s = await message_of(rule, request), deadline_s(request.headers.get("grpc-timeout"))
        try:
            async with asyncio.timeout(limit_s):
                found = await behave(message, None)
        except TimeoutError:
            raise Unavailable("deadline.exceeded", retry_after_s=1) from None
        told = plain(found if isinstance(found, Message) else answer_type.FromString(found))
        return respond(request, only(told, fields))

    return answer


def _stream(rule: Rule, behave: Callable[[Any, Any], Any]) -> Callable[..., Awaitable[Response]]:
    answer_type, described = GetMessageClass(rule.method.output_type), rule.method.output_type

    async def answer(request: Request, watcher: Annotated[Watcher, Depends(watcher)]) -> Response:
        fields = wanted(request.query_params.get(FIELDS, ""), described)

        def told(item: Any) -> dict[str, Any]:
            return only(plain(item if isinstance(item, Message) else answer_type.FromString(item)), fields)

        message, timeout = await message_of(rule, request), request.headers.get("grpc-timeout")
        left_s = None if timeout is None else deadline_s(timeout, limit_s=STREAM_LIMIT_S)
        return EventStream(request, watcher, behave(message, None), told, left_s)

    return answer


def respond(request: Request, told: dict[str, Any]) -> Response:
    """The answer, or 304 where the caller has it already."""
    etag = etag_of(told)
    headers = {**CACHING, "ETag": etag}
    if request.method == "GET" and is_known(etag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    return Response(orjson.dumps(told), headers=headers, media_type=JSON)
