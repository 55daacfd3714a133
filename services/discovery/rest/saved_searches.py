"""Saved searches over HTTP: a search is saved under a name, changed, deleted, and its new matches are marked as seen."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from kernel.core.bounds import whole
from kernel.core.events import Receipt
from kernel.core.faults import NotFound, Refused
from kernel.core.ids import stream_id
from kernel.edge.fields import Uuid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.discovery.domain.saved_search.commands import Command, DeleteSavedSearch, MarkMatchesSeen, SaveSearch
from services.discovery.domain.saved_search.saved_search import CATEGORY, TOLD_LIMIT
from services.discovery.watching.saved import SEARCHES_LIMIT, count, search

CriteriaText = Callable[[Mapping[str, Any]], str]
"""A SearchCreatorsRequest in the JSON form of protobuf, checked as a search is, as canonical JSON."""


class SearchBody(BaseModel):
    """`search` is the body of a search as `GET /creators` names its parameters; page, mask and `at_least` do not count."""

    name: Annotated[str, whole(SaveSearch, "name")]
    search: dict[str, Any]
    view: Annotated[str, whole(SaveSearch, "view")] = ""
    watched: bool = True


class SeenBody(BaseModel):
    """The number of the newest match that was seen."""

    number: Annotated[int, Field(ge=1, le=TOLD_LIMIT)]


def routes(app: App, criteria_text: CriteriaText) -> APIRouter:
    """Every command on saved searches."""
    router = APIRouter(prefix="/saved-searches", tags=["saved-searches"])

    async def send(request: CommandRequest, search_id: str, command: Command, body: BaseModel | None) -> Receipt:
        stream = stream_id(CATEGORY, search_id)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    @router.put("/{search_id}", status_code=201)
    async def save(search_id: Uuid, body: SearchBody, request: CommandRequest) -> Receipt:
        """Brands, agencies and operators, at most 50 each: saves a search, or changes one. New criteria begin anew."""
        command = SaveSearch(body.name, criteria_text(body.search), body.view, body.watched)
        await _check_room(app, search_id, request)
        return await send(request, search_id, command, body)

    @router.post("/{search_id}/delete")
    async def delete(search_id: Uuid, request: CommandRequest) -> Receipt:
        """The owner only: nothing more is told of it."""
        return await send(request, search_id, DeleteSavedSearch(), None)

    @router.post("/{search_id}/seen")
    async def seen(search_id: Uuid, body: SeenBody, request: CommandRequest) -> Receipt:
        """The owner only: new matches up to this one are new no more."""
        return await send(request, search_id, MarkMatchesSeen(body.number), body)

    return router


async def _check_room(app: App, search_id: str, request: CommandRequest) -> None:
    """Refused `saved_search.too_many` for one more than an owner may have; the read model counts."""
    if await count(app.database, request.actor) < SEARCHES_LIMIT:
        return
    try:
        await search(app.database, search_id, request.actor)
    except NotFound:
        raise Refused("saved_search.too_many", limit=SEARCHES_LIMIT, do="delete one that is not needed") from None
