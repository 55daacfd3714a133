"""Media kits: the creator's editor with the addresses of the kit, the page for brands, and the public page behind an address."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from dandelion.common.v1.common_pb2 import Platform, Provenance
from dandelion.discovery.v1.media_kit_pb2 import (
    FigureUnit,
    GetMediaKitLinksRequest,
    GetMediaKitLinksResponse,
    GetMediaKitRequest,
    MediaKit,
    MediaKitLink,
)
from dandelion.discovery.v1.queries_pb2 import Creator, GetCreatorRequest
from dandelion_contracts.words import word
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.kit_figures import PARTS, SECTIONS, Figure, Line, sections
from console.look.menu import BRANDS, CREATORS, STAFF
from console.page import Id, Page, SignedIn, Visit, Visitor, needs
from console.words import mark

HERE = "/profile/media-kit"
SPACE = UUID("0d1a6b0e-4f6e-4f57-8f0f-2b9f6f1d7c11")
"""Ids of addresses follow from the key of the form that makes them."""
ALL = tuple(SECTIONS)
router = APIRouter()
own = APIRouter(prefix=HERE, dependencies=[needs(*CREATORS)])
PASSED_ON = ("user-agent", "purpose", "sec-purpose")
"""Headers by which discovery tells people from robots and from what is loaded ahead."""
PUBLIC = {"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
TOKEN = re.compile(r"^[A-Za-z0-9_-]{43}$")


@dataclass(frozen=True, slots=True)
class Shown:
    """A kit as pages show it."""

    name: str
    bio: str
    version: int
    published_at: datetime
    categories: Sequence[str]
    accounts: Sequence[str]
    sections: Sequence[tuple[str, Sequence[Line]]]
    jobs_settled: int | None
    examples: Sequence[str]


@own.get("")
async def editor(page: Page) -> Response:
    """What the kit shows and may show, and its addresses."""
    return await _editor(page)


@own.post("")
async def publish(page: Page, form: Filled) -> Response:
    """The next version."""

    async def act() -> Response:
        body = {"sections": form.many("sections"), "examples": form.many("examples")}
        receipt = await page.send("discovery", "PUT", f"/creators/{page.person.tenant}/media-kit", form, body)
        return page.done(HERE, receipt, mark("The media kit is published."))

    return await _answered(page, form, act)


@own.post("/withdraw")
async def withdraw(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        if not is_sure(form):
            said = page.words(mark("Nobody sees the kit any more, at any address, until you publish it again."))
            title, button = page.words(mark("Withdraw the media kit?")), page.words(mark("Withdraw"))
            return confirm(page, form, Question(title, [], said, button, HERE, True))
        receipt = await page.send("discovery", "POST", f"/creators/{page.person.tenant}/media-kit/withdraw", form)
        return page.done(HERE, receipt, mark("The media kit is withdrawn."))

    return await _answered(page, form, act)


@own.post("/addresses")
async def share(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        body: dict[str, Any] = {"label": form.needed("label")}
        if form.text("expires_at"):
            body["expires_at"] = form.moment("expires_at", page.zone, "T23:59")
        form.check()
        path = f"/creators/{page.person.tenant}/media-kit/links/{uuid5(SPACE, form.key)}"
        receipt = await page.send("discovery", "PUT", path, form, body)
        return page.done(HERE, receipt, mark("The address is made."))

    return await _answered(page, form, act)


@own.post("/addresses/{link_id}/revoke")
async def revoke(page: Page, link_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        path = f"/creators/{page.person.tenant}/media-kit/links/{link_id}/revoke"
        receipt = await page.send("discovery", "POST", path, form)
        return page.done(HERE, receipt, mark("The address has ended."))

    return await _answered(page, form, act)


@router.get("/creators/{creator_id}/media-kit", dependencies=[needs(*BRANDS, *STAFF)])
async def kit_of(page: Page, creator_id: Id) -> Response:
    """The kit that a creator shows, if it shows one."""
    creator = (await page.ask(page.services.discovery.GetCreator, GetCreatorRequest(creator_id=creator_id))).creator
    told = await _found(page, page.services.discovery.GetMediaKit, GetMediaKitRequest(creator_id=creator_id))
    kit = _of_messages(page, told.kit, creator) if told else None
    return page.show("media_kit/kit.html", creator=creator, kit=kit)


@router.get("/kits/{token}")
async def public(visit: Visitor, token: str) -> Response:
    """Whoever has the address reads the kit, signed in or not."""
    told = await _public(visit, token, "")
    return _page(visit, token, _of_answer(visit, told.json()) if told else None)


@router.get("/kits/{token}/pdf")
async def pdf(visit: Visitor, token: str) -> Response:
    """The same kit as PDF, in the reader's language."""
    told = await _public(visit, token, f"/pdf?lang={visit.lang}")
    if told is None:
        return _page(visit, token, None)
    named = {"Content-Disposition": 'attachment; filename="media-kit.pdf"'}
    return Response(told.content, media_type="application/pdf", headers=PUBLIC | named)


