"""ReviewQueryService: questions of others in, protobuf out. Contract: proto/dandelion/compliance/v1/queries.proto."""

from collections.abc import Iterator
from functools import partial

from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import queries_pb2 as pb
from dandelion.compliance.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.words import word
from google.protobuf.message import Message

from kernel.core.clock import Clock, system_clock
from kernel.core.decider import Actor
from kernel.core.ids import checked_id
from kernel.edge.grpc import RpcService, caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import Cursor, page_size
from kernel.host.app import App
from kernel.processors.keyset import Page, chosen
from kernel.processors.read_your_writes import there
from services.compliance.packs import shipped_packs
from services.compliance.reads import (
    ErasuresQuery,
    FindingsQuery,
    LooksQuery,
    Parts,
    QueueQuery,
    ReviewReads,
    ReviewsQuery,
)
from services.compliance.rpc.history import shared_queries
from services.compliance.rpc.messages import (
    STAFF,
    Shown,
    shown_to,
    wire_erasure,
    wire_finding_row,
    wire_look,
    wire_review,
)
from services.compliance.rpc.rules import Cutter, changes_page, packs_page, rules_page
from services.compliance.settings import voices_of

PROJECTION = "reviews"
ERASURES = "erasures"
LOOKS = "looks"
REVIEW = "review"
"""Category of the streams whose reviews are asked for; a draft of campaigns leads to one."""


