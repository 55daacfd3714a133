"""Search and its facets."""

from datetime import datetime
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1 import filters_pb2 as filters
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.words import number, word
from google.protobuf.field_mask_pb2 import FieldMask

from kernel.core.decider import Actor
from kernel.core.faults import Invalid
from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import Cursor, page_size
from services.discovery.domain.criteria import Criteria, order_of
from services.discovery.domain.profile import Availability, Platform
from services.discovery.domain.rate_card import Format
from services.discovery.domain.tiers import Tier
from services.discovery.reads import Card
from services.discovery.rpc.asked import PAGE_LIMIT, Asked
from services.discovery.rpc.filters import (
    checked_mask,
    filters_of,
    listed_fields,
    masked,
    wire_matches,
    wire_price,
    worked_for,
)
from services.discovery.rpc.messages import listed
from services.discovery.search.asked.checking import checked_search
from services.discovery.search.asked.matches import Met
from services.discovery.search.facets import Facet, checked_facets
from services.discovery.search.reasons import reasons


class Search(Asked, grpc_pb.CreatorQueryServiceServicer):
    """One page of a search, and what a search may be narrowed or widened to."""

    async def SearchCreators(self, request: pb.SearchCreatorsRequest, context: RpcContext) -> Any:  # noqa: N802
        """One page, as bytes: the same caller's same question within half a second gets the same answer."""
        actor = caller()

        async def ask() -> bytes:
            return (await self._search(request, actor)).SerializeToString()

        if request.at_least:
            return await ask()
        return await self._replies.answer((actor, request.SerializeToString(deterministic=True)), ask)

    async def _search(self, request: pb.SearchCreatorsRequest, actor: Actor) -> pb.SearchCreatorsResponse:
        criteria, size = checked_search(criteria_of(request)), page_size(request.page_size, limit=PAGE_LIMIT)
        mask = checked_mask(request.creator_fields, pb.Creator)
        at, after = self._opened(request, actor)
        await self._wait(request.at_least)
        page = await self._reads.search(criteria, at, after, size, actor)
        token = self._tokens.seal(request, (at.isoformat(), *page.after), actor.tenant) if page.after else ""
        return pb.SearchCreatorsResponse(
            hits=[self._hit(card, criteria, page.met[card.creator_id], at, mask) for card in page.cards],
            page=common.PageInfo(next_page_token=token, as_of=[f"{self._app.service.name}:{page.position}:"]),
            total=page.total,
            answered_by="index" if page.indexed else "sql",
        )

    async def CountCreators(self, request: pb.CountCreatorsRequest, context: RpcContext) -> pb.CountCreatorsResponse:  # noqa: N802
        """What a search may be narrowed or widened to."""
        criteria, names = checked_search(criteria_of(request.search)), checked_facets(request.facets)
        await self._wait(request.search.at_least)
        found, total = await self._reads.count(criteria, self._clock(), caller(), names)
        return pb.CountCreatorsResponse(facets=map(_facet, found), total=total)

    async def ListSearchFields(  # noqa: N802
        self, request: filters.ListSearchFieldsRequest, context: RpcContext
    ) -> filters.ListSearchFieldsResponse:
        """The table of fields."""
        return filters.ListSearchFieldsResponse(fields=listed_fields())

    def _opened(self, request: pb.SearchCreatorsRequest, actor: Actor) -> tuple[datetime, Cursor | None]:
        """The moment whose prices the whole list uses, and where the page before ended."""
        opened = self._tokens.open(request, request.page_token, actor.tenant)
        return (self._clock(), None) if opened is None else (datetime.fromisoformat(str(opened[0])), opened[1:])

    def _hit(self, card: Card, criteria: Criteria, why: Met, at: datetime, mask: FieldMask) -> pb.CreatorHit:
        matched = self._reads.text_fields(card.creator_id, criteria.text) if criteria.text else []
        return pb.CreatorHit(
            creator=masked(listed(card), mask),
            reasons=reasons(criteria, card.state, matched),
            matches=wire_matches(why),
            text_fields=matched,
            price=wire_price(why, criteria.format, at),
        )


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


def criteria_of(request: pb.SearchCreatorsRequest) -> Criteria:
    """Raises Invalid for enum values that this version does not know."""
    availability = _known("availability", events.Availability, request.availability)
    kind = _known("format", common.Format, request.format)
    return Criteria(
        text=request.text,
        categories=tuple(request.categories),
        tiers=tuple(Tier(needed("tiers", common.Tier, tier)) for tier in request.tiers),
        followers_min=request.followers_min,
        followers_max=request.followers_max,
        format=Format(kind) if kind else None,
        currency=request.currency,
        price_min_minor=request.price_min_minor,
        price_max_minor=request.price_max_minor,
        languages=tuple(request.languages),
        locations=tuple(request.locations),
        availability=Availability(availability) if availability else None,
        platforms=tuple(Platform(needed("platforms", common.Platform, one)) for one in request.platforms),
        tags=tuple(request.tags),
        engagement_rate_min_bps=request.engagement_rate_min_bps,
        exclude_campaign_id=request.exclude_campaign_id,
        filters=filters_of(request.filters),
        exclude_invited=request.exclude_invited,
        exclude_worked_for=worked_for(request.exclude_worked_for) if request.HasField("exclude_worked_for") else None,
        order=order_of(request.order_by),
    )


def _known(field: str, enum: Any, value: int) -> str:
    """The word of a value; "" where unset."""
    return needed(field, enum, value) if value else ""


def needed(field: str, enum: Any, value: int) -> str:
    """The word of a value that must be given; raises Invalid `search.value_unknown`."""
    found = word(enum, value)
    if not found:
        raise Invalid("search.value_unknown", field=field, value=value)
    return found
