"""Commands on one creator: `PUT /creators/{id}` registers, `POST /creators/{id}/<noun>` changes."""

from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import BaseModel

from kernel.core.events import Receipt
from kernel.core.faults import Forbidden
from kernel.core.ids import stream_id
from kernel.edge.fields import Uuid
from kernel.edge.http import CommandRequest
from kernel.eventlog.writer import Writer
from services.discovery.domain.commands import (
    ChangeAvailability,
    ChangeProfile,
    ChangeRateCard,
    Command,
    IdentifyAccount,
    LinkAccount,
    RegisterCreator,
    ReinstateCreator,
    ReportAudience,
    ReportFollowers,
    ReportPerformance,
    SuspendCreator,
    VerifyAccount,
)
from services.discovery.domain.creator import STAFF
from services.discovery.domain.guardians.guardian import GiveGuardianConsent, WithdrawGuardianConsent
from services.discovery.domain.profile import Account
from services.discovery.rest.bodies import (
    AccountBody,
    AudienceBody,
    AvailabilityBody,
    FollowersBody,
    GuardianBody,
    IdentifyBody,
    PerformanceBody,
    ProfileBody,
    RateCardBody,
    RegisterBody,
    ReinstateBody,
    SuspendBody,
    VerifyBody,
)
from services.discovery.rest.sealing import SealedTexts, Sealer


@dataclass(frozen=True, slots=True)
class Commands:
    """Sends commands on creators' streams."""

    writer: Writer
    sealer: Sealer

    async def send(
        self,
        request: CommandRequest,
        creator_id: str,
        command: Command,
        body: BaseModel | None,
        texts: SealedTexts | None = None,
    ) -> Receipt:
        stream = stream_id("creator", creator_id)
        meta = request.meta(stream, command, body)
        sealed, key = (texts.sealed, texts.key) if texts else ((), None)
        return request.respond(await self.writer.execute(stream, command, meta, sealed, key=key))

    async def seal(self, request: CommandRequest, creator_id: str, profile: ProfileBody) -> SealedTexts:
        """Strangers are refused before a key is made for the creator they name."""
        if request.actor.tenant != creator_id and STAFF.isdisjoint(request.actor.roles):
            raise Forbidden("creator.not_a_party")
        return await self.sealer.seal(creator_id, profile.texts())

    async def seal_account(self, creator_id: str, account: Account, account_id: str = "") -> SealedTexts | None:
        """The account under the creator's key; None for who has no key, whom the command refuses."""
        texts = {f"account.{account.platform}": account.handle, f"account_id.{account.platform}": account_id}
        return await self.sealer.seal_known(creator_id, texts)


def routes(writer: Writer, sealer: Sealer) -> APIRouter:
    """Every command but the import."""
    router = APIRouter(prefix="/creators/{creator_id}", tags=["creators"])
    commands = Commands(writer, sealer)
    _profile(router, commands)
    _offer(router, commands)
    _figures(router, commands)
    _staff(router, commands)
    _guardian(router, commands)
    return router


def _profile(router: APIRouter, commands: Commands) -> None:
    @router.put("", status_code=201)
    async def register(creator_id: Uuid, body: RegisterBody, request: CommandRequest) -> Receipt:
        """Registers a creator, by itself or by an operator; the creator's organisation owns it."""
        texts = await commands.seal(request, creator_id, body.profile)
        accounts = tuple(one.account() for one in body.accounts)
        command = RegisterCreator(creator_id, body.profile.profile(texts.revisions), accounts)
        return await commands.send(request, creator_id, command, body, texts)

    @router.post("/profile")
    async def profile(creator_id: Uuid, body: ProfileBody, request: CommandRequest) -> Receipt:
        """Replaces the whole profile."""
        texts = await commands.seal(request, creator_id, body)
        return await commands.send(request, creator_id, ChangeProfile(body.profile(texts.revisions)), body, texts)

    @router.post("/accounts")
    async def link(creator_id: Uuid, body: AccountBody, request: CommandRequest) -> Receipt:
        """Links an account, in place of the one on that platform."""
        texts = await commands.seal_account(creator_id, body.account())
        return await commands.send(request, creator_id, LinkAccount(body.account()), body, texts)


