"""ReviewQueryService: questions of others in, protobuf out. Contract: proto/dandelion/compliance/v1/queries.proto."""

from functools import partial

import orjson
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import queries_pb2 as pb
from dandelion.compliance.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number, word
from google.protobuf.message import Message
from pydantic import TypeAdapter

from kernel.core.decider import Actor
from kernel.core.ids import checked_id
from kernel.edge.grpc import RpcService, caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import Cursor, page_size
from kernel.host.app import App
from kernel.processors.keyset import Page, chosen
from kernel.processors.read_your_writes import there
from services.compliance.domain.findings import Evidence, Finding
from services.compliance.publish import wire_evidence, wire_finding
from services.compliance.reads import ErasuresQuery, FindingsQuery, QueueQuery, ReviewReads, Row

PROJECTION = "reviews"
ERASURES = "erasures"
REVIEW = "review"
"""Category of the streams whose reviews are asked for; a draft of campaigns leads to one."""
STAFF = ("reviewer", "operator", "auditor")
FINDING: TypeAdapter[Finding] = TypeAdapter(Finding)
EVIDENCE: TypeAdapter[list[Evidence]] = TypeAdapter(list[Evidence])
FINDINGS: TypeAdapter[list[Finding]] = TypeAdapter(list[Finding])


class ReviewQueries(grpc_pb.ReviewQueryServiceServicer):
    """Answers as `caller()`; waits for `at_least` first."""

    def __init__(self, app: App) -> None:
        self._app, self._reads = app, ReviewReads(app.database)
        self._tokens = app.page_tokens

    async def GetReview(self, request: pb.GetReviewRequest, context: RpcContext) -> pb.GetReviewResponse:  # noqa: N802
        """One review, for its parties and staff."""
        key, actor = checked_id(request.review_id), caller()
        read, own_write = (
            partial(self._reads.review, key, actor),
            partial(self._app.at_least, request.at_least, PROJECTION),
        )
        found = await there(request.at_least, f"{REVIEW}-{key}", read, own_write, self._app.admission.hold_wait)
        return pb.GetReviewResponse(review=wire_review(found))

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
        return pb.ListReviewQueueResponse(reviews=map(wire_review, found.rows), page=page)

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

    def _after(
        self, request: pb.ListReviewQueueRequest | pb.ListFindingsRequest | pb.ListErasuresRequest, actor: Actor
    ) -> Cursor | None:
        return self._tokens.open(request, request.page_token, actor.tenant)

    def _page(self, request: Message, found: Page, actor: Actor) -> common.PageInfo:
        token = self._tokens.seal(request, found.next, actor.tenant) if found.next else ""
        return common.PageInfo(next_page_token=token)


def wire_review(row: Row) -> pb.Review:
    same = (
        "review_id", "deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id", "jurisdiction",
        "product_category", "title", "text", "by_reviewer", "note", "label", "version", "product_used",
    )  # fmt: skip
    return pb.Review(
        **{name: row[name] for name in same},
        submission_id=row["review_id"],
        stage=number(common.SubmissionStage, row["stage"]),
        platform=number(common.Platform, row["platform"]),
        format=number(common.Format, row["format"]),
        tags=orjson.loads(row["tags"]),
        links=orjson.loads(row["links"]),
        evidence=map(wire_evidence, EVIDENCE.validate_json(row["evidence"])),
        verdict=number(common.Verdict, row["verdict"]),
        findings=map(wire_finding, FINDINGS.validate_json(row["findings"])),
        rule_packs=orjson.loads(row["rule_packs"]),
        placement=number(common.LabelPlacement, row["placement"]),
        submitted_at=stamp(row["submitted_at"]),
        completed_at=stamp(row["completed_at"]),
    )


def wire_erasure(row: Row) -> pb.Erasure:
    return pb.Erasure(
        subject_id=row["subject_id"],
        step=number(pb.ErasureStep, row["step"]),
        reason=row["reason"],
        since=stamp(row["since"]),
        version=row["version"],
    )


def wire_finding_row(row: Row) -> pb.FindingRow:
    return pb.FindingRow(
        **{name: row[name] for name in ("review_id", "campaign_id", "brand_id", "creator_id")},
        verdict=number(common.Verdict, row["verdict"]),
        finding=wire_finding(FINDING.validate_json(row["finding"])),
        found_at=stamp(row["found_at"]),
    )


def make_queries(app: App) -> list[RpcService]:
    """The queries of compliance, for both edges."""
    described = pb.DESCRIPTOR.services_by_name["ReviewQueryService"]
    return [RpcService.of(described, grpc_pb.add_ReviewQueryServiceServicer_to_server, ReviewQueries(app))]
