"""Commands on proofs of accounts: `POST /creators/{id}/proofs` asks for a code, `.../look` has the bio looked at."""

import base64
import secrets

from fastapi import APIRouter

from kernel.core.events import Receipt
from kernel.core.faults import Forbidden, Refused
from kernel.edge.fields import Body, Uuid
from kernel.edge.http import CommandRequest
from kernel.eventlog.writer import Writer
from services.discovery.domain.profile import Platform
from services.discovery.domain.proofs.proof import AskProof, RequestProofLook, proof_stream
from services.discovery.rest.bodies import AccountBody
from services.discovery.rest.sealing import SealedTexts, Sealer

CODE_BYTES = 10


class ProofLookBody(Body):
    platform: Platform


def routes(writer: Writer, sealer: Sealer) -> APIRouter:
    router = APIRouter(prefix="/creators/{creator_id}/proofs", tags=["proofs of accounts"])

    @router.post("")
    async def ask(creator_id: Uuid, body: AccountBody, request: CommandRequest) -> Receipt:
        """The creator itself only: a code for the bio of a linked account, good for 12 hours. ListAccountProofs shows it."""
        name = f"proof.{body.platform}"
        texts = await own_texts(request, sealer, creator_id, {name: new_code()})
        command, stream = (
            AskProof(creator_id, body.account(), texts.revisions[name]),
            proof_stream(creator_id, body.platform),
        )
        meta = request.meta(stream, command, body)
        return request.respond(await writer.execute(stream, command, meta, texts.sealed))

    @router.post("/look")
    async def look(creator_id: Uuid, body: ProofLookBody, request: CommandRequest) -> Receipt:
        """The creator itself only: the code is in the bio; at most 5 looks with one code."""
        command, stream = RequestProofLook(creator_id, body.platform), proof_stream(creator_id, body.platform)
        return request.respond(await writer.execute(stream, command, request.meta(stream, command, body)))

    return router


def new_code() -> str:
    """80 bits of chance in letters that no platform changes."""
    return f"dandelion-{base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower()}"


async def own_texts(request: CommandRequest, sealer: Sealer, creator_id: str, texts: dict[str, str]) -> SealedTexts:
    """Texts under the creator's own key; raises Forbidden for strangers, Refused `creator.not_registered` without a key."""
    if request.actor.tenant != creator_id:
        raise Forbidden("creator.not_a_party")
    sealed = await sealer.seal_known(creator_id, texts)
    if sealed is None:
        raise Refused("creator.not_registered", do="register the creator first")
    return sealed
