"""What creators' figures are thought of: one creator, and the work list of staff."""

from dataclasses import fields
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import authenticity_pb2 as pb
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number, word

from kernel.core.faults import Invalid
from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import page_size
from kernel.processors.keyset import chosen
from services.discovery.domain.authenticity.evidence import Evidence, Growth
from services.discovery.domain.authenticity.standing import Standing
from services.discovery.projections import AUTHENTICITY_PROJECTION
from services.discovery.publish.authenticity import wire_signal
from services.discovery.rpc.asked import PAGE_LIMIT, Asked
from services.discovery.search.judgements import Judgement, judgement, judgements

PARTS = {
    "followers": pb.FollowerSampleEvidence,
    "engagement": pb.EngagementEvidence,
    "likes": pb.LikesEvidence,
    "comments": pb.CommentsEvidence,
    "geography": pb.GeographyEvidence,
    "account": pb.OwnAccountEvidence,
}
"""Parts of the evidence whose messages have the same fields."""


class AuthenticityQueries(Asked, grpc_pb.CreatorQueryServiceServicer):
    """Judgements of creators."""

    async def GetAuthenticity(  # noqa: N802
        self, request: pb.GetAuthenticityRequest, context: RpcContext
    ) -> pb.GetAuthenticityResponse:
        """One creator's."""
        await self._app.at_least(request.at_least, AUTHENTICITY_PROJECTION.name)
        found = await judgement(self._app.database, request.creator_id, caller())
        return pb.GetAuthenticityResponse(authenticity=wire_judgement(found))

    async def ListAuthenticity(  # noqa: N802
        self, request: pb.ListAuthenticityRequest, context: RpcContext
    ) -> pb.ListAuthenticityResponse:
        """Those that are doubted, the lowest score first."""
        actor, size = caller(), page_size(request.page_size, limit=PAGE_LIMIT)
        _, falling = chosen(request.order_by, ("score", "score desc"))
        standings = [_standing(one) for one in dict.fromkeys(request.standings)]
        after = self._tokens.open(request, request.page_token, actor.tenant)
        await self._app.at_least(request.at_least, AUTHENTICITY_PROJECTION.name)
        found = await judgements(self._app.database, standings, request.appealed, after, size, actor, falling)
        token = self._tokens.seal(request, found.after, actor.tenant) if found.after else ""
        return pb.ListAuthenticityResponse(
            creators=map(wire_judgement, found.judgements), page=common.PageInfo(next_page_token=token)
        )


def _standing(value: Any) -> Standing:
    known = word(events.AuthenticityStanding, value)
    if not known:
        raise Invalid("search.value_unknown", field="standings", value=int(value))
    return Standing(known)


def wire_judgement(found: Judgement) -> pb.Authenticity:
    """What an answer says of a judgement; without one, the creator's id alone."""
    made = pb.Authenticity(
        creator_id=found.creator_id,
        holds_offers=found.holds.offers,
        holds_payouts=found.holds.payouts,
        standing=number(events.AuthenticityStanding, found.standing),
        assessed_at=stamp(found.assessed_at),
        appealed=found.appealed_at is not None,
        statement=found.statement,
        appealed_at=stamp(found.appealed_at),
        lift_proposed_by=found.proposed_by,
        lift_reason=found.proposed_reason,
        verdict=number(events.AuthenticityVerdict, found.verdict),
        ruling_reason=found.ruling_reason,
        ruled_at=stamp(found.ruled_at),
    )
    if found.assessed is not None:
        score = found.assessed.score
        made.score, made.score_low, made.score_high, made.formula = score.score, score.low, score.high, score.formula
        made.signals.extend(map(wire_signal, score.signals))
        made.evidence.CopyFrom(_evidence(found.assessed.evidence))
    return made


def _evidence(evidence: Evidence) -> pb.AuthenticityEvidence:
    parts: dict[str, Any] = {}
    for name, kind in PARTS.items():
        part = getattr(evidence, name)
        if part is not None:
            parts[name] = kind(**{one.name: getattr(part, one.name) for one in fields(part)})
    if evidence.growth is not None:
        parts["growth"] = _growth(evidence.growth)
    return pb.AuthenticityEvidence(**parts)


def _growth(growth: Growth) -> pb.GrowthEvidence:
    jumps = [
        pb.FollowerJump(day=one.day.isoformat(), gained=one.gained, expected_max=one.expected_max)
        for one in growth.jumps
    ]
    return pb.GrowthEvidence(points=growth.points, days=growth.days, jump_bps=growth.jump_bps, jumps=jumps)
