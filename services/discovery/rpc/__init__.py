"""CreatorQueryService: questions of others in, protobuf out. Contract: proto/dandelion/discovery/v1/queries.proto."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number, word

from kernel.core.clock import Clock, system_clock
from kernel.core.decider import Actor
from kernel.core.faults import Invalid
from kernel.edge.grpc import RpcService, caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import Cursor, page_size
from kernel.host.app import App
from kernel.processors.keyset import chosen
from kernel.processors.shared_looks import SharedLooks
from services.discovery.domain.criteria import Criteria, checked_criteria, order_of
from services.discovery.domain.profile import Account, Availability, Platform
from services.discovery.domain.rate_card import Format
from services.discovery.domain.tiers import Tier, tier_of
from services.discovery.projections import CREATORS_PROJECTION, TRACK_RECORDS
from services.discovery.publish import wire_account, wire_audience, wire_cell, wire_profile, wire_rates
from services.discovery.reads import Card, CreatorReads, reads_of
from services.discovery.rpc.history import shared_queries
from services.discovery.search.claims import UNSEEN
from services.discovery.search.contested import Contested, contested
from services.discovery.search.facets import Facet
from services.discovery.search.lookalikes import mixes_scripts
from services.discovery.search.reasons import reasons
from services.discovery.search.replies import Replies

PAGE_LIMIT = 200
"""So many of the largest creators that there can be still fit one message."""
GATHER_S = 0.02
"""Batches that a projector commits within this time are one look."""


class CreatorQueries(grpc_pb.CreatorQueryServiceServicer):
    """Answers as `caller()`; waits for `at_least` first."""

    def __init__(self, app: App, reads: CreatorReads, clock: Clock = system_clock) -> None:
        self._app, self._reads, self._clock = app, reads, clock
        self._tokens = app.page_tokens
        self._replies = Replies(app.progress)
        self._looks: SharedLooks[bytes] = SharedLooks(app.progress, GATHER_S)

    async def SearchCreators(self, request: pb.SearchCreatorsRequest, context: RpcContext) -> Any:  # noqa: N802
        """One page, as bytes: the same caller's same question within half a second gets the same answer."""
        actor = caller()

        async def ask() -> bytes:
            return (await self._search(request, actor)).SerializeToString()

        if request.at_least:
            return await ask()
        return await self._replies.answer((actor, request.SerializeToString(deterministic=True)), ask)

    async def _search(self, request: pb.SearchCreatorsRequest, actor: Actor) -> pb.SearchCreatorsResponse:
        criteria, size = checked_criteria(criteria_of(request)), page_size(request.page_size, limit=PAGE_LIMIT)
        at, after = self._opened(request, actor)
        await self._wait(request.at_least)
        page = await self._reads.search(criteria, at, after, size, actor)
        token = self._tokens.seal(request, (at.isoformat(), *page.after), actor.tenant) if page.after else ""
        return pb.SearchCreatorsResponse(
            hits=[self._hit(card, criteria) for card in page.cards],
            page=common.PageInfo(next_page_token=token, as_of=[f"{self._app.service.name}:{page.position}:"]),
            total=page.total,
        )

    async def CountCreators(self, request: pb.CountCreatorsRequest, context: RpcContext) -> pb.CountCreatorsResponse:  # noqa: N802
        """What a search may be narrowed or widened to."""
        criteria = checked_criteria(criteria_of(request.search))
        await self._wait(request.search.at_least)
        found, total = await self._reads.count(criteria, self._clock(), caller())
        return pb.CountCreatorsResponse(facets=map(_facet, found), total=total)

    async def GetCreator(self, request: pb.GetCreatorRequest, context: RpcContext) -> pb.GetCreatorResponse:  # noqa: N802
        """One creator."""
        await self._wait(request.at_least)
        card = await self._reads.get(request.creator_id, caller(), self._clock())
        return pb.GetCreatorResponse(creator=wire_creator(card))

    async def BatchGetCreators(  # noqa: N802
        self, request: pb.BatchGetCreatorsRequest, context: RpcContext
    ) -> pb.BatchGetCreatorsResponse:
        """Several creators."""
        if len(request.creator_ids) > PAGE_LIMIT:
            raise Invalid("filter.too_many_values", field="creator_ids", limit=PAGE_LIMIT)
        await self._wait(request.at_least)
        cards = await self._reads.get_many(request.creator_ids, caller(), self._clock())
        return pb.BatchGetCreatorsResponse(creators=map(_listed, cards))

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

    async def _wait(self, token: str) -> None:
        """A token of discovery means its own events, one of another service the track records."""
        own = token.startswith(f"{self._app.service.name}:")
        await self._app.at_least(token, (CREATORS_PROJECTION if own else TRACK_RECORDS).name)

    def _opened(self, request: pb.SearchCreatorsRequest, actor: Actor) -> tuple[datetime, Cursor | None]:
        """The moment whose prices the whole list uses, and where the page before ended."""
        opened = self._tokens.open(request, request.page_token, actor.tenant)
        return (self._clock(), None) if opened is None else (datetime.fromisoformat(str(opened[0])), opened[1:])

    def _hit(self, card: Card, criteria: Criteria) -> pb.CreatorHit:
        matched = self._reads.names.index.matched(card.creator_id, criteria.text) if criteria.text else []
        return pb.CreatorHit(creator=_listed(card), reasons=reasons(criteria, card.state, matched))


