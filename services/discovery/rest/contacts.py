"""Commands on a creator's contact: naming and confirming the mail address, consents, and readings by others."""

import secrets
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from kernel.core.bounds import whole
from kernel.core.events import Receipt
from kernel.core.ids import stream_id
from kernel.edge.fields import Body, ShortText, Uuid, worded
from kernel.edge.http import CommandRequest
from kernel.eventlog.writer import Writer
from services.discovery.domain.contact.contact import (
    Command,
    ConfirmAddress,
    GiveConsent,
    NameAddress,
    ReadContact,
    WithdrawConsent,
)
from services.discovery.rest.proofs import own_texts
from services.discovery.rest.sealing import SealedTexts, Sealer

DIGITS = 6
_ADDRESS = r"^[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f]{1,64}@[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f]{1,189}$"
Address = Annotated[
    str, StringConstraints(max_length=254, pattern=worded(_ADDRESS, "a mail address such as mei@example.com"))
]


class AddressBody(Body):
    """`address` is kept encrypted, and is in no event."""

    address: Address


class ConfirmBody(Body):
    code: Annotated[str, StringConstraints(pattern=worded(r"^[0-9]{6}$", "the six digits of the letter"))]


class ConsentBody(Body):
    """`purpose` as GetContact names it."""

    purpose: Annotated[ShortText, Field(max_length=40)]


class ReadingBody(Body):
    """`note` says for what the address is read; the creator sees it."""

    note: Annotated[ShortText, whole(ReadContact, "note")]


class Contacts:
    """Sends commands on contacts' streams."""

    def __init__(self, writer: Writer, sealer: Sealer) -> None:
        self._writer, self.sealer = writer, sealer

    async def send(
        self,
        request: CommandRequest,
        creator_id: str,
        command: Command,
        body: BaseModel,
        texts: SealedTexts | None = None,
    ) -> Receipt:
        stream = stream_id("contact", creator_id)
        sealed, key = (texts.sealed, texts.key) if texts else ((), None)
        meta = request.meta(stream, command, body)
        return request.respond(await self._writer.execute(stream, command, meta, sealed, key=key))


def routes(writer: Writer, sealer: Sealer) -> APIRouter:
    router = APIRouter(prefix="/creators/{creator_id}/contact", tags=["contacts"])
    contacts = Contacts(writer, sealer)
    _address(router, contacts)
    _consents(router, contacts)

    @router.post("/readings")
    async def read(creator_id: Uuid, body: ReadingBody, request: CommandRequest) -> Receipt:
        """Brands, agencies and operators: opens the address to the person who asks, for an hour; the creator sees that it was."""
        texts = await contacts.sealer.seal_known(creator_id, {})
        return await contacts.send(request, creator_id, ReadContact(body.note), body, texts)

    return router


def _address(router: APIRouter, contacts: Contacts) -> None:
    @router.post("/address")
    async def name(creator_id: Uuid, body: AddressBody, request: CommandRequest) -> Receipt:
        """The creator itself only: a letter with a code goes to the address, good for 30 minutes."""
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        told = {"address": body.address, "address_code": code}
        texts = await own_texts(request, contacts.sealer, creator_id, told)
        command = NameAddress(texts.revisions["address"], texts.revisions["address_code"])
        return await contacts.send(request, creator_id, command, body, texts)

    @router.post("/confirm")
    async def confirm(creator_id: Uuid, body: ConfirmBody, request: CommandRequest) -> Receipt:
        """The creator itself only: the code of the letter. A wrong one is a try, of which there are 5; GetContact says whether it
        was right."""
        texts = await own_texts(request, contacts.sealer, creator_id, {"address_code": body.code})
        return await contacts.send(request, creator_id, ConfirmAddress(texts.revisions["address_code"]), body)


def _consents(router: APIRouter, contacts: Contacts) -> None:
    @router.post("/consents/give")
    async def give(creator_id: Uuid, body: ConsentBody, request: CommandRequest) -> Receipt:
        """The creator itself only: consents to the text that holds today."""
        return await contacts.send(request, creator_id, GiveConsent(body.purpose), body)

    @router.post("/consents/withdraw")
    async def withdraw(creator_id: Uuid, body: ConsentBody, request: CommandRequest) -> Receipt:
        """The creator itself only: withdraws a consent; from then on nobody reads by it."""
        return await contacts.send(request, creator_id, WithdrawConsent(body.purpose), body)
