"""Shortlists over HTTP: named lists of creators, with a note about each that is kept under the creator's own key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from kernel.core.bounds import whole
from kernel.core.decider import Actor
from kernel.core.events import Receipt
from kernel.core.faults import NotFound
from kernel.core.ids import stream_id
from kernel.edge.fields import Body, LongText, ShortText, Uuid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from kernel.processors.access import may_read, reading_as
from services.discovery.domain.shortlist.commands import (
    AddToShortlist,
    Command,
    DeleteShortlist,
    NameShortlist,
    RemoveFromShortlist,
    WriteNote,
)
from services.discovery.domain.shortlist.shortlist import CATEGORY
from services.discovery.reads import SERVICE
from services.discovery.tables.creators import CREATORS


class NameBody(Body):
    name: Annotated[ShortText, whole(NameShortlist, "name")]


class CreatorsBody(Body):
    creator_ids: Annotated[tuple[Uuid, ...], whole(AddToShortlist, "creator_ids")]


class NoteBody(Body):
    """`note` is kept encrypted, and goes when the creator is erased."""

    creator_id: Uuid
    note: Annotated[LongText, whole(WriteNote, "note"), StringConstraints(strip_whitespace=True)] = ""


@dataclass(frozen=True, slots=True)
class Shortlists:
    """Sends commands on shortlists' streams."""

    app: App

    async def send(
        self, request: CommandRequest, shortlist_id: str, command: Command, body: BaseModel | None
    ) -> Receipt:
        stream = stream_id(CATEGORY, shortlist_id)
        return request.respond(await self.app.writer.execute(stream, command, request.meta(stream, command, body)))

    async def check_known(self, creator_ids: Sequence[str], actor: Actor) -> None:
        """Raises NotFound `creator.not_found` unless the caller sees them all."""
        query = sa.select(CREATORS.c.creator_id).where(
            CREATORS.c.creator_id.in_(creator_ids), may_read(CREATORS, actor)
        )
        async with reading_as(self.app.database, SERVICE, actor) as connection:
            known = set((await connection.execute(query)).scalars())
        if not known.issuperset(creator_ids):
            raise NotFound("creator.not_found")


def routes(app: App) -> APIRouter:
    """Every command on shortlists."""
    router = APIRouter(prefix="/shortlists", tags=["shortlists"])
    lists = Shortlists(app)

    @router.put("/{shortlist_id}", status_code=201)
    async def name(shortlist_id: Uuid, body: NameBody, request: CommandRequest) -> Receipt:
        """Brands, agencies and operators, at most 50 lists each: begins a list, or renames one."""
        return await lists.send(request, shortlist_id, NameShortlist(request.actor.tenant, body.name), body)

    @router.post("/{shortlist_id}/delete")
    async def delete(shortlist_id: Uuid, request: CommandRequest) -> Receipt:
        """The owner only."""
        return await lists.send(request, shortlist_id, DeleteShortlist(request.actor.tenant), None)

    _creators(router, lists)
    return router


def _creators(router: APIRouter, lists: Shortlists) -> None:
    @router.post("/{shortlist_id}/add")
    async def add(shortlist_id: Uuid, body: CreatorsBody, request: CommandRequest) -> Receipt:
        """The owner only: up to 200 creators at once, 500 on one list; who is on it already stays."""
        await lists.check_known(body.creator_ids, request.actor)
        return await lists.send(request, shortlist_id, AddToShortlist(body.creator_ids), body)

    @router.post("/{shortlist_id}/remove")
    async def remove(shortlist_id: Uuid, body: CreatorsBody, request: CommandRequest) -> Receipt:
        """The owner only: takes creators off, with their notes."""
        return await lists.send(request, shortlist_id, RemoveFromShortlist(body.creator_ids), body)

    @router.post("/{shortlist_id}/note")
    async def note(shortlist_id: Uuid, body: NoteBody, request: CommandRequest) -> Receipt:
        """The owner only: a note about a creator on the list; an empty one takes it away."""
        return await lists.send(request, shortlist_id, WriteNote(body.creator_id, body.note), body)
