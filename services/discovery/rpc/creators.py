"""Creators by their ids: one, several, watched; and handles that several claim."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb

from kernel.core.faults import Invalid
from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import page_size
from kernel.processors.keyset import chosen
from services.discovery.domain.profile import Account, Platform
from services.discovery.publish.wire import wire_account
from services.discovery.rpc.asked import PAGE_LIMIT, Asked
from services.discovery.rpc.filters import checked_mask, masked
from services.discovery.rpc.messages import listed, wire_creator
from services.discovery.search.contested import Contested, contested

WATCHED_LIMIT = 50


class Creators(Asked, grpc_pb.CreatorQueryServiceServicer):
    """Creators by their ids."""

    async def GetCreator(self, request: pb.GetCreatorRequest, context: RpcContext) -> pb.GetCreatorResponse:  # noqa: N802
        """One creator."""
        mask = checked_mask(request.creator_fields, pb.Creator)
        await self._wait(request.at_least)
        card = await self._reads.get(request.creator_id, caller(), self._clock())
        return pb.GetCreatorResponse(creator=masked(wire_creator(card), mask))

    async def BatchGetCreators(  # noqa: N802
        self, request: pb.BatchGetCreatorsRequest, context: RpcContext
    ) -> pb.BatchGetCreatorsResponse:
        """Several creators."""
        if len(request.creator_ids) > PAGE_LIMIT:
            raise Invalid("filter.too_many_values", field="creator_ids", limit=PAGE_LIMIT)
        mask = checked_mask(request.creator_fields, pb.Creator)
        await self._wait(request.at_least)
        cards = await self._reads.get_many(request.creator_ids, caller(), self._clock())
        return pb.BatchGetCreatorsResponse(creators=[masked(listed(card), mask) for card in cards])

    async def WatchCreator(  # noqa: N802
        self, request: pb.WatchCreatorRequest, context: RpcContext
    ) -> AsyncIterator[Any]:
        """Now, and after each change, as bytes: one look serves all watchers of a creator in one tenant with the same roles."""
        actor = caller()
        await self._wait(request.at_least)

        async def look() -> bytes:
            creator = wire_creator(await self._reads.get(request.creator_id, actor, self._clock()))
            return pb.WatchCreatorResponse(creator=creator).SerializeToString(deterministic=True)

        seen = self._looks.watch((request.creator_id, actor.tenant, actor.roles), look)
        async with aclosing(seen) as creators:
            async for creator in creators:
                yield creator

    async def WatchCreators(  # noqa: N802
        self, request: pb.WatchCreatorsRequest, context: RpcContext
    ) -> AsyncIterator[pb.WatchCreatorsResponse]:
        """Those that changed since the message before; one look serves all who watch the same creators in one tenant."""
        actor, ids = caller(), tuple(dict.fromkeys(request.creator_ids))
        if not 1 <= len(ids) <= WATCHED_LIMIT:
            raise Invalid("filter.too_many_values", field="creator_ids", limit=WATCHED_LIMIT)
        await self._wait(request.at_least)

        async def look() -> Mapping[str, pb.Creator]:
            cards = await self._reads.get_many(ids, actor, self._clock())
            return {card.creator_id: listed(card) for card in cards}

        known: Mapping[str, pb.Creator] = dict.fromkeys(ids, pb.Creator())
        async with aclosing(self._set_looks.watch((ids, actor.tenant, actor.roles), look)) as found:
            async for creators in found:
                changed = [one for creator_id, one in creators.items() if known.get(creator_id) != one]
                gone = [creator_id for creator_id in ids if creator_id in known and creator_id not in creators]
                known = creators
                yield pb.WatchCreatorsResponse(creators=changed, gone_ids=gone)

    async def ListContestedHandles(  # noqa: N802
        self, request: pb.ListContestedHandlesRequest, context: RpcContext
    ) -> pb.ListContestedHandlesResponse:
        """What operators have to decide."""
        actor, size = caller(), page_size(request.page_size, limit=PAGE_LIMIT)
        _, falling = chosen(request.order_by, ("handle", "handle desc"))
        after = self._tokens.open(request, request.page_token, actor.tenant)
        await self._wait(request.at_least)
        found = await contested(self._app.database, after, size, actor, falling)
        token = self._tokens.seal(request, found.after, actor.tenant) if found.after else ""
        return pb.ListContestedHandlesResponse(
            handles=map(_contested, found.handles), page=common.PageInfo(next_page_token=token)
        )


def _contested(one: Contested) -> pb.ContestedHandle:
    return pb.ContestedHandle(
        account=wire_account(Account(Platform(one.platform), one.handle)),
        claims=[pb.HandleClaim(creator_id=claim.creator_id, account_id=claim.account_id) for claim in one.claims],
    )
