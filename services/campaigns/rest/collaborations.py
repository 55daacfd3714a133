"""Routes of collaborations and their content."""

from fastapi import APIRouter

from kernel.core.events import Receipt
from kernel.core.ids import stream_id
from kernel.edge.fields import Body, Uuid
from kernel.edge.http import CommandRequest
from kernel.eventlog.writer import Writer
from services.campaigns.domain.collaboration.commands import (
    ApproveContent,
    CancelCollaboration,
    Command,
    ConsentToAmendment,
    OpenDispute,
    PublishContent,
    ReceiveProduct,
    RequestRevision,
    RetryFunding,
    RuleContent,
    RuleDispute,
    ScheduleContent,
    SendProduct,
    SubmitContent,
    WithdrawDispute,
)
from services.campaigns.rest.bodies import (
    ProductSentBody,
    PublishBody,
    ReasonBody,
    RevisionBody,
    RuleContentBody,
    RuleDisputeBody,
    ScheduleBody,
    SubmissionBody,
    SubmitBody,
    VersionBody,
    value_of,
)


class Sends:
    """Hands a command to the collaboration's stream."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def __call__(
        self, collaboration_id: str, command: Command, request: CommandRequest, body: Body | None = None
    ) -> Receipt:
        stream = stream_id("collaboration", collaboration_id)
        return request.respond(await self._writer.execute(stream, command, request.meta(stream, command, body)))


def routes(writer: Writer) -> APIRouter:
    """Everything that the sides and staff ask of a collaboration."""
    router = APIRouter(prefix="/collaborations/{collaboration_id}", tags=["collaborations"])
    _whole_routes(router, Sends(writer))
    _content_routes(router, Sends(writer))
    _approval_routes(router, Sends(writer))
    return router


def _whole_routes(router: APIRouter, send: Sends) -> None:
    @router.post("/cancel")
    async def cancel(collaboration_id: Uuid, body: ReasonBody, request: CommandRequest) -> Receipt:
        """Ends what is not verified yet; a brand pays by the ladder of the terms."""
        return await send(collaboration_id, CancelCollaboration(body.reason), request, body)

    @router.post("/fund")
    async def fund(collaboration_id: Uuid, request: CommandRequest) -> Receipt:
        """By the brand: asks again for the escrow that its deposit did not cover (`funding_waits_for`, `uncovered_minor`). The
        platform also asks by itself, with growing pauses, until the funding clock ends the collaboration."""
        return await send(collaboration_id, RetryFunding(), request)

    @router.post("/consent")
    async def consent(collaboration_id: Uuid, body: VersionBody, request: CommandRequest) -> Receipt:
        """The creator agrees to the amended brief."""
        return await send(collaboration_id, ConsentToAmendment(body.brief_version), request, body)

    @router.post("/send-product")
    async def send_product(collaboration_id: Uuid, body: ProductSentBody, request: CommandRequest) -> Receipt:
        """By the brand."""
        return await send(collaboration_id, value_of(SendProduct, body), request, body)

    @router.post("/receive-product")
    async def receive_product(collaboration_id: Uuid, request: CommandRequest) -> Receipt:
        """By the creator; the work's clocks start."""
        return await send(collaboration_id, ReceiveProduct(), request)

    @router.post("/open-dispute")
    async def open_dispute(collaboration_id: Uuid, body: ReasonBody, request: CommandRequest) -> Receipt:
        """By either side; freezes settlement."""
        return await send(collaboration_id, OpenDispute(body.reason), request, body)

    @router.post("/withdraw-dispute")
    async def withdraw_dispute(collaboration_id: Uuid, request: CommandRequest) -> Receipt:
        """By the side that opened it; the clocks go on."""
        return await send(collaboration_id, WithdrawDispute(), request)

    @router.post("/rule-dispute")
    async def rule_dispute(collaboration_id: Uuid, body: RuleDisputeBody, request: CommandRequest) -> Receipt:
        """By staff."""
        return await send(collaboration_id, value_of(RuleDispute, body), request, body)


def _content_routes(router: APIRouter, send: Sends) -> None:
    @router.post("/submit", status_code=201)
    async def submit(collaboration_id: Uuid, body: SubmitBody, request: CommandRequest) -> Receipt:
        """By the creator: an outline, a draft, or the final text."""
        return await send(collaboration_id, value_of(SubmitContent, body), request, body)

    @router.post("/schedule")
    async def schedule(collaboration_id: Uuid, body: ScheduleBody, request: CommandRequest) -> Receipt:
        """By either side, inside the posting window."""
        return await send(collaboration_id, value_of(ScheduleContent, body), request, body)

    @router.post("/publish")
    async def publish(collaboration_id: Uuid, body: PublishBody, request: CommandRequest) -> Receipt:
        """By the creator, who reports its post; refused without the label that compliance attached."""
        return await send(collaboration_id, value_of(PublishContent, body), request, body)


def _approval_routes(router: APIRouter, send: Sends) -> None:
    @router.post("/approve")
    async def approve(collaboration_id: Uuid, body: SubmissionBody, request: CommandRequest) -> Receipt:
        """By the brand, once compliance has cleared a draft."""
        return await send(collaboration_id, value_of(ApproveContent, body), request, body)

    @router.post("/request-revision")
    async def request_revision(collaboration_id: Uuid, body: RevisionBody, request: CommandRequest) -> Receipt:
        """By the brand; after the last revision of the terms staff rule."""
        return await send(collaboration_id, value_of(RequestRevision, body), request, body)

    @router.post("/rule-content")
    async def rule_content(collaboration_id: Uuid, body: RuleContentBody, request: CommandRequest) -> Receipt:
        """By staff."""
        return await send(collaboration_id, value_of(RuleContent, body), request, body)
