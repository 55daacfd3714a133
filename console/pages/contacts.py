"""A creator's contact: its own page with the address, consents and who read it; and the page on which others open it.

Beside it the proof of an account by a code in its bio, which the page of social accounts shows.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from dandelion.discovery.v1.contact_pb2 import GetContactRequest, ListContactReadingsRequest
from dandelion.discovery.v1.proofs_pb2 import AccountProof, ListAccountProofsRequest
from dandelion.discovery.v1.queries_pb2 import GetCreatorRequest
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import BRANDS, CREATORS, STAFF
from console.page import Cursor, Id, Page, SignedIn, needs
from console.words import mark

router = APIRouter()
OWN: Sequence[Any] = (needs(*CREATORS),)
OTHERS: Sequence[Any] = (needs(*BRANDS, *STAFF),)
SHOWN = 25
FORM_BYTES = 10_000_000
RELATIONS = (("mother", mark("Mother")), ("father", mark("Father")), ("guardian", mark("Guardian")))
OPENERS = ("brand", "agency", "operator")
STATES = {
    "give": mark("Your consent is kept, with the day and the text."),
    "withdraw": mark("Withdrawn: nobody reads by it from now on."),
}


async def proofs_of(page: SignedIn, creator_id: str) -> Mapping[int, tuple[AccountProof, str]]:
    """By platform: the proof, and in words why the last look proved nothing."""
    request = ListAccountProofsRequest(creator_id=creator_id)
    found = await page.ask(page.services.discovery.ListAccountProofs, request)
    return {one.platform: (one, _why(page, one.reason)) for one in found.proofs}


def _why(page: SignedIn, reason: str) -> str:
    return " ".join(page.explain(Problem("refused", reason, {}))) if reason else ""


@router.post("/profile/accounts/proof", dependencies=OWN)
async def ask_proof(page: Page, form: Filled) -> Response:
    """A code for one account; a refusal is told on a page of its own, as there is no field to mend."""
    body = {"platform": form.needed("platform"), "handle": form.needed("handle")}
    receipt = await page.send("discovery", "POST", f"/creators/{page.person.tenant}/proofs", form, body)
    return page.done("/profile/accounts", receipt, mark("Put the code into the account's bio, then have it looked at."))


@router.post("/profile/accounts/look", dependencies=OWN)
async def look(page: Page, form: Filled) -> Response:
    body = {"platform": form.needed("platform")}
    receipt = await page.send("discovery", "POST", f"/creators/{page.person.tenant}/proofs/look", form, body)
    return page.done("/profile/accounts", receipt, mark("The profile is looked at. Load the page again in a moment."))


@router.get("/profile/contact", dependencies=OWN)
async def own(page: Page, cursor: Cursor = "") -> Response:
    return await _own(page, cursor=cursor)


async def _own(page: SignedIn, form: Form = EMPTY, problem: Problem | None = None, cursor: str = "") -> Response:
    """Who is not here yet has no contact: it comes to the profile first."""
    me, discovery = page.person.tenant, page.services.discovery
    try:
        creator, found, readings = await asyncio.gather(
            page.ask(discovery.GetCreator, GetCreatorRequest(creator_id=me)),
            page.ask(discovery.GetContact, GetContactRequest(creator_id=me)),
            page.ask(discovery.ListContactReadings, _readings(me, cursor)),
        )
    except Problem as absent:
        if absent.kind != "not_found":
            raise
        return RedirectResponse("/profile/edit", 303)
    return page.show(
        "profile/contact.html",
        part="contact",
        is_new=False,
        creator=creator.creator,
        contact=found.contact,
        readings=readings,
        relations=[(value, page.words(told)) for value, told in RELATIONS],
        form=form,
        problem=problem,
    )


def _readings(creator_id: str, cursor: str) -> ListContactReadingsRequest:
    return ListContactReadingsRequest(creator_id=creator_id, page_size=SHOWN, page_token=cursor)


@router.post("/profile/contact/address", dependencies=OWN)
async def name_address(page: Page, form: Filled) -> Response:
    said = mark("A letter with a code is on its way.")
    return await _send_own(page, form, "address", {"address": form.needed("address")}, said)


@router.post("/profile/contact/confirm", dependencies=OWN)
async def confirm_address(page: Page, form: Filled) -> Response:
    said = mark("The code was taken. The page says whether it was right.")
    return await _send_own(page, form, "confirm", {"code": form.needed("code").replace(" ", "")}, said)


@router.post("/profile/contact/consents/{what}", dependencies=OWN)
async def consent(page: Page, what: Id, form: Filled) -> Response:
    if what not in STATES:
        raise Problem("not_found", "page.not_found", {})
    return await _send_own(page, form, f"consents/{what}", {"purpose": form.needed("purpose")}, STATES[what])


@router.post("/profile/contact/guardian", dependencies=OWN)
async def guardian(page: Page, form: Filled) -> Response:
    """The signed form is hashed here and not kept: its SHA-256 is the evidence."""

    async def act() -> Response:
        told = {"guardian": form.needed("guardian"), "relation": form.needed("relation")}
        told["evidence_sha256"] = await _hash(form)
        receipt = await page.send("discovery", "POST", f"/creators/{page.person.tenant}/guardian", form, told)
        return page.done("/profile/contact", receipt, mark("The consent is on record. You may take work."))

    return await page.submit(lambda typed, problem: _own(page, typed, problem), form, act)


async def _hash(form: Form) -> str:
    """Of the file that was chosen; a missing or empty one is wrong at its field."""
    file = form.files.get("evidence_sha256")
    content = b""
    if file is not None:
        content = await file.read(FORM_BYTES + 1)
        await file.close()
    if not 0 < len(content) <= FORM_BYTES:
        form.wrong["evidence_sha256"] = mark("Choose the signed form, at most 10 MB.")
    return hashlib.sha256(content).hexdigest()


@router.post("/profile/contact/guardian/withdraw", dependencies=OWN)
async def withdraw_guardian(page: Page, form: Filled) -> Response:
    receipt = await page.send("discovery", "POST", f"/creators/{page.person.tenant}/guardian/withdraw", form)
    return page.done("/profile/contact", receipt, mark("Withdrawn: nothing new is agreed from now on."))


async def _send_own(page: SignedIn, form: Form, what: str, body: Mapping[str, Any], said: str) -> Response:
    async def act() -> Response:
        path = f"/creators/{page.person.tenant}/contact/{what}"
        return page.done("/profile/contact", await page.send("discovery", "POST", path, form, body), said)

    return await page.submit(lambda typed, problem: _own(page, typed, problem), form, act)


@router.get("/creators/{creator_id}/contact", dependencies=OTHERS)
async def theirs(page: Page, creator_id: Id, cursor: Cursor = "") -> Response:
    return await _theirs(page, creator_id, cursor=cursor)


async def _theirs(
    page: SignedIn, creator_id: str, form: Form = EMPTY, problem: Problem | None = None, cursor: str = ""
) -> Response:
    """Staff see how proofs and consents stand; brands what is open to them."""
    discovery = page.services.discovery
    creator, found, readings = await asyncio.gather(
        page.ask(discovery.GetCreator, GetCreatorRequest(creator_id=creator_id)),
        page.ask(discovery.GetContact, GetContactRequest(creator_id=creator_id)),
        page.ask(discovery.ListContactReadings, _readings(creator_id, cursor)),
    )
    watches = page.can("operator", "auditor")
    return page.show(
        "creators/contact.html",
        creator=creator.creator,
        contact=found.contact,
        readings=readings,
        may_open=page.can(*OPENERS),
        proofs=await proofs_of(page, creator_id) if watches else {},
        form=form,
        problem=problem,
    )


@router.post("/creators/{creator_id}/contact", dependencies=(needs(*OPENERS),))
async def open_contact(page: Page, creator_id: Id, form: Filled) -> Response:
    """Opens the address to the person for an hour; the creator is told who read it and for what."""

    async def act() -> Response:
        path, body = f"/creators/{creator_id}/contact/readings", {"note": form.needed("note")}
        receipt = await page.send("discovery", "POST", path, form, body)
        return page.done(f"/creators/{creator_id}/contact", receipt, mark("The address is open to you for an hour."))

    return await page.submit(lambda typed, problem: _theirs(page, creator_id, typed, problem), form, act)