def _offer(router: APIRouter, commands: Commands) -> None:
    @router.post("/rate-card")
    async def rate_card(creator_id: Uuid, body: RateCardBody, request: CommandRequest) -> Receipt:
        """Replaces the whole rate card."""
        return await commands.send(request, creator_id, ChangeRateCard(body.card()), body)

    @router.post("/availability")
    async def availability(creator_id: Uuid, body: AvailabilityBody, request: CommandRequest) -> Receipt:
        """Opens or closes the creator for new jobs."""
        command = ChangeAvailability(body.availability, body.max_parallel_jobs)
        return await commands.send(request, creator_id, command, body)


def _figures(router: APIRouter, commands: Commands) -> None:
    @router.post("/audience")
    async def audience(creator_id: Uuid, body: AudienceBody, request: CommandRequest) -> Receipt:
        """Reports on one kind of audience; an older report than the known one is refused."""
        return await commands.send(request, creator_id, ReportAudience(body.audience()), body)

    @router.post("/followers")
    async def followers(creator_id: Uuid, body: FollowersBody, request: CommandRequest) -> Receipt:
        """Reports the followers of a linked account."""
        return await commands.send(request, creator_id, ReportFollowers(body.followers()), body)

    @router.post("/performance")
    async def performance(creator_id: Uuid, body: PerformanceBody, request: CommandRequest) -> Receipt:
        """Reports medians of one format and window."""
        return await commands.send(request, creator_id, ReportPerformance(body.performance()), body)


def _staff(router: APIRouter, commands: Commands) -> None:
    @router.post("/accounts/identify")
    async def identify(creator_id: Uuid, body: IdentifyBody, request: CommandRequest) -> Receipt:
        """Operators only: the account with this id of the platform is the creator's, and has this handle now."""
        texts = await commands.seal_account(creator_id, body.account(), body.account_id)
        return await commands.send(request, creator_id, IdentifyAccount(body.account(), body.account_id), body, texts)

    @router.post("/accounts/verify")
    async def verify(creator_id: Uuid, body: VerifyBody, request: CommandRequest) -> Receipt:
        """Operators only: the creator controls the account."""
        texts = await commands.seal_account(creator_id, body.account())
        return await commands.send(request, creator_id, VerifyAccount(body.account(), body.method), body, texts)

    @router.post("/suspend")
    async def suspend(creator_id: Uuid, body: SuspendBody, request: CommandRequest) -> Receipt:
        """Operators only: takes a creator out of search and stops new jobs."""
        return await commands.send(request, creator_id, SuspendCreator(body.reason, body.until), body)

    @router.post("/reinstate")
    async def reinstate(creator_id: Uuid, body: ReinstateBody, request: CommandRequest) -> Receipt:
        """Operators only: ends a suspension."""
        return await commands.send(request, creator_id, ReinstateCreator(body.reason), body)


def _guardian(router: APIRouter, commands: Commands) -> None:
    @router.post("/guardian")
    async def guardian(creator_id: Uuid, body: GuardianBody, request: CommandRequest) -> Receipt:
        """A guardian's consent to the work of who may be a minor; without it no offer is made or accepted."""
        command = GiveGuardianConsent(body.guardian, body.relation, body.evidence_sha256)
        texts = await commands.sealer.seal_known(creator_id, {})
        return await commands.send(request, creator_id, command, body, texts)

    @router.post("/guardian/withdraw")
    async def withdraw(creator_id: Uuid, request: CommandRequest) -> Receipt:
        """Takes a guardian's consent back: nothing new is agreed from now on."""
        return await commands.send(request, creator_id, WithdrawGuardianConsent(), None)
