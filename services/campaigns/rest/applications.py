"""Routes of applications."""

from fastapi import APIRouter

from kernel.core.events import Receipt
from kernel.core.ids import stream_id
from kernel.edge.fields import Body, Uuid
from kernel.edge.http import CommandRequest
from kernel.eventlog.writer import Writer
from services.campaigns.domain.application.commands import (
    AcceptApplication,
    Command,
    CounterOffer,
    DeclineApplication,
    RenewOffer,
    WithdrawApplication,
)
from services.campaigns.rest.bodies import AcceptBody, CounterBody, ReasonBody, VersionBody


def routes(writer: Writer) -> APIRouter:
    """Everything that is asked of an open application."""
    router = APIRouter(prefix="/applications/{application_id}", tags=["applications"])

    async def send(application_id: str, command: Command, request: CommandRequest, body: Body) -> Receipt:
        stream = stream_id("application", application_id)
        return request.respond(await writer.execute(stream, command, request.meta(stream, command, body)))

    @router.post("/counter")
    async def counter(application_id: Uuid, body: CounterBody, request: CommandRequest) -> Receipt:
        """Another offer, by either side; the other side may accept it."""
        return await send(application_id, CounterOffer(body.fees_minor, body.offer_round), request, body)

    @router.post("/accept")
    async def accept(application_id: Uuid, body: AcceptBody, request: CommandRequest) -> Receipt:
        """Of the other side's offer, under the version of the brief that was read. Commits the budget."""
        command = AcceptApplication(body.brief_version, body.offer_round)
        return await send(application_id, command, request, body)

    @router.post("/renew")
    async def renew(application_id: Uuid, body: VersionBody, request: CommandRequest) -> Receipt:
        """The creator lets the open offer stand under an amended brief."""
        return await send(application_id, RenewOffer(body.brief_version), request, body)

    @router.post("/decline")
    async def decline(application_id: Uuid, body: ReasonBody, request: CommandRequest) -> Receipt:
        """Of the other side's offer."""
        return await send(application_id, DeclineApplication(body.reason), request, body)

    @router.post("/withdraw")
    async def withdraw(application_id: Uuid, body: ReasonBody, request: CommandRequest) -> Receipt:
        """Of one's own offer."""
        return await send(application_id, WithdrawApplication(body.reason), request, body)

    return router
