"""Routes of campaigns."""

from fastapi import APIRouter

from kernel.core.events import Receipt
from kernel.core.ids import stream_id
from kernel.edge.fields import Body, Uuid
from kernel.edge.http import CommandRequest
from kernel.eventlog.writer import Writer
from services.campaigns.domain.application.commands import Apply, InviteCreator
from services.campaigns.domain.campaign.campaign import (
    AmendBrief,
    CancelCampaign,
    CloseCampaign,
    Command,
    DraftCampaign,
    PauseCampaign,
    PublishBrief,
    ResumeCampaign,
)
from services.campaigns.domain.shared.contract import application_id
from services.campaigns.rest.bodies import AmendBody, DraftBody, InviteBody, OfferBody, ReasonBody


def routes(writer: Writer, short_clocks: bool, drafts_limit: int) -> APIRouter:
    """Everything that is asked of a campaign, and what opens an application to it."""
    router = APIRouter(prefix="/campaigns/{campaign_id}", tags=["campaigns"])

    async def send(campaign_id: str, command: Command, request: CommandRequest, body: Body | None = None) -> Receipt:
        stream = stream_id("campaign", campaign_id)
        return request.respond(await writer.execute(stream, command, request.meta(stream, command, body)))

    @router.put("", status_code=201)
    async def draft(campaign_id: Uuid, body: DraftBody, request: CommandRequest) -> Receipt:
        """A new campaign; nobody but the brand sees it before it is published."""
        command = DraftCampaign(body.brief.brief(), body.terms.terms(), short_clocks, drafts_limit)
        return await send(campaign_id, command, request, body)

    @router.post("/publish")
    async def publish(campaign_id: Uuid, request: CommandRequest) -> Receipt:
        """Opens the campaign and reserves its budget."""
        return await send(campaign_id, PublishBrief(short_clocks), request)

    @router.post("/amend")
    async def amend(campaign_id: Uuid, body: AmendBody, request: CommandRequest) -> Receipt:
        """The whole new brief; agreements made before keep theirs unless the creator consents."""
        command = AmendBrief(body.brief.brief(), short_clocks, body.brief_version)
        return await send(campaign_id, command, request, body)

    @router.post("/pause")
    async def pause(campaign_id: Uuid, body: ReasonBody, request: CommandRequest) -> Receipt:
        """No new agreements until resumed."""
        return await send(campaign_id, PauseCampaign(body.reason), request, body)

    @router.post("/resume")
    async def resume(campaign_id: Uuid, request: CommandRequest) -> Receipt:
        """Takes new agreements again."""
        return await send(campaign_id, ResumeCampaign(), request)

    @router.post("/close")
    async def close(campaign_id: Uuid, body: ReasonBody, request: CommandRequest) -> Receipt:
        """Recruiting is over; collaborations go on."""
        return await send(campaign_id, CloseCampaign(body.reason), request, body)

    @router.post("/cancel")
    async def cancel(campaign_id: Uuid, body: ReasonBody, request: CommandRequest) -> Receipt:
        """Only while nothing of the budget is promised."""
        return await send(campaign_id, CancelCampaign(body.reason), request, body)

    _opening_routes(router, writer)
    return router


def _opening_routes(router: APIRouter, writer: Writer) -> None:
    async def send(
        campaign_id: str, creator_id: str, command: InviteCreator | Apply, request: CommandRequest, body: Body
    ) -> Receipt:
        stream = stream_id("application", application_id(campaign_id, creator_id))
        return request.respond(await writer.execute(stream, command, request.meta(stream, command, body)))

    @router.post("/invite", status_code=201)
    async def invite(campaign_id: Uuid, body: InviteBody, request: CommandRequest) -> Receipt:
        """By the brand. The receipt names the stream `application-<id>`."""
        command = InviteCreator(campaign_id, body.creator_id, body.fees_minor)
        return await send(campaign_id, body.creator_id, command, request, body)

    @router.post("/apply", status_code=201)
    async def apply(campaign_id: Uuid, body: OfferBody, request: CommandRequest) -> Receipt:
        """By the creator, for itself. The receipt names the stream `application-<id>`."""
        command = Apply(campaign_id, body.fees_minor)
        return await send(campaign_id, request.actor.tenant, command, request, body)
