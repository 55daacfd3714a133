"""One collaboration led through campaigns, with the ledger and compliance played by the test."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import commands_pb2 as compliance_commands
from dandelion.compliance.v1 import events_pb2 as compliance
from dandelion.discovery.v1 import events_pb2 as discovery
from dandelion.ledger.v1 import commands_pb2 as ledger_commands
from dandelion.ledger.v1 import events_pb2 as ledger

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from tests.kit.running import Running
from tests.kit.until import until

LABEL = "广告"
JOBS = 1_000
"""More than any test's creator has; the last that is told of it."""
SHORT: dict[str, int] = {"settlement_delay_s": 1}


def brief_body(**changes: Any) -> dict[str, Any]:
    now = system_clock()
    brief = {
        "title": "Spring serum", "campaign_type": "branded_content", "mode": "open", "objective": "engagement",
        "product_category": "cosmetics", "jurisdiction": "CN",
        "deliverables": [{"platform": "xiaohongshu", "format": "image_note"}],
        "posting_from": (now - timedelta(hours=1)).isoformat(),
        "posting_until": (now + timedelta(days=30)).isoformat(),
        "budget_minor": 1_000_000, "currency": "CNY", "compensation": {"kind": "fixed"},
    }  # fmt: skip
    return brief | changes


async def register(campaigns: Running, creator_id: str) -> None:
    """Discovery says that a creator is there, with verified accounts; waits until campaigns has heard it."""
    stream = f"creator-{creator_id}"
    await campaigns.tell(stream, discovery.CreatorRegistered(creator_id=creator_id))
    for platform in (common.PLATFORM_XIAOHONGSHU, common.PLATFORM_DOUYIN, common.PLATFORM_WEIBO):
        account = discovery.PlatformAccount(platform=platform, handle=f"clara{creator_id[-8:]}")
        await campaigns.tell(stream, discovery.AccountVerified(creator_id=creator_id, account=account))
    taken = discovery.AvailabilityChanged(
        creator_id=creator_id, availability=discovery.AVAILABILITY_OPEN, max_parallel_jobs=JOBS
    )
    await campaigns.tell(stream, taken)
    await until(lambda: is_heard(campaigns, creator_id, max_parallel_jobs=JOBS))


async def is_heard(campaigns: Running, creator_id: str, **wanted: object) -> bool:
    """Whether campaigns has heard of a creator, and that it stands so."""
    table = campaigns.app.metadata.tables["creators"]
    async with campaigns.app.database.reading() as connection:
        query = table.select().where(table.c.creator_id == creator_id)
        row = (await connection.execute(query)).mappings().first()
    return row is not None and all(row[name] == value for name, value in wanted.items())


