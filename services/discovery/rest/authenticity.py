"""Commands on a creator's authenticity: evidence by operators, the creator's appeal, rulings by reviewers.

Samples of followers, posts and comments are measured here; only the figures go on, and no profile, name or text is kept.
"""

from dataclasses import dataclass
from typing import TypeVar

from fastapi import APIRouter
from pydantic import BaseModel

from kernel.core.decider import Actor
from kernel.core.events import Receipt
from kernel.core.faults import Invalid
from kernel.core.ids import stream_id
from kernel.edge.fields import Uuid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.discovery.authenticity.columns import Profiles, profiles_of
from services.discovery.authenticity.comments import COMMENTS, comments_of
from services.discovery.authenticity.gathering import Gathering
from services.discovery.authenticity.posts import POSTS, likes_of
from services.discovery.authenticity.sampling import SAMPLE, own_account, sample_of
from services.discovery.domain.authenticity.authenticity import CATEGORY
from services.discovery.domain.authenticity.commands import Appeal, Assess, Command, Rule
from services.discovery.domain.authenticity.evidence import Evidence
from services.discovery.rest.sample_bodies import (
    AppealBody,
    CommentsBody,
    OwnAccountBody,
    PostsBody,
    ProfileRowBody,
    RuleBody,
    SampleBody,
)
from services.discovery.rest.sealing import Sealer
from services.discovery.settings import DiscoverySettings

T = TypeVar("T")
SAMPLE_LIMIT_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Assessing:
    """Sends commands on streams of authenticity; evidence comes with what the platform itself knows."""

    app: App
    sealer: Sealer
    gathering: Gathering

    async def assess(
        self, request: CommandRequest, creator_id: str, evidence: Evidence, body: BaseModel | None
    ) -> Receipt:
        _require(request.actor)
        settings = self.app.settings
        assert isinstance(settings, DiscoverySettings)
        known = await self.gathering.evidence(creator_id)
        command = Assess(creator_id, known.updated(evidence), settings.authenticity_holds)
        return await self.send(request, creator_id, command, body)

    async def send(self, request: CommandRequest, creator_id: str, command: Command, body: BaseModel | None) -> Receipt:
        """With the creator's key, under which an appeal's statement is stored."""
        stream = stream_id(CATEGORY, creator_id)
        texts = await self.sealer.seal_known(creator_id, {})
        meta = request.meta(stream, command, body)
        return request.respond(await self.app.writer.execute(stream, command, meta, key=texts.key if texts else None))


def routes(app: App, sealer: Sealer) -> APIRouter:
    """Every command on a creator's authenticity."""
    router = APIRouter(prefix="/authenticity/{creator_id}", tags=["authenticity"])
    assessing = Assessing(app, sealer, Gathering(app))
    _samples(router, assessing)
    _own_figures(router, assessing)
    _words(router, assessing)
    return router


def _samples(router: APIRouter, assessing: Assessing) -> None:
    @router.post("/followers")
    async def followers(creator_id: Uuid, body: SampleBody, request: CommandRequest) -> Receipt:
        """Operators only: profiles of a random sample of the creator's followers, at least 100; the share of fakes is kept."""
        _require(request.actor)
        evidence = Evidence(followers=sample_of(_profiles(body.profiles, SAMPLE)))
        return await assessing.assess(request, creator_id, evidence, body)

    @router.post("/posts")
    async def posts(creator_id: Uuid, body: PostsBody, request: CommandRequest) -> Receipt:
        """Operators only: likes and comments of the creator's posts, at least 20, the newest last."""
        _require(request.actor)
        found = likes_of([(one.likes, one.comments) for one in body.posts])
        return await assessing.assess(request, creator_id, Evidence(likes=_enough(found, POSTS)), body)

    @router.post("/comments")
    async def comments(creator_id: Uuid, body: CommentsBody, request: CommandRequest) -> Receipt:
        """Operators only: comments under the creator's posts, at least 50; texts and authors are counted and not kept."""
        _require(request.actor)
        found = comments_of([one.comment() for one in body.comments])
        return await assessing.assess(request, creator_id, Evidence(comments=_enough(found, COMMENTS)), body)


def _own_figures(router: APIRouter, assessing: Assessing) -> None:
    @router.post("/account")
    async def account(creator_id: Uuid, body: OwnAccountBody, request: CommandRequest) -> Receipt:
        """Operators only: the profile of the creator's own account."""
        _require(request.actor)
        evidence = Evidence(account=own_account(_profiles((body.profile,), 1)))
        return await assessing.assess(request, creator_id, evidence, body)

    @router.post("/assess")
    async def assess(creator_id: Uuid, request: CommandRequest) -> Receipt:
        """Operators only: judges the creator on what is known now."""
        return await assessing.assess(request, creator_id, Evidence(), None)


def _words(router: APIRouter, assessing: Assessing) -> None:
    @router.post("/appeal")
    async def appeal(creator_id: Uuid, body: AppealBody, request: CommandRequest) -> Receipt:
        """The creator only: why a judgement of watch or fraud is wrong; reviewers read it."""
        return await assessing.send(request, creator_id, Appeal(body.statement), body)

    @router.post("/rule")
    async def rule(creator_id: Uuid, body: RuleBody, request: CommandRequest) -> Receipt:
        """Reviewers only: the judgement stands, or is lifted. To lift fraud takes two reviewers."""
        return await assessing.send(request, creator_id, Rule(body.verdict, body.reason), body)


def _require(actor: Actor) -> None:
    """Nobody else's sample is measured: that takes time."""
    actor.require("operator")


def _profiles(rows: tuple[ProfileRowBody, ...], least: int) -> Profiles:
    """Raises Invalid `authenticity.sample_too_small`."""
    if len(rows) < least:
        raise Invalid("authenticity.sample_too_small", least=least, sent=len(rows))
    return profiles_of([one.model_dump(exclude_none=True) for one in rows])


def _enough(found: T | None, least: int) -> T:
    if found is None:
        raise Invalid("authenticity.sample_too_small", least=least)
    return found
