"""Proofs of accounts, contacts and who read them."""

from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import contact_pb2 as contact_pb
from dandelion.discovery.v1 import proofs_pb2
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number

from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import page_size
from services.discovery.contacts.address import ReadContact, contact_of, readings_of
from services.discovery.contacts.proofs import proofs_of
from services.discovery.domain.contact.contact import TRIES, Contact
from services.discovery.domain.contact.purposes import PURPOSES, Purpose
from services.discovery.domain.proofs.proof import LOOKS
from services.discovery.projections import CONTACTS_PROJECTION, PROOFS_PROJECTION
from services.discovery.rpc.asked import PAGE_LIMIT, Asked


class Contacts(Asked, grpc_pb.CreatorQueryServiceServicer):
    """Questions about proofs and contacts."""

    async def ListAccountProofs(  # noqa: N802
        self, request: proofs_pb2.ListAccountProofsRequest, context: RpcContext
    ) -> proofs_pb2.ListAccountProofsResponse:
        """How the proofs of one creator stand."""
        await self._app.at_least(request.at_least, PROOFS_PROJECTION.name)
        rows, codes = await proofs_of(self._app, request.creator_id, caller())
        return proofs_pb2.ListAccountProofsResponse(proofs=[_proof(row, codes) for row in rows])

    async def GetContact(  # noqa: N802
        self, request: contact_pb.GetContactRequest, context: RpcContext
    ) -> contact_pb.GetContactResponse:
        """The caller's part of a contact."""
        await self._app.at_least(request.at_least, CONTACTS_PROJECTION.name)
        found = await contact_of(self._app, request.creator_id, caller(), self._clock())
        return contact_pb.GetContactResponse(contact=_contact(found))

    async def ListContactReadings(  # noqa: N802
        self, request: contact_pb.ListContactReadingsRequest, context: RpcContext
    ) -> contact_pb.ListContactReadingsResponse:
        """Who read the address."""
        actor, size = caller(), page_size(request.page_size, limit=PAGE_LIMIT)
        after = self._tokens.open(request, request.page_token, actor.tenant)
        await self._app.at_least(request.at_least, CONTACTS_PROJECTION.name)
        page = await readings_of(self._app, request.creator_id, actor, after, size)
        token = self._tokens.seal(request, page.next, actor.tenant) if page.next else ""
        return contact_pb.ListContactReadingsResponse(
            readings=map(_reading, page.rows), page=common.PageInfo(next_page_token=token)
        )


def _proof(row: Any, codes: Any) -> proofs_pb2.AccountProof:
    return proofs_pb2.AccountProof(
        platform=number(common.Platform, row["platform"]),
        state=number(proofs_pb2.ProofState, row["state"]),
        code=codes.get(row["platform"], ""),
        asked_at=stamp(row["asked_at"]),
        expires_at=stamp(row["expires_at"]),
        looks_left=max(0, LOOKS - row["looks"]),
        reason=row["reason"],
    )


def _contact(found: ReadContact) -> contact_pb.CreatorContact:
    made = contact_pb.CreatorContact(
        creator_id=found.creator_id,
        address=found.address,
        verified=found.verified,
        shown=found.shown,
        open_until=stamp(found.open_until),
    )
    if found.state is not None:
        state = found.state
        made.consents.extend(_consent(one, state) for one in PURPOSES.values())
        if state.standing is not None:
            made.code_expires_at.CopyFrom(stamp(state.standing.expires_at))
            made.tries_left = max(0, TRIES - state.tries)
    return made


def _consent(purpose: Purpose, state: Contact) -> contact_pb.ContactConsent:
    return contact_pb.ContactConsent(
        purpose=purpose.name,
        version=purpose.version,
        english=purpose.english,
        chinese=purpose.chinese,
        given=state.agreed(purpose.name),
    )


def _reading(row: Any) -> contact_pb.ContactReading:
    return contact_pb.ContactReading(
        reading=row["reading"],
        reader_tenant=row["reader_tenant"],
        reader=row["reader"],
        purpose=row["purpose"],
        note=row["note"],
        read_at=stamp(row["read_at"]),
        until=stamp(row["until"]),
    )
