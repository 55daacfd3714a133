"""Shortlists of the caller's own tenant, and the creators on each."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp

from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.core.ids import checked_id
from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import page_size
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, chosen
from services.discovery.domain.shortlist.shortlist import OWNERS
from services.discovery.projections import SHORTLISTS_PROJECTION
from services.discovery.reads import SERVICE
from services.discovery.rpc.asked import PAGE_LIMIT, Asked
from services.discovery.rpc.messages import listed
from services.discovery.tables.creators import CREATORS
from services.discovery.tables.shortlists import SHORTLISTED, SHORTLISTS

LISTS_BY = ("changed_at desc", "begun_at desc", "name")
CREATORS_BY = ("added_at desc", "added_at")
"""What `order_by` of each list may name; the first is the default."""


class ShortlistQueries(Asked, grpc_pb.CreatorQueryServiceServicer):
    """Each caller sees the lists of its own tenant."""

    async def ListShortlists(self, request: pb.ListShortlistsRequest, context: RpcContext) -> pb.ListShortlistsResponse:  # noqa: N802
        """With how many creators are on each, and whether one of them is who is asked about."""
        actor, size = _owner(), page_size(request.page_size, limit=PAGE_LIMIT)
        name, falling = chosen(request.order_by, LISTS_BY)
        after = self._tokens.open(request, request.page_token, actor.tenant)
        creator_id = checked_id(request.creator_id) if request.creator_id else ""
        await self._app.at_least(request.at_least, SHORTLISTS_PROJECTION.name)
        lists = _lists(actor, creator_id).subquery("lists")
        order = Keyset(lists.c[name], lists.c.shortlist_id, falling=falling)
        async with reading_as(self._app.database, SERVICE, actor) as connection:
            page = await order.read(connection, sa.select(lists), after, size)
        token = self._tokens.seal(request, page.next, actor.tenant) if page.next else ""
        return pb.ListShortlistsResponse(
            shortlists=map(_shortlist, page.rows), page=common.PageInfo(next_page_token=token)
        )

    async def ListShortlistCreators(  # noqa: N802
        self, request: pb.ListShortlistCreatorsRequest, context: RpcContext
    ) -> pb.ListShortlistCreatorsResponse:
        """Who is on one list, as each is now, without those who are gone since."""
        actor, size = _owner(), page_size(request.page_size, limit=PAGE_LIMIT)
        _, falling = chosen(request.order_by, CREATORS_BY)
        after = self._tokens.open(request, request.page_token, actor.tenant)
        shortlist_id = checked_id(request.shortlist_id)
        await self._app.at_least(request.at_least, SHORTLISTS_PROJECTION.name)
        on_it = SHORTLISTED.c
        query = _on_lists(actor).where(on_it.shortlist_id == shortlist_id)
        order = Keyset(on_it.added_at, on_it.creator_id, falling=(falling, False))
        lists = _lists(actor, "").where(SHORTLISTS.c.shortlist_id == shortlist_id)
        async with reading_as(self._app.database, SERVICE, actor) as connection:
            found = (await connection.execute(lists)).mappings().first()
            if found is None:
                raise NotFound("shortlist.not_found")
            page = await order.read(connection, query, after, size)
        cards = await self._reads.get_many([row["creator_id"] for row in page.rows], actor, self._clock())
        shown = {card.creator_id: listed(card) for card in cards}
        token = self._tokens.seal(request, page.next, actor.tenant) if page.next else ""
        return pb.ListShortlistCreatorsResponse(
            shortlist=_shortlist(found),
            creators=[_entry(row, shown[row["creator_id"]]) for row in page.rows if row["creator_id"] in shown],
            page=common.PageInfo(next_page_token=token),
        )


def _owner() -> Actor:
    actor = caller()
    actor.require(*OWNERS)
    return actor


def _on_lists(actor: Actor) -> sa.Select[Any]:
    """Rows of SHORTLISTED whose creators are there."""
    joined = sa.select(SHORTLISTED).join(CREATORS, CREATORS.c.creator_id == SHORTLISTED.c.creator_id)
    return joined.where(may_read(SHORTLISTED, actor), may_read(CREATORS, actor))


def _lists(actor: Actor, creator_id: str) -> sa.Select[Any]:
    """The caller's rows of SHORTLISTS, with `creators`, how many are on each, and `has_creator`, whether this one is."""
    entries = _on_lists(actor).subquery("entries")
    counted = (
        sa.select(
            entries.c.shortlist_id,
            sa.func.count().label("creators"),
            sa.func.max(sa.case((entries.c.creator_id == creator_id, 1), else_=0)).label("has_creator"),
        )
        .group_by(entries.c.shortlist_id)
        .subquery("counted")
    )
    creators, has = (sa.func.coalesce(counted.c[name], 0).label(name) for name in ("creators", "has_creator"))
    own = may_read(SHORTLISTS, actor) & (SHORTLISTS.c.owner == actor.tenant)
    joined = SHORTLISTS.outerjoin(counted, counted.c.shortlist_id == SHORTLISTS.c.shortlist_id)
    return sa.select(SHORTLISTS, creators, has).select_from(joined).where(own)


def _shortlist(row: Mapping[str, Any]) -> pb.Shortlist:
    return pb.Shortlist(
        shortlist_id=row["shortlist_id"],
        name=row["name"],
        begun_at=stamp(row["begun_at"]),
        changed_at=stamp(row["changed_at"]),
        creators=row["creators"],
        has_creator=bool(row["has_creator"]),
    )


def _entry(row: Mapping[str, Any], creator: pb.Creator) -> pb.ShortlistedCreator:
    return pb.ShortlistedCreator(
        creator=creator, added_at=stamp(row["added_at"]), note=row["note"], noted_at=stamp(row["noted_at"])
    )
