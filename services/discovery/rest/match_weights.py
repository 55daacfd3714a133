"""Weights of a match over HTTP: operators adopt what was learned or what they chose, and put earlier weights back."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from kernel.core.bounds import whole
from kernel.core.events import Receipt
from kernel.core.faults import Invalid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.discovery.domain.match_weights.commands import AdoptWeights, Command, PartWeight, RestoreWeights
from services.discovery.domain.match_weights.match_weights import STREAM, VERSIONS_LIMIT, WHOLE_MICROS
from services.discovery.domain.matching import PARTS
from services.discovery.matching.proposals import opened

PROPOSAL_CHARS = 4_000
Reason = Annotated[str, whole(AdoptWeights, "reason")]


class PartWeightBody(BaseModel):
    """`weight` is 0..1; those of all parts together are 1. Millionths are the least that is told apart."""

    part: str
    weight: Annotated[float, Field(ge=0, le=1)]


class AdoptBody(BaseModel):
    """Either `proposal`, as LearnMatchWeights gave it, or `weights` that a person chose."""

    reason: Reason
    proposal: Annotated[str, Field(max_length=PROPOSAL_CHARS)] = ""
    weights: Annotated[list[PartWeightBody], Field(max_length=len(PARTS))] = []

    def command(self, key: bytes) -> AdoptWeights:
        """Raises Invalid unless one of the two is given."""
        if bool(self.proposal) == bool(self.weights):
            raise Invalid("weights.one_of_two", field="proposal", do="give a proposal or weights")
        if self.proposal:
            proposal = opened(key, self.proposal)
            return AdoptWeights(proposal.weights, self.reason, proposal.learning)
        chosen = tuple(PartWeight(one.part, round(one.weight * WHOLE_MICROS)) for one in self.weights)
        return AdoptWeights(chosen, self.reason)


class RestoreBody(BaseModel):
    reason: Annotated[str, whole(RestoreWeights, "reason")]


def routes(app: App) -> APIRouter:
    """Every command on the weights of a match."""
    router = APIRouter(prefix="/match-weights", tags=["match-weights"])

    async def send(request: CommandRequest, command: Command, body: BaseModel) -> Receipt:
        return request.respond(await app.writer.execute(STREAM, command, request.meta(STREAM, command, body)))

    @router.post("")
    async def adopt(body: AdoptBody, request: CommandRequest) -> Receipt:
        """Operators only: matches count by these weights from now on."""
        return await send(request, body.command(app.fingerprint_key), body)

    @router.post("/{version}/restore")
    async def restore(
        version: Annotated[int, Field(ge=0, le=VERSIONS_LIMIT)], body: RestoreBody, request: CommandRequest
    ) -> Receipt:
        """Operators only: puts an earlier version's weights back; 0 is what the platform came with."""
        return await send(request, RestoreWeights(version, body.reason), body)

    return router
