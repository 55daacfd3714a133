"""A thing through time: the events of its stream, and how it stood after each of them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from dandelion.history.v1.queries_pb2 import (
    GetHistoryRequest,
    GetPastStateRequest,
    GetPastStateResponse,
    HistoryEvent,
)
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from console.calls.problems import Problem
from console.look.menu import BRANDS
from console.page import ROLES, Cursor, Page, SignedIn
from console.pages.history.names import event_name, field_name
from console.pages.history.values import flat, told
from console.settings import SERVICES
from console.words import mark

router = APIRouter(prefix="/history")
SHOWN = 50
PAGES = {
    "campaign": ("/campaigns/", mark("The campaign")),
    "application": ("/applications/", mark("The offer")),
    "collaboration": ("/collaborations/", mark("The collaboration")),
    "creator": ("/creators/", mark("The creator")),
}
"""Where a thing has a page of its own, by the category of its stream."""
ROLE = {**ROLES, "system": mark("The platform")}
Stream = Annotated[str, Path(max_length=120)]
At = Annotated[int, Query(ge=0, le=10**9)]


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of a thing at a moment: its path, the value, and what it was before the event; None: there was none."""

    path: str
    value: str
    before: str | None
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Step:
    """An event as the page shows it: name of the message, facts in it."""

    event: HistoryEvent
    name: str
    facts: list[tuple[str, str]]


@router.get("/{service}/{stream}")
async def history(page: Page, service: str, stream: Stream, at: At = 0, cursor: Cursor = "") -> Response:
    """The events, the newest first, and the thing after the event `at` (0: now) with what that event changed."""
    if service not in SERVICES:
        raise Problem("not_found", "page.not_found")
    asked = page.services.histories[service]
    events, now = await asyncio.gather(
        page.ask(
            asked.GetHistory,
            GetHistoryRequest(stream=stream, order_by="version desc", page_size=SHOWN, page_token=cursor),
        ),
        page.ask(asked.GetPastState, GetPastStateRequest(stream=stream)),
    )
    last = now.version
    moment = min(at, last) or last
    then, before, chosen = await asyncio.gather(
        _state(page, service, stream, moment, now),
        _state(page, service, stream, moment - 1, now),
        page.ask(
            asked.GetHistory,
            GetHistoryRequest(stream=stream, until_version=moment, order_by="version desc", page_size=1),
        ),
    )
    facts = list(_compared(page, flat(then.state), flat(before.state)))
    return page.show(
        "history/stream.html",
        service=service,
        stream=stream,
        steps=[_step(page, one) for one in events.events],
        info=events.page,
        last=last,
        at=moment,
        then=then,
        chosen=[_step(page, one) for one in chosen.events],
        changed=[one for one in facts if one.is_changed],
        same=[one for one in facts if not one.is_changed],
        roles=ROLE,
        event_name=lambda name: event_name(page.words, name),
        field_name=lambda path: field_name(page.words, path),
        thing=_page_of(page, stream),
    )


def _page_of(page: SignedIn, stream: str) -> list[tuple[str, str]]:
    """The way back to the thing, for who may open its page."""
    category, _, key = stream.partition("-")
    closed = {"creator": page.can("creator"), "campaign": not page.can(*BRANDS)}
    if category not in PAGES or closed.get(category, False):
        return []
    path, told = PAGES[category]
    return [(page.words(told), f"{path}{key}")]


async def _state(
    page: SignedIn, service: str, stream: str, version: int, now: GetPastStateResponse
) -> GetPastStateResponse:
    """The thing after an event; nothing before the first one."""
    if version <= 0:
        return GetPastStateResponse()
    if version == now.version:
        return now
    method = page.services.histories[service].GetPastState
    return await page.ask(method, GetPastStateRequest(stream=stream, until_version=version))


def _step(page: SignedIn, event: HistoryEvent) -> Step:
    said = flat(event.event)
    facts = [(path, told(page, path, said)) for path, value in said.items() if value]
    return Step(event, event.type.rpartition(".")[2], facts)


def _compared(page: SignedIn, now: dict[str, str], before: dict[str, str]) -> Iterator[Fact]:
    """What there is, then what there was."""
    for path, value in now.items():
        was = told(page, path, before) if path in before else None
        yield Fact(path, told(page, path, now), was, before.get(path) != value)
    yield from (Fact(path, "", told(page, path, before), True) for path in before if path not in now)
