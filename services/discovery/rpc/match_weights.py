"""Weights of a match: those that were adopted, and those that past work teaches."""

from collections.abc import Mapping
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import matching_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp

from kernel.core.codec import adapter
from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import page_size
from kernel.processors.keyset import chosen
from services.discovery.domain.match_weights.commands import Learning, PartWeight
from services.discovery.domain.match_weights.match_weights import WHOLE_MICROS
from services.discovery.matching.adopted import BY, CAME_WITH, InForce, in_force, shares, versions
from services.discovery.matching.past import learned_weights
from services.discovery.matching.proposals import sealed
from services.discovery.projections import MATCH_WEIGHTS_PROJECTION
from services.discovery.rpc.asked import PAGE_LIMIT, Asked

WATCHERS = ("operator", "auditor")


class MatchWeightQueries(Asked, grpc_pb.CreatorQueryServiceServicer):
    """For operators and auditors."""

    async def ListMatchWeights(  # noqa: N802
        self, request: pb.ListMatchWeightsRequest, context: RpcContext
    ) -> pb.ListMatchWeightsResponse:
        """Version by version."""
        actor, size = caller(), page_size(request.page_size, limit=PAGE_LIMIT)
        actor.require(*WATCHERS)
        _, falling = chosen(request.order_by, BY)
        after = self._tokens.open(request, request.page_token, actor.tenant)
        await self._app.at_least(request.at_least, MATCH_WEIGHTS_PROJECTION.name)
        page = await versions(self._app.database, falling, after, size, actor)
        token = self._tokens.seal(request, page.next, actor.tenant) if page.next else ""
        return pb.ListMatchWeightsResponse(
            adopted=map(_adopted, page.rows),
            own=wire_in_force(CAME_WITH),
            page=common.PageInfo(next_page_token=token),
            in_force=wire_in_force(await in_force(self._app.database)),
        )

    async def LearnMatchWeights(  # noqa: N802
        self, request: pb.LearnMatchWeightsRequest, context: RpcContext
    ) -> pb.LearnMatchWeightsResponse:
        """What past work teaches; nothing is changed."""
        actor = caller()
        actor.require(*WATCHERS)
        await self._app.at_least(request.at_least, MATCH_WEIGHTS_PROJECTION.name)
        before = await in_force(self._app.database)
        proposal = await learned_weights(self.matcher, before.weights, actor)
        return pb.LearnMatchWeightsResponse(
            weights=wire_weights(shares(proposal.weights)),
            in_force=wire_in_force(before),
            learning=_learning(proposal.learning),
            proposal=sealed(self._app.fingerprint_key, proposal),
        )


def wire_weights(weights: Mapping[str, float]) -> list[pb.MatchWeight]:
    return [pb.MatchWeight(part=part, weight=weight) for part, weight in weights.items()]


def wire_in_force(one: InForce) -> pb.MatchWeights:
    return pb.MatchWeights(weights=wire_weights(one.weights), version=one.version, since=stamp(one.since))


def _adopted(row: Any) -> pb.AdoptedWeights:
    weights = shares(adapter(tuple[PartWeight, ...]).validate_json(row["weights"]))
    return pb.AdoptedWeights(
        weights=wire_in_force(InForce(row["version"], row["since"], weights)),
        adopted_by=row["adopted_by"],
        reason=row["reason"],
        restored_version=row["restored"],
        learning=_learning(adapter(Learning).validate_json(row["learning"])) if row["learning"] else None,
    )


def _learning(one: Learning) -> pb.MatchLearning:
    return pb.MatchLearning(
        briefs=one.briefs,
        pairs=one.pairs,
        briefs_ranked=one.briefs_ranked,
        ndcg=one.ndcg_micros / WHOLE_MICROS,
        ndcg_before=one.ndcg_before_micros / WHOLE_MICROS,
        ndcg_followers=one.ndcg_followers_micros / WHOLE_MICROS,
    )
