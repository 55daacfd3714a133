"""Likeness and match."""

from collections.abc import Sequence
from dataclasses import replace

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import matching_pb2 as match
from dandelion.discovery.v1 import mix_pb2 as mix
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb

from kernel.core.faults import Invalid
from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import page_size
from services.discovery.domain.criteria import MOST_FOLLOWERS
from services.discovery.domain.matching import Brief, Wanted, checked_brief
from services.discovery.domain.mix import Goal
from services.discovery.domain.rate_card import Format
from services.discovery.matching.adopted import in_force
from services.discovery.matching.parts import Part
from services.discovery.projections import MATCH_WEIGHTS_PROJECTION
from services.discovery.rpc.asked import Asked
from services.discovery.rpc.match_weights import wire_in_force
from services.discovery.rpc.messages import listed
from services.discovery.rpc.search import criteria_of, needed
from services.discovery.search.asked.checking import checked_search

SIZE, SIZE_LIMIT = 20, 100


class Matching(Asked, grpc_pb.CreatorQueryServiceServicer):
    """Creators weighed against each other and for a brief."""

    async def SimilarCreators(  # noqa: N802
        self, request: match.SimilarCreatorsRequest, context: RpcContext
    ) -> pb.SimilarCreatorsResponse:
        """Like one to five others."""
        await self._wait(request.at_least)
        actor, at, size = caller(), self._clock(), page_size(request.page_size, SIZE, SIZE_LIMIT)
        found = await self.matcher.similar(request.creator_ids, at, size, actor)
        cards = await self._reads.get_many([one.creator_id for one in found.found], actor, at)
        shown = {card.creator_id: listed(card) for card in cards}
        creators = [
            pb.SimilarCreator(creator=shown[one.creator_id], score=one.score, parts=map(_part, one.parts))
            for one in found.found
            if one.creator_id in shown
        ]
        return pb.SimilarCreatorsResponse(creators=creators, looked_at=found.looked_at, styled=found.styled)

    async def MatchCreators(self, request: pb.MatchCreatorsRequest, context: RpcContext) -> pb.MatchCreatorsResponse:  # noqa: N802
        """Ranked for a brief."""
        brief = checked_brief(_brief(request.brief))
        criteria = checked_search(replace(criteria_of(request.search), order=MOST_FOLLOWERS))
        await self._wait(request.at_least)
        await self._app.at_least(request.at_least, MATCH_WEIGHTS_PROJECTION.name)
        weights = await in_force(self._app.database)
        actor, at, size = caller(), self._clock(), page_size(request.page_size, SIZE, SIZE_LIMIT)
        named = await self._reads.found(criteria)
        found = await self.matcher.match(brief, criteria, named, weights.weights, at, size, actor)
        cards = await self._reads.get_many([one.creator_id for one in found.best], actor, at)
        shown = {card.creator_id: listed(card) for card in cards}
        creators = [
            pb.MatchedCreator(
                creator=shown[one.creator_id],
                score=one.score,
                parts=map(_part, one.parts),
                price_minor=one.price_minor or 0,
            )
            for one in found.best
            if one.creator_id in shown
        ]
        return pb.MatchCreatorsResponse(
            creators=creators,
            found=found.found,
            looked_at=found.looked_at,
            styled=found.styled,
            weights=wire_in_force(weights),
        )


def _part(part: Part) -> match.ScorePart:
    return match.ScorePart(name=part.name, value=part.value or 0.0, is_known=part.value is not None, weight=part.weight)


def _brief(asked: match.MatchBrief) -> Brief:
    goal = Goal(needed("goal", mix.MixGoal, asked.goal))
    if goal is Goal.REACH:
        raise Invalid("search.value_unknown", field="goal", value=asked.goal)
    return Brief(
        text=" ".join(asked.text.split()),
        goal=goal,
        format=Format(needed("format", common.Format, asked.format)),
        currency=asked.currency,
        price_max_minor=asked.price_max_minor,
        industry=asked.industry,
        categories=tuple(asked.categories),
        wanted=Wanted(*map(_values, (asked.genders, asked.ages, asked.locations, asked.interests))),
    )


def _values(told: Sequence[str]) -> tuple[str, ...]:
    return tuple(told)
