"""Media kits over HTTP: the creator's commands, and the public address at which a kit is read without signing in."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

import crawleruseragents
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, WithJsonSchema

from kernel.core.clock import system_clock
from kernel.core.decider import Actor, Meta
from kernel.core.events import Receipt
from kernel.core.faults import Refused
from kernel.core.ids import new_id, stream_id
from kernel.edge.fields import Uuid, worded
from kernel.edge.http import CommandRequest
from kernel.edge.http_errors import documented
from kernel.edge.limits import Buckets, Rate
from kernel.host.app import App
from services.discovery.documents.kits import Kit, KitReads, link_of
from services.discovery.documents.pdf import Pdfs
from services.discovery.domain.media_kit.commands import (
    Command,
    PublishKit,
    RecordOpening,
    RevokeShare,
    Section,
    ShareKit,
    WithdrawKit,
)
from services.discovery.domain.media_kit.figures import figures_of
from services.discovery.domain.media_kit.media_kit import CATEGORY
from services.discovery.reads import reads_of
from services.discovery.rest.sealing import Sealer

HEADERS = {"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
OPENINGS = Rate(5, 50)
"""Of one address, a second; bursts of so many."""
TOKEN = worded("^[A-Za-z0-9_-]{43}$", "43 of A-Z a-z 0-9 _ -")
Token = Annotated[str, WithJsonSchema({"type": "string", "pattern": TOKEN})]


class KitBody(BaseModel):
    """What the next version shows: `examples` are links of the profile, all of them where it is left out."""

    sections: list[Section]
    examples: list[str] | None = None


class ShareBody(BaseModel):
    """For whom the address is, in the creator's own words, and when it ends."""

    label: str
    expires_at: datetime | None = None


class FigureAnswer(BaseModel):
    """A number as it stood when the kit was published; `unit` is count, micros (millionths) or money (minor units)."""

    section: str
    name: str
    value: int
    unit: str
    currency: str
    provenance: str
    observed_at: datetime | None


class KitAnswer(BaseModel):
    """A kit as anybody who has the address reads it."""

    version: int
    published_at: datetime
    sections: list[str]
    display_name: str
    bio: str
    categories: list[str]
    accounts: list[str]
    figures: list[FigureAnswer]
    jobs_settled: int | None
    examples: list[str]


@dataclass(frozen=True, slots=True)
class Kits:
    """Sends commands on kits' streams, and reads kits at their addresses."""

    app: App
    sealer: Sealer
    reads: KitReads
    buckets: Buckets

    async def send(self, request: CommandRequest, creator_id: str, command: Command, body: BaseModel | None) -> Receipt:
        """Under the creator's key, with which labels and links are stored."""
        stream = stream_id(CATEGORY, creator_id)
        texts = await self.sealer.seal_known(creator_id, {})
        meta = request.meta(stream, command, body)
        return request.respond(await self.app.writer.execute(stream, command, meta, key=texts.key if texts else None))

    async def publish(self, request: CommandRequest, creator_id: str, body: KitBody) -> Receipt:
        card = await self.reads.creators.get(creator_id, request.actor, system_clock())
        known = card.state.profile.examples if card.state.profile else ()
        chosen = known if body.examples is None else tuple(body.examples)
        unknown = [link for link in chosen if link not in known]
        if unknown:
            raise Refused(
                "media_kit.example_unknown", link=unknown[0][:200], do="add it to the profile's examples first"
            )
        sections = tuple(dict.fromkeys(body.sections))
        shown = chosen if Section.EXAMPLES in sections else ()
        command = PublishKit(sections, shown, figures_of(card.state, sections))
        return await self.send(request, creator_id, command, body)

    async def opened(self, token: str, request: Request) -> Kit:
        """The kit at an address; counted unless a robot or a browser that loads ahead asks."""
        link_id = link_of(self.app.fingerprint_key, token)
        _, exhausted = self.buckets.take(link_id)
        if exhausted:
            raise exhausted
        kit = await self.reads.at_address(link_id, system_clock())
        if is_person(request):
            actor, opening_id = Actor("address", kit.creator_id, frozenset({"system"})), new_id()
            stream, command = stream_id(CATEGORY, kit.creator_id), RecordOpening(link_id, opening_id)
            await self.app.writer.execute(stream, command, Meta(opening_id, actor))
        return kit


