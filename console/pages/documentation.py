"""The services' HTTP API for people: operations by service, looked for by words, schemas, and each operation to be tried."""

import asyncio
import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.calls.clients import Exchanged
from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.documents.document import KEY, STREAM, Document, Operation
from console.documents.examples import example_of
from console.documents.kept import Documents
from console.documents.trying import Call, call_of
from console.forms import EMPTY, Filled, Form
from console.look.menu import ALL
from console.page import Id, Page, SignedIn, needs

router = APIRouter(prefix="/documentation", dependencies=[needs(*ALL)])
FOUND = 60
SHOWN_CHARS, BODY_TOLD_CHARS = 100_000, 600
TOLD_HEADERS = ("content-type", "etag", "location", "retry-after", "ratelimit", "ratelimit-policy", "x-correlation-id")
"""Headers of an answer that say something to whoever tries."""
Words = Annotated[str, Query(max_length=200)]


@router.get("")
async def overview(page: Page, q: Words = "") -> Response:
    """The services; with words, the operations in whose path or text all of them stand."""
    documents = await asyncio.gather(*(_document(page, name) for name in page.services.names))
    words = q.lower().split()
    found = [one for document in documents for one in _of(document) if one.has(words)] if words else []
    return page.show(
        "documentation/overview.html", documents=documents, words=q, found=found[:FOUND], more=len(found) > FOUND
    )


def _of(document: Document) -> Iterable[Operation]:
    return document.operations.values()


@router.get("/{service}")
async def service(page: Page, service: Id) -> Response:
    return page.show("documentation/service.html", document=await _document(page, service))


@router.get("/{service}/schemas/{name}")
async def schema(page: Page, service: Id, name: Id) -> Response:
    document = await _document(page, service)
    if name not in document.schemas:
        raise Problem("not_found", "page.not_found")
    found = document.schemas[name]
    return page.show(
        "documentation/schema.html", document=document, name=name, said=str(found.get("description", "")),
        fields=document.fields(found), example=_written(example_of(document, found)),
    )  # fmt: skip


@router.get("/{service}/operations/{operation_id}")
async def operation(page: Page, service: Id, operation_id: Id) -> Response:
    return await _shown(page, service, operation_id)


@router.post("/{service}/operations/{operation_id}")
async def attempt(page: Page, service: Id, operation_id: Id, form: Filled) -> Response:
    """Sends the call as the person who is signed in; a command is asked about first. The answer is shown as it came."""

    async def act() -> Response:
        document = await _document(page, service)
        chosen = _operation(document, operation_id)
        call = call_of(chosen, form)
        form.check()
        if chosen.is_command and not is_sure(form):
            return confirm(page, form, _question(page, chosen, call))
        headers = {"Content-Type": call.media} if call.media else {}
        headers |= {KEY: form.key} if chosen.is_command else {}
        answer = await page.services.exchange(
            service, call.method, call.path, page.person.token, call.body, headers=headers
        )
        return await _shown(page, service, operation_id, form, call=call, answer=answer)

    return await page.submit(lambda typed, problem: _shown(page, service, operation_id, typed, problem), form, act)


def _question(page: SignedIn, chosen: Operation, call: Call) -> Question:
    body = call.body.decode("utf-8", "replace")
    pairs = [(page.words("Command"), f"{call.method} {call.path}"), (page.words("As"), page.person.name)]
    pairs += (
        [(page.words("Body"), body[:BODY_TOLD_CHARS] + ("…" if len(body) > BODY_TOLD_CHARS else ""))] if body else []
    )
    said = page.words("This is no rehearsal: the command is carried out on this platform, in your name.")
    return Question(page.words("Send this command?"), pairs, said, page.words("Send it"), page.path, is_grave=True)


async def _shown(
    page: SignedIn, service: str, operation_id: str, form: Form = EMPTY, problem: Problem | None = None,
    call: Call | None = None, answer: Exchanged | None = None,
) -> Response:  # fmt: skip
    document = await _document(page, service)
    chosen = _operation(document, operation_id)
    return page.show(
        "documentation/operation.html", document=document, operation=chosen, form=form, problem=problem, call=call,
        answer=answer, told=_told(answer) if answer else "", headers=_headers(answer.headers) if answer else [],
        body_fields=document.fields(chosen.body) if chosen.body is not None else [],
        body=_example(document, chosen.body, least=True), whole=_example(document, chosen.body),
        reply=_example(document, chosen.answer), streams=any(STREAM in one.contents for one in chosen.replies),
    )  # fmt: skip


async def _document(page: SignedIn, service: str) -> Document:
    documents: Documents = page.request.app.state.documents
    return await documents.of(service, page.person.token)


def _operation(document: Document, operation_id: str) -> Operation:
    found = document.operations.get(operation_id)
    if found is None:
        raise Problem("not_found", "page.not_found")
    return found


def _example(document: Document, schema: Mapping[str, Any] | None, least: bool = False) -> str:
    """ "" where nothing is sent or answered."""
    return "" if schema is None else _written(example_of(document, schema, least))


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _headers(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, headers[name]) for name in TOLD_HEADERS if name in headers]


def _told(answer: Exchanged) -> str:
    """The body for people: JSON with its lines, at most SHOWN_CHARS."""
    text = answer.body.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        text = _written(json.loads(text))
    return text[:SHOWN_CHARS]
