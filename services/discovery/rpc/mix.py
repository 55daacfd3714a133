"""The mix planner."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import mix_pb2 as mix
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.words import number

from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from services.discovery.domain.criteria import MOST_FOLLOWERS
from services.discovery.domain.mix import Goal, MixAsked, Quota, QuotaKind, checked_mix
from services.discovery.domain.rate_card import Format
from services.discovery.planning.plan import Placed, Plan, Range
from services.discovery.planning.planner import Planned
from services.discovery.rpc.asked import Asked
from services.discovery.rpc.search import criteria_of, needed
from services.discovery.search.asked.checking import checked_search


class Mix(Asked, grpc_pb.CreatorQueryServiceServicer):
    """Plans for a budget."""

    async def PlanMix(self, request: pb.PlanMixRequest, context: RpcContext) -> mix.PlanMixResponse:  # noqa: N802
        """The best set, why it is so, and what stands in its way where there is none."""
        asked = checked_mix(_asked(request))
        criteria = checked_search(replace(criteria_of(request.search), order=MOST_FOLLOWERS))
        await self._wait(request.at_least)
        found = await self._reads.found(criteria)
        planned = await self._planner.plan(asked, criteria, found, self._clock(), caller(), request.with_frontier)
        return _wire(planned)


def _asked(request: pb.PlanMixRequest) -> MixAsked:
    return MixAsked(
        goal=Goal(needed("goal", mix.MixGoal, request.goal)),
        format=Format(needed("format", common.Format, request.format)),
        currency=request.currency,
        budget_minor=request.budget_minor,
        industry=request.industry,
        creators_min=request.creators_min,
        creators_max=request.creators_max,
        quotas=tuple(map(_quota, request.quotas)),
        authenticity_min=request.authenticity_min,
        competitors=tuple(request.competitors),
        competitor_days=request.competitor_days,
        must=tuple(request.must),
        never=tuple(request.never),
    )


def _quota(quota: mix.MixQuota) -> Quota:
    return Quota(
        QuotaKind(needed("quotas", mix.MixQuotaKind, quota.kind)),
        quota.value,
        quota.creators_min,
        quota.creators_max,
        quota.spend_min_bps,
        quota.spend_max_bps,
    )


def _wire(planned: Planned) -> mix.PlanMixResponse:
    plan = planned.plan
    return mix.PlanMixResponse(
        picks=map(_pick, plan.chosen),
        next_in_line=map(_pick, plan.next_in_line),
        spent_minor=plan.spent_minor,
        outcome=_range(plan.outcome),
        bound=plan.bound,
        gap_ratio=plan.gap,
        is_optimal=plan.is_optimal,
        greedy_outcome=plan.greedy,
        greedy_holds=plan.greedy_holds,
        left_out=[mix.MixLeftOut(reason=why, creators=count) for why, count in sorted(plan.out.items())],
        frontier=_frontier(plan),
        found=planned.found,
        considered=plan.considered,
        **_bounds(plan),
    )


def _bounds(plan: Plan) -> dict[str, Any]:
    binding = [
        mix.MixBinding(name=one.row.name, unit=one.row.unit, used=one.used, price=one.price) for one in plan.binding
    ]
    lacking = [mix.MixMissing(name=one.row.name, unit=one.row.unit, by=one.by) for one in plan.missing]
    return {"binding": binding, "missing": lacking}


def _frontier(plan: Plan) -> Sequence[mix.MixPoint]:
    return [
        mix.MixPoint(budget_minor=one.budget_minor, outcome=one.outcome, bound=one.bound, spent_minor=one.spent_minor)
        for one in plan.frontier
    ]


def _pick(placed: Placed) -> mix.MixPick:
    one = placed.candidate
    return mix.MixPick(
        creator_id=one.creator_id,
        price_minor=one.price_minor,
        outcome=_range(Range(one.forecast.low, one.forecast.median, one.forecast.high)),
        source=number(mix.MixSource, one.forecast.source),
        reason=number(mix.MixReason, placed.reason),
        bound_name=placed.row,
        edge=placed.edge,
    )


def _range(one: Range) -> mix.MixRange:
    return mix.MixRange(low=one.low, median=one.median, high=one.high)
