"""The platform's fees: one person of finance proposes them for a later date, another approves."""

from fastapi import APIRouter

from kernel.core.events import Receipt
from kernel.core.ids import stream_id
from kernel.edge.fields import Body, Uuid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.ledger.domain.policies import POLICY, ApproveFeePolicy, Command, ProposeFeePolicy, RejectFeePolicy
from services.ledger.rest.bodies import FeePolicyBody, RejectionBody


def policies(app: App) -> APIRouter:
    """Routes of role finance."""
    router = APIRouter(prefix="/fee-policies/{policy_id}", tags=["finance"])

    async def send(policy_id: str, command: Command, request: CommandRequest, body: Body | None = None) -> Receipt:
        stream = stream_id(POLICY, policy_id)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    @router.put("", status_code=201)
    async def propose(policy_id: Uuid, body: FeePolicyBody, request: CommandRequest) -> Receipt:
        """Fees for a later date; they come when another person of finance has approved them. Finance only."""
        command = ProposeFeePolicy(body.since, body.brand_fee_bps, body.creator_fee_bps)
        return await send(policy_id, command, request, body)

    @router.post("/approve")
    async def approve(policy_id: Uuid, request: CommandRequest) -> Receipt:
        """By another person of finance than the one who proposed."""
        return await send(policy_id, ApproveFeePolicy(), request)

    @router.post("/reject")
    async def reject(policy_id: Uuid, body: RejectionBody, request: CommandRequest) -> Receipt:
        """Of what is proposed and not approved. Finance only."""
        return await send(policy_id, RejectFeePolicy(body.reason), request, body)

    return router