def _page(visit: Visit, token: str, kit: Shown | None) -> Response:
    response = visit.show("media_kit/public.html", 200 if kit else 404, kit=kit, address=token)
    response.headers.update(PUBLIC)
    return response


async def _public(visit: Visit, token: str, more: str) -> Any:
    """What discovery answers at an address to this visitor; None where there is nothing (any more). Raises Problem."""
    if not TOKEN.match(token):
        return None
    headers = {name: value for name in PASSED_ON if (value := visit.request.headers.get(name))}
    try:
        return await visit.services.public("discovery", f"/kits/{token}{more}", headers)
    except Problem as problem:
        if problem.kind != "not_found":
            raise
        return None


async def _answered(page: SignedIn, form: Form, act: Any) -> Response:
    return await page.submit(lambda typed, problem: _editor(page, typed, problem), form, act)


async def _editor(page: SignedIn, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    me = page.person.tenant
    creator = await _found(page, page.services.discovery.GetCreator, GetCreatorRequest(creator_id=me))
    told = await _found(page, page.services.discovery.GetMediaKit, GetMediaKitRequest(creator_id=me))
    links = GetMediaKitLinksResponse()
    if creator is not None:
        links = await page.ask(page.services.discovery.GetMediaKitLinks, GetMediaKitLinksRequest(creator_id=me))
    return page.show(
        "media_kit/editor.html",
        problem.status if problem else 200,
        part="media-kit",
        is_new=creator is None,
        creator=creator.creator if creator else Creator(),
        kit=_of_messages(page, told.kit, creator.creator) if told and creator else None,
        version=told.kit.version if told else 0,
        chosen=list(told.kit.sections) if told else list(ALL),
        chosen_examples=list(told.kit.examples) if told else list(creator.creator.profile.examples) if creator else [],
        examples=[(one, one) for one in creator.creator.profile.examples] if creator else [],
        choices=[(name, page.words(label)) for name, label in SECTIONS.items()],
        links=[(one, _state(one)) for one in links.links],
        base=page.request.app.state.settings.base_url,
        form=form,
        problem=problem,
    )


async def _found(page: SignedIn, method: Any, request: Any) -> Any:
    """The answer, None where there is nothing."""
    try:
        return await page.ask(method, request)
    except Problem as problem:
        if problem.kind != "not_found":
            raise
        return None


def _state(link: MediaKitLink) -> str:
    """Whether an address still leads to the kit, in marked words."""
    if link.HasField("revoked_at"):
        return mark("ended by you")
    expired = link.HasField("expires_at") and link.expires_at.ToDatetime(UTC) <= datetime.now(UTC)
    return mark("expired") if expired else mark("open")


def _of_messages(page: Visit, kit: MediaKit, creator: Creator) -> Shown:
    figures = [
        Figure(
            one.section, one.name, one.value, word(FigureUnit, one.unit), one.currency, word(Provenance, one.provenance),
            one.observed_at.ToDatetime(UTC) if one.HasField("observed_at") else None,
        )
        for one in kit.figures
    ]  # fmt: skip
    chosen, is_about = list(kit.sections), "about" in kit.sections
    named = [_account(page, f"{word(Platform, one.account.platform)} {one.account.handle}") for one in creator.accounts]
    return Shown(
        creator.display_name, creator.bio if is_about else "", kit.version, kit.published_at.ToDatetime(UTC),
        list(creator.profile.categories) if is_about else [], named if "accounts" in chosen else [],
        sections(figures, chosen, page.formats, page.words),
        creator.jobs_settled if "record" in chosen else None, list(kit.examples),
    )  # fmt: skip


def _account(page: Visit, told: str) -> str:
    """`douyin lin.mei` with the platform in words."""
    platform, _, handle = told.partition(" ")
    return f"{page.words(PARTS[platform]) if platform in PARTS else platform} · {handle}"


def _of_answer(visit: Visit, told: Mapping[str, Any]) -> Shown:
    figures = [
        Figure(**{**one, "observed_at": datetime.fromisoformat(one["observed_at"]) if one["observed_at"] else None})
        for one in told["figures"]
    ]
    return Shown(
        told["display_name"], told["bio"], told["version"], datetime.fromisoformat(told["published_at"]),
        told["categories"], [_account(visit, one) for one in told["accounts"]],
        sections(figures, told["sections"], visit.formats, visit.words), told["jobs_settled"], told["examples"],
    )  # fmt: skip


router.include_router(own)