@dataclass
class Story:
    """A brand, a creator and their campaign; `collaboration_id` once an application exists."""

    campaigns: Running
    clocks: dict[str, int] = field(default_factory=lambda: dict(SHORT))
    terms: dict[str, Any] = field(default_factory=dict)
    campaign_id: str = field(default_factory=new_id)
    brand: tuple[str, ...] = field(default_factory=lambda: ("bella", new_id(), "brand"))
    creator: tuple[str, ...] = field(default_factory=lambda: ("clara", new_id(), "creator"))
    collaboration_id: str = ""

    async def publish(self, **changes: Any) -> None:
        """The campaign is drafted and open."""
        await self.draft(**changes)
        await self.open()

    async def draft(self, **changes: Any) -> None:
        draft = {"brief": brief_body(**changes), "terms": {"clocks": self.clocks, **self.terms}}
        await self.campaigns.done("PUT", f"/campaigns/{self.campaign_id}", draft, self.brand)

    async def open(self) -> None:
        """The draft is published."""
        await self.campaigns.done("POST", f"/campaigns/{self.campaign_id}/publish", None, self.brand)

    async def agree(self, *fees_minor: int) -> None:
        """The creator applies at these fees and the brand accepts."""
        await self.apply(*fees_minor)
        await self.accept()

    async def apply(self, *fees_minor: int) -> None:
        if not await is_heard(self.campaigns, self.creator[1]):
            await register(self.campaigns, self.creator[1])
        path = f"/campaigns/{self.campaign_id}/apply"
        receipt = await self.campaigns.done("POST", path, {"fees_minor": fees_minor}, self.creator)
        self.collaboration_id = receipt["stream"].removeprefix("application-")

    async def accept(self) -> None:
        accept = f"/applications/{self.collaboration_id}/accept"
        await self.campaigns.done("POST", accept, {"brief_version": 1}, self.brand)

    async def act(self, verb: str, body: Any, who: tuple[str, ...]) -> dict[str, Any]:
        path = f"/collaborations/{self.collaboration_id}/{verb}"
        receipt: dict[str, Any] = await self.campaigns.done("POST", path, body, who)
        return receipt

    async def refused(self, verb: str, body: Any, who: tuple[str, ...]) -> str:
        return await self.campaigns.refused("POST", f"/collaborations/{self.collaboration_id}/{verb}", body, who)

    async def requests(self, topic: str, kind: Any) -> list[Any]:
        """This collaboration's requests of one type."""
        found = await self.campaigns.messages(f"{topic}.commands.v1", kind)
        return [one for one in found if one.collaboration_id == self.collaboration_id]

    async def asked(self, topic: str, kind: Any, count: int = 1) -> list[Any]:
        """Waits until the processes have asked so often."""

        async def enough() -> bool:
            return len(await self.requests(topic, kind)) >= count

        await until(enough)
        return await self.requests(topic, kind)

    async def hold(self, count: int = 1) -> None:
        """The ledger holds every escrow it is asked for."""
        for request in await self.asked("ledger", ledger_commands.HoldEscrow, count):
            held = ledger.EscrowHeld(deliverable_id=request.deliverable_id, collaboration_id=self.collaboration_id)
            await self.campaigns.tell(f"escrow-{request.deliverable_id}", held)

    async def not_covered(self, deliverable_id: str) -> None:
        """The ledger says that the brand's deposit does not cover an escrow."""
        refused = ledger.EscrowRefused(
            deliverable_id=deliverable_id, collaboration_id=self.collaboration_id, code="escrow.not_covered"
        )
        await self.campaigns.tell(f"escrow-{deliverable_id}", refused)

    async def funded(self) -> pb.Collaboration:
        """The collaboration with its money in escrow."""
        await self.hold()
        return await self.until(lambda one: one.status == pb.COLLABORATION_STATUS_FUNDED)

    async def get(self) -> pb.Collaboration:
        return await self.seen_by(self.brand)

    async def seen_by(self, who: tuple[str, ...]) -> pb.Collaboration:
        """The collaboration as one of its sides sees it."""
        async with self.campaigns.channel(who) as channel:
            request = pb.ListCollaborationsRequest(campaign_id=self.campaign_id)
            answer = await CampaignQueryServiceStub(channel).ListCollaborations(request)
        return answer.collaborations[0] if answer.collaborations else pb.Collaboration()

    async def until(self, true: Callable[[pb.Collaboration], bool]) -> pb.Collaboration:
        """The collaboration once the read model shows it so."""

        async def shown() -> bool:
            return true(await self.get())

        await until(shown)
        return await self.get()

    async def stage(self, status: pb.DeliverableStatus.ValueType) -> pb.DeliverableView:
        """The first deliverable once it stands there."""
        found = await self.until(lambda one: bool(one.deliverables) and one.deliverables[0].status == status)
        return found.deliverables[0]

    async def campaign(self) -> pb.Campaign:
        async with self.campaigns.channel(self.brand) as channel:
            request = pb.GetCampaignRequest(campaign_id=self.campaign_id)
            answer = await CampaignQueryServiceStub(channel).GetCampaign(request)
        return answer.campaign

    async def submit(self, deliverable_id: str, text: str = "A serum I like") -> str:
        """The creator hands in a draft."""
        submission_id = new_id()
        body = {
            "deliverable_id": deliverable_id, "submission_id": submission_id, "stage": "draft",
            "content": {"title": "Spring", "text": text, "links": ["https://shop.test/serum"]},
        }  # fmt: skip
        await self.act("submit", body, self.creator)
        return submission_id

    async def post(self, deliverable_id: str) -> None:
        """A draft is cleared, approved and published."""
        submission_id = await self.submit(deliverable_id)
        await self.reviewed(submission_id, "clear")
        await self.stage(pb.DELIVERABLE_STATUS_REVIEWED)
        await self.act("approve", {"deliverable_id": deliverable_id, "submission_id": submission_id}, self.brand)
        post = {"deliverable_id": deliverable_id, "post_id": f"p-{deliverable_id}", "post_url": "https://post.test/1"}
        await self.act("publish", post | {"text": f"{LABEL} A serum I like"}, self.creator)

    async def reviewed(self, submission_id: str, verdict: str, count: int = 1) -> None:
        """Compliance judges; it attaches the label to what it clears, and notices that it was missing."""
        await self.asked("compliance", compliance_commands.ReviewContent, count)
        number = common.Verdict.Value(f"VERDICT_{verdict.upper()}")
        notice = compliance.Finding(severity=compliance.SEVERITY_NOTICE)
        judged = compliance.ReviewCompleted(submission_id=submission_id, verdict=number, findings=[notice])
        await self.campaigns.tell(f"review-{submission_id}", judged)
        if verdict == "clear":
            placement = common.LABEL_PLACEMENT_TEXT_START
            label = compliance.DisclosureAttached(submission_id=submission_id, label=LABEL, placement=placement)
            await self.campaigns.tell(f"review-{submission_id}", label)

    async def look(self, deliverable_id: str, ok: bool) -> None:
        """Compliance looks at the post."""
        seen = compliance.ContentLookedAt(
            look_id=new_id(), deliverable_id=deliverable_id, collaboration_id=self.collaboration_id,
            found=True, label_present=ok, text_unchanged=True, ok=ok,
        )  # fmt: skip
        await self.campaigns.tell(f"look-{deliverable_id}", seen)

    async def pay(self) -> None:
        """The ledger pays what it is asked to."""
        for request in await self.asked("ledger", ledger_commands.ReleasePayment):
            paid = ledger.PaymentReleased(
                release_id=request.release_id, deliverable_id=request.deliverable_id,
                collaboration_id=self.collaboration_id, kind=ledger.RELEASE_KIND_SETTLEMENT,
                creator_net_minor=request.fee_minor - 5_000, currency="CNY",
            )  # fmt: skip
            await self.campaigns.tell(f"escrow-{request.deliverable_id}", paid)