class ReviewQueries(grpc_pb.ReviewQueryServiceServicer):
    """Answers as `caller()`; waits for `at_least` first."""

    def __init__(self, app: App, clock: Clock = system_clock) -> None:
        self._app, self._reads, self._clock = app, ReviewReads(app.database), clock
        self._tokens = app.page_tokens

    async def GetReview(self, request: pb.GetReviewRequest, context: RpcContext) -> pb.GetReviewResponse:  # noqa: N802
        """One review, for its parties and staff."""
        key, actor = checked_id(request.review_id), caller()
        read, own_write = (
            partial(self._reads.review, key, actor),
            partial(self._app.at_least, request.at_least, PROJECTION),
        )
        found = await there(request.at_least, f"{REVIEW}-{key}", read, own_write, self._app.admission.hold_wait)
        return pb.GetReviewResponse(review=wire_review(found, self._shown(actor)))

    async def ListReviewQueue(  # noqa: N802
        self, request: pb.ListReviewQueueRequest, context: RpcContext
    ) -> pb.ListReviewQueueResponse:
        """What waits for a person."""
        actor = caller()
        actor.require(*STAFF)
        size, after = page_size(request.page_size), self._after(request, actor)
        _, falling = chosen(request.order_by, ("submitted_at", "submitted_at desc"))
        await self._app.at_least(request.at_least, PROJECTION)
        asked = QueueQuery(request.jurisdiction, request.campaign_id, falling, after, size)
        found = await self._reads.queue(asked, actor)
        page = self._page(request, found, actor)
        return pb.ListReviewQueueResponse(reviews=self._reviews(found, actor), page=page)

    async def ListReviews(self, request: pb.ListReviewsRequest, context: RpcContext) -> pb.ListReviewsResponse:  # noqa: N802
        """Reviews of a deal, or of all, as far as the caller may see them."""
        actor = caller()
        size, after = page_size(request.page_size), self._after(request, actor)
        _, falling = chosen(request.order_by, ("submitted_at desc", "submitted_at"))
        await self._app.at_least(request.at_least, PROJECTION)
        asked = ReviewsQuery(_parts(request), word(common.Verdict, request.verdict), falling, after, size)
        found = await self._reads.reviews(asked, actor)
        return pb.ListReviewsResponse(reviews=self._reviews(found, actor), page=self._page(request, found, actor))

    async def ListLooks(self, request: pb.ListLooksRequest, context: RpcContext) -> pb.ListLooksResponse:  # noqa: N802
        """What was found where posts were looked at."""
        actor = caller()
        size, after = page_size(request.page_size), self._after(request, actor)
        _, falling = chosen(request.order_by, ("requested_at desc", "requested_at"))
        await self._app.at_least(request.at_least, LOOKS)
        found = await self._reads.looks(LooksQuery(_parts(request), request.not_ok, falling, after, size), actor)
        return pb.ListLooksResponse(looks=map(wire_look, found.rows), page=self._page(request, found, actor))

    async def ListRulePacks(self, request: pb.ListRulePacksRequest, context: RpcContext) -> pb.ListRulePacksResponse:  # noqa: N802
        """The versions of the rules."""
        cut = self._cutter(request, ("valid_from desc", "valid_from"))
        packs, after = packs_page(shipped_packs(), request, self._clock(), cut)
        return pb.ListRulePacksResponse(rule_packs=packs, page=self._next(request, after))

    async def ListRules(self, request: pb.ListRulesRequest, context: RpcContext) -> pb.ListRulesResponse:  # noqa: N802
        """Rules of a day."""
        rules, after = rules_page(
            shipped_packs(), request, self._clock(), self._cutter(request, ("rule_id", "rule_id desc"))
        )
        return pb.ListRulesResponse(rules=rules, page=self._next(request, after))

    async def ListRuleChanges(  # noqa: N802
        self, request: pb.ListRuleChangesRequest, context: RpcContext
    ) -> pb.ListRuleChangesResponse:
        """What begins and ends."""
        changes, after = changes_page(shipped_packs(), request, self._cutter(request, ("day", "day desc")))
        return pb.ListRuleChangesResponse(changes=changes, page=self._next(request, after))

    async def ListFindings(self, request: pb.ListFindingsRequest, context: RpcContext) -> pb.ListFindingsResponse:  # noqa: N802
        """Findings of the reviews that the caller may see."""
        actor = caller()
        size, after = page_size(request.page_size), self._after(request, actor)
        _, falling = chosen(request.order_by, ("found_at", "found_at desc"), default="found_at desc")
        await self._app.at_least(request.at_least, PROJECTION)
        asked = FindingsQuery(
            request.campaign_id, request.creator_id, request.rule_id, request.severity_min, falling, after, size
        )
        found = await self._reads.findings(asked, actor)
        page = self._page(request, found, actor)
        return pb.ListFindingsResponse(findings=map(wire_finding_row, found.rows), page=page)

    async def GetErasure(self, request: pb.GetErasureRequest, context: RpcContext) -> pb.GetErasureResponse:  # noqa: N802
        """Where a person's erasure stands, for the person, operators and auditors."""
        actor = caller()
        await self._app.at_least(request.at_least, ERASURES)
        found = await self._reads.erasure(checked_id(request.subject_id), actor)
        return pb.GetErasureResponse(erasure=wire_erasure(found))

    async def ListErasures(self, request: pb.ListErasuresRequest, context: RpcContext) -> pb.ListErasuresResponse:  # noqa: N802
        """The work list of erasures."""
        actor = caller()
        actor.require("operator", "auditor")
        size, after = page_size(request.page_size), self._after(request, actor)
        _, falling = chosen(request.order_by, ("since", "since desc"))
        await self._app.at_least(request.at_least, ERASURES)
        asked = ErasuresQuery(word(pb.ErasureStep, request.step), falling, after, size)
        found = await self._reads.erasures(asked, actor)
        page = self._page(request, found, actor)
        return pb.ListErasuresResponse(erasures=map(wire_erasure, found.rows), page=page)

    def _cutter(self, request: "RulesRequest", orders: tuple[str, str]) -> Cutter:
        size, after = page_size(request.page_size), self._after(request, caller())
        _, falling = chosen(request.order_by, orders)
        return Cutter(after, size, falling)

    def _next(self, request: Message, after: Cursor | None) -> common.PageInfo:
        return self._page(request, Page([], after), caller())

    def _shown(self, actor: Actor) -> Shown:
        return shown_to(actor, voices_of(self._app.settings))

    def _reviews(self, found: Page, actor: Actor) -> Iterator[pb.Review]:
        shown = self._shown(actor)
        return (wire_review(row, shown) for row in found.rows)

    def _after(self, request: "ListRequest", actor: Actor) -> Cursor | None:
        return self._tokens.open(request, request.page_token, actor.tenant)

    def _page(self, request: Message, found: Page, actor: Actor) -> common.PageInfo:
        token = self._tokens.seal(request, found.next, actor.tenant) if found.next else ""
        return common.PageInfo(next_page_token=token)


RulesRequest = pb.ListRulePacksRequest | pb.ListRulesRequest | pb.ListRuleChangesRequest
ListRequest = (
    pb.ListReviewQueueRequest
    | pb.ListReviewsRequest
    | pb.ListFindingsRequest
    | pb.ListLooksRequest
    | pb.ListErasuresRequest
    | RulesRequest
)


def _parts(request: pb.ListReviewsRequest | pb.ListLooksRequest) -> Parts:
    return Parts(request.campaign_id, request.collaboration_id, request.deliverable_id, request.creator_id)


def make_queries(app: App) -> list[RpcService]:
    """The queries of compliance, for both edges."""
    described = pb.DESCRIPTOR.services_by_name["ReviewQueryService"]
    return [
        RpcService.of(described, grpc_pb.add_ReviewQueryServiceServicer_to_server, ReviewQueries(app)),
        *shared_queries(app),
    ]