def is_person(request: Request) -> bool:
    """Whether a person seems to look: no robot says so of itself, and nothing is loaded ahead."""
    agent = request.headers.get("user-agent", "")
    ahead = any("prefetch" in request.headers.get(name, "") for name in ("purpose", "sec-purpose"))
    head = getattr(request.state, "head", False)
    return bool(agent) and not ahead and not head and not crawleruseragents.is_crawler(agent)


def routes(app: App, sealer: Sealer) -> APIRouter:
    """Every command on kits, and the public address."""
    router = APIRouter(tags=["media-kits"])
    kits = Kits(app, sealer, KitReads(app.database, reads_of(app)), Buckets(OPENINGS))
    _commands(router, kits)
    _addresses(router, kits, Pdfs())
    return router


def _commands(router: APIRouter, kits: Kits) -> None:
    @router.put("/creators/{creator_id}/media-kit")
    async def publish(creator_id: Uuid, body: KitBody, request: CommandRequest) -> Receipt:
        """The creator publishes the next version: the chosen sections, with its numbers as they stand now."""
        return await kits.publish(request, creator_id, body)

    @router.post("/creators/{creator_id}/media-kit/withdraw")
    async def withdraw(creator_id: Uuid, request: CommandRequest) -> Receipt:
        """Nobody sees the kit any more, until it is published again; its addresses stay."""
        return await kits.send(request, creator_id, WithdrawKit(), None)

    @router.put("/creators/{creator_id}/media-kit/links/{link_id}", status_code=201)
    async def share(creator_id: Uuid, link_id: Uuid, body: ShareBody, request: CommandRequest) -> Receipt:
        """Makes an address for the kit; GetMediaKitLinks tells the creator its token."""
        return await kits.send(request, creator_id, ShareKit(link_id, body.label, body.expires_at), body)

    @router.post("/creators/{creator_id}/media-kit/links/{link_id}/revoke")
    async def revoke(creator_id: Uuid, link_id: Uuid, request: CommandRequest) -> Receipt:
        """Ends an address for good."""
        return await kits.send(request, creator_id, RevokeShare(link_id), None)


def _addresses(router: APIRouter, kits: Kits, pdfs: Pdfs) -> None:
    @router.get("/kits/{token}", response_model=KitAnswer, responses=documented(404, 429, 503))
    async def kit(token: Token, request: Request) -> Response:
        """Public: the kit behind an address, until the address ends. Counted once each time, without robots."""
        answer = kit_answer(await kits.opened(token, request))
        return JSONResponse(answer.model_dump(mode="json"), headers=HEADERS)

    @router.get("/kits/{token}/pdf", response_class=Response, responses=documented(404, 429, 503))
    async def pdf(token: Token, request: Request, lang: str = "zh-CN") -> Response:
        """Public: the same kit as PDF, in Chinese or English."""
        data = await pdfs.made(kit_answer(await kits.opened(token, request)).model_dump(), lang)
        named = {"Content-Disposition": 'attachment; filename="media-kit.pdf"'}
        return Response(data, media_type="application/pdf", headers=HEADERS | named)


def kit_answer(kit: Kit) -> KitAnswer:
    """What the chosen sections show."""
    profile, shown = kit.card.state.profile, set(kit.sections)
    accounts = kit.card.state.accounts if Section.ACCOUNTS in shown else ()
    return KitAnswer(
        version=kit.version,
        published_at=kit.published_at,
        sections=list(kit.sections),
        display_name=kit.card.display_name,
        bio=kit.card.bio if Section.ABOUT in shown else "",
        categories=list(profile.categories) if profile and Section.ABOUT in shown else [],
        accounts=[f"{one.platform.value} {one.handle}" for one in accounts],
        figures=[FigureAnswer(**asdict(one)) for one in kit.figures],
        jobs_settled=kit.card.records["settled"] if Section.RECORD in shown else None,
        examples=list(kit.examples),
    )