def _listed(card: Card) -> pb.Creator:
    """A creator as lists show it."""
    creator = wire_creator(card)
    creator.ClearField("audience")
    return creator


ENUMS: dict[str, Any] = {
    "tiers": common.Tier, "platforms": common.Platform, "availability": events.Availability, "format": common.Format,
}  # fmt: skip


def _facet(facet: Facet) -> pb.Facet:
    """Values as the field of SearchCreatorsRequest takes them."""
    enum = ENUMS.get(facet.filter)
    values = [
        pb.FacetValue(value=enum.Name(number(enum, value)) if enum else value, creators=creators)
        for value, creators in facet.values
    ]
    return pb.Facet(filter=facet.filter, values=values)


def _contested(one: Contested) -> pb.ContestedHandle:
    return pb.ContestedHandle(
        account=wire_account(Account(Platform(one.platform), one.handle)),
        claims=[pb.HandleClaim(creator_id=claim.creator_id, account_id=claim.account_id) for claim in one.claims],
    )


def criteria_of(request: pb.SearchCreatorsRequest) -> Criteria:
    """Raises Invalid for enum values that this version does not know."""
    availability = _known("availability", events.Availability, request.availability)
    kind = _known("format", common.Format, request.format)
    return Criteria(
        text=request.text,
        categories=tuple(request.categories),
        tiers=tuple(Tier(_needed("tiers", common.Tier, tier)) for tier in request.tiers),
        followers_min=request.followers_min,
        followers_max=request.followers_max,
        format=Format(kind) if kind else None,
        currency=request.currency,
        price_min_minor=request.price_min_minor,
        price_max_minor=request.price_max_minor,
        languages=tuple(request.languages),
        locations=tuple(request.locations),
        availability=Availability(availability) if availability else None,
        platforms=tuple(Platform(_needed("platforms", common.Platform, one)) for one in request.platforms),
        tags=tuple(request.tags),
        engagement_rate_min_bps=request.engagement_rate_min_bps,
        exclude_campaign_id=request.exclude_campaign_id,
        order=order_of(request.order_by),
    )


def _known(field: str, enum: Any, value: int) -> str:
    """The word of a value; "" where unset."""
    return _needed(field, enum, value) if value else ""


def _needed(field: str, enum: Any, value: int) -> str:
    found = word(enum, value)
    if not found:
        raise Invalid("search.value_unknown", field=field, value=value)
    return found


def wire_creator(card: Card) -> pb.Creator:
    state, profile, jobs = card.state, card.state.profile, card.records
    followers = state.largest_followers()
    available = state.availability
    return pb.Creator(
        creator_id=card.creator_id,
        profile=wire_profile(replace(profile, birth_year=card.birth_year)) if profile else None,
        age_class=number(pb.AgeClass, card.age_class),
        display_name=card.display_name,
        bio=card.bio,
        contact=card.contact,
        accounts=wire_accounts(card),
        followers=followers,
        tier=number(common.Tier, tier_of(followers)),
        availability=number(events.Availability, available.availability if available else ""),
        max_parallel_jobs=available.max_parallel_jobs if available else 0,
        currency=state.card.currency if state.card else "",
        rates=wire_rates(state.card) if state.card else [],
        commission_bps=(state.card.commission_bps or 0) if state.card else 0,
        performance=[wire_cell(cell) for cell in state.performance],
        engagement_rate_bps=state.engagement_rate_bps() or 0,
        audience=[wire_audience(one, card.creator_id, None) for one in state.audiences],
        suspended=card.suspended,
        jobs_in_progress=jobs["contracted"],
        jobs_settled=jobs["settled"],
        jobs_cancelled=jobs["cancelled"],
        past_brands=card.past_brands,
        findings=jobs["findings"],
        disclosures_missing=jobs["disclosures_missing"],
        orders=jobs["orders"],
        registered_at=stamp(card.registered_at),
        changed_at=stamp(card.changed_at),
        version=card.version,
    )


def wire_accounts(card: Card) -> list[pb.CreatorAccount]:
    made, state = [], card.state
    for account in state.accounts:
        count, standing = state.followers_on(account.platform), card.claims.get(account, UNSEEN)
        made.append(
            pb.CreatorAccount(
                account=wire_account(account),
                verified=account.platform in state.verified and not standing.lost,
                lost=standing.lost,
                looks_like=standing.looks_like,
                mixes_scripts=mixes_scripts(account.handle),
                followers=count.count if count else 0,
                provenance=number(common.Provenance, count.provenance if count else ""),
                measured_at=stamp(count.observed_at) if count else None,
            )
        )
    return made


def make_queries(app: App) -> list[RpcService]:
    """The queries of discovery for both edges, and their text index kept up beside them."""
    reads = reads_of(app)
    described = pb.DESCRIPTOR.services_by_name["CreatorQueryService"]
    add, keep = grpc_pb.add_CreatorQueryServiceServicer_to_server, partial(reads.names.keep, app.progress)
    return [
        RpcService.of(described, add, CreatorQueries(app, reads), keep),
        *shared_queries(app, wire_creator),
    ]
