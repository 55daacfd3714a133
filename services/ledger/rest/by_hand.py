"""What finance does by hand: a command becomes a proposal, and the approval of another person executes it."""

from fastapi import APIRouter
from pydantic import BaseModel

from kernel.core.codec import adapter
from kernel.core.events import Receipt
from kernel.core.faults import Internal, NotFound, Refused
from kernel.edge.fields import Uuid
from kernel.edge.http import CommandRequest
from kernel.eventlog.log import MAX_POSITION
from kernel.host.app import App
from kernel.host.revocations import revoked_at
from services.ledger.domain.four_eyes import (
    PROPOSALS,
    DayLimits,
    MoveApproved,
    MoveProposed,
    Proposal,
    Revoked,
    is_by_hand,
    proposal_id,
    proposal_stream,
)
from services.ledger.domain.proposals import (
    NAMES,
    ApproveMove,
    HandCommand,
    ProposeMove,
    RejectMove,
    SettleFile,
    stream_for,
)
from services.ledger.reads.rows import inline_row
from services.ledger.rest.bodies import RejectionBody
from services.ledger.settings import LedgerSettings


def limits_of(app: App) -> DayLimits:
    assert isinstance(app.settings, LedgerSettings)
    return DayLimits(app.settings.hand_limits_minor, app.settings.hand_limit_minor)


async def send(
    app: App, request: CommandRequest, command: HandCommand, body: BaseModel | None, owner: str = ""
) -> Receipt:
    """Executes a command; what finance does with the money of others becomes a proposal. `owner` may ask for itself."""
    if is_by_hand(request.actor, owner):
        return await propose(app, request, command, body)
    stream = stream_for(command)
    return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))


async def propose(app: App, request: CommandRequest, command: HandCommand, body: BaseModel | None) -> Receipt:
    """The receipt is the proposal's."""
    stream, proposed = proposal_stream(proposal_id(command)), ProposeMove(command, limits_of(app))
    return request.respond(await app.writer.execute(stream, proposed, request.meta(stream, proposed, body)))


async def approve(app: App, request: CommandRequest, id_: str) -> Receipt:
    """The receipt of the approval."""
    stream, command = proposal_stream(id_), ApproveMove(limits_of(app), await _revoked(app, id_))
    return await app.writer.execute(stream, command, request.meta(stream, command))


async def _revoked(app: App, id_: str) -> Revoked:
    """Read anew each time: what an operator has revoked before this request holds for it."""
    row, staff = await _proposal(app, id_), app.settings.staff_tenant
    people = {("subject", row.proposed_by), ("subject", row.approved_by)}
    found = await revoked_at(app.database, {("tenant", staff), *people, *await _said_with(app, id_)})
    of_people = {name: at for (kind, name), at in found.items() if kind == "subject"}
    tokens = frozenset(name for kind, name in found if kind == "token")
    return Revoked(of_people, found.get(("tenant", staff)), tokens)


async def _said_with(app: App, id_: str) -> set[tuple[str, str]]:
    """The tokens with which the proposal and its approvals were said."""
    codec, stream = app.service.codec, proposal_stream(id_)
    events = [codec.decode(one.name, one.data) for one in await app.log.load([stream], MAX_POSITION)]
    said = (one.token_id for one in events if isinstance(one, MoveProposed | MoveApproved))
    return {("token", token_id) for token_id in said if token_id}


def proposals(app: App) -> APIRouter:
    """Routes of role finance."""
    router = APIRouter(prefix="/proposals", tags=["four eyes"])

    @router.post("/{proposal_id}/approve")
    async def approve_(proposal_id: Uuid, request: CommandRequest) -> Receipt:
        """By another person of finance than the one who proposed; executes the command, and answers its receipt.

        An approval by somebody whose tokens were revoked since does not count, and is asked for anew."""
        request.actor.require("finance")
        row = await _proposal(app, proposal_id)
        command = command_of(row)
        if isinstance(command, SettleFile):
            raise Refused("proposal.needs_its_file", do="upload the same file to POST /settlements")
        await approve(app, request, proposal_id)
        stream = stream_for(command)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command)))

    @router.post("/{proposal_id}/reject")
    async def reject(proposal_id: Uuid, body: RejectionBody, request: CommandRequest) -> Receipt:
        """Of what is proposed or approved, and not carried out yet. Finance only."""
        stream, command = proposal_stream(proposal_id), RejectMove(body.reason)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router


async def _proposal(app: App, id_: str) -> Proposal:
    row = await inline_row(app.database, PROPOSALS, (id_,))
    if row is None:
        raise NotFound("proposal.not_found", proposal_id=id_)
    return row


def command_of(row: Proposal) -> HandCommand:
    """The command that a proposal stands for."""
    command: HandCommand = adapter(NAMES[row.command]).validate_json(row.data)
    if proposal_id(command) != row.proposal_id:
        raise Internal("proposal.changed", proposal_id=row.proposal_id)
    return command
