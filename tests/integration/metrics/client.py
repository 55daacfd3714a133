"""Metrics running embedded in a temporary folder: HTTP by ASGI, gRPC on a free port, and others' topics to write to."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.metrics.v1.queries_pb2_grpc import OrderQueryServiceStub, RoiQueryServiceStub

from kernel.adapters.bus import PARTITIONS
from kernel.core.decider import Actor, Meta
from kernel.core.ids import derived_id, new_id
from kernel.host.app import run_migrations
from services.metrics.domain.engagement import ENVELOPE_ROWS, envelope_id
from services.metrics.domain.site.events import Outcome, proof_of, site_id_of, site_stream
from services.metrics.domain.site.site import ClaimSite, RecordSite
from services.metrics.settings import MetricsSettings
from services.metrics.tables import ENVELOPES
from services.metrics.wiring import SERVICE, open_app
from tests.kit.running import Running, issuer_in, serving, settings_in
from tests.kit.until import until
from tests.kit.web import FakeWeb

if TYPE_CHECKING:
    from dandelion.metrics.v1.queries_pb2_grpc import RoiQueryServiceAsyncStub  # in the stubs only

    from kernel.edge.tokens.dev_issuer import Issuer
    from kernel.host.app import App

Who = Sequence[str]
OPERATOR = ("olga", "platform", "operator")
SHOP = "shop.example"


@dataclass(frozen=True)
class Deal:
    """One collaboration of a brand and a creator with its deliverables."""

    brand_id: str = field(default_factory=new_id)
    creator_id: str = field(default_factory=new_id)
    campaign_id: str = field(default_factory=new_id)
    deliverables: int = 1

    @property
    def collaboration_id(self) -> str:
        return derived_id("application", self.campaign_id, self.creator_id)

    @property
    def contents(self) -> list[str]:
        return [derived_id("deliverable", self.collaboration_id, str(n)) for n in range(1, self.deliverables + 1)]

    @property
    def brand(self) -> Who:
        return "bella", self.brand_id, "brand"

    @property
    def creator(self) -> Who:
        return "cai", self.creator_id, "creator"


class Metrics(Running):
    """The running service, the web that it looks at, and clients of it."""

    caller = OPERATOR

    def __init__(self, app: "App", issuer: "Issuer", web: FakeWeb) -> None:
        super().__init__(app, issuer)
        self.web = web

    @asynccontextmanager
    async def queries(self, who: Who = OPERATOR) -> AsyncIterator["RoiQueryServiceAsyncStub"]:
        async with self.channel(who) as channel:
            yield RoiQueryServiceStub(channel)

    async def roi(self, campaign_id: str, who: Who = OPERATOR, **more: Any) -> pb.GetCampaignRoiResponse:
        async with self.queries(who) as queries:
            request = pb.GetCampaignRoiRequest(campaign_id=campaign_id, **more)
            answer: pb.GetCampaignRoiResponse = await queries.GetCampaignRoi(request)
            return answer

    async def performance(self, who: Who = OPERATOR, **asked: Any) -> pb.ListCampaignPerformanceResponse:
        async with self.queries(who) as queries:
            request = pb.ListCampaignPerformanceRequest(**asked)
            answer: pb.ListCampaignPerformanceResponse = await queries.ListCampaignPerformance(request)
            return answer

    async def order(self, order_id: str, who: Who = OPERATOR, **more: Any) -> pb.Order:
        async with self.channel(who) as channel:
            found = await OrderQueryServiceStub(channel).GetOrder(pb.GetOrderRequest(order_id=order_id, **more))
            order: pb.Order = found.order
            return order

    async def orders(self, who: Who = OPERATOR, **asked: Any) -> pb.ListOrdersResponse:
        async with self.channel(who) as channel:
            answer: pb.ListOrdersResponse = await OrderQueryServiceStub(channel).ListOrders(
                pb.ListOrdersRequest(**asked)
            )
            return answer

    async def until_counted(self, accepted: Any, tenant: str) -> None:
        """Until every envelope of an accepted batch is in the read model."""
        numbers = range(accepted["rows"] // ENVELOPE_ROWS + 1)
        batch_id = accepted["batch_id"]
        ids = [envelope_id(tenant, batch_id, partition, n) for partition in range(PARTITIONS) for n in numbers]

        async def counted() -> bool:
            async with self.app.database.reading() as connection:
                found = sa.select(sa.func.count()).where(ENVELOPES.c.envelope_id.in_(ids))
                return bool((await connection.execute(found)).scalar_one() == accepted["envelopes"])

        await until(counted, 60)

    async def contracted(self, deal: Deal | None = None) -> Deal:
        """A deal that metrics knows of when this returns."""
        made = deal or Deal()
        brief = campaigns.BriefPublished(campaign_id=made.campaign_id, brand_id=made.brand_id)
        await self.tell(f"campaign-{made.campaign_id}", brief)
        deliverables = [
            campaigns.Deliverable(deliverable_id=each, platform=common.PLATFORM_DOUYIN, format=common.FORMAT_VIDEO)
            for each in made.contents
        ]
        contract = campaigns.CollaborationContracted(
            collaboration_id=made.collaboration_id, campaign_id=made.campaign_id, brand_id=made.brand_id,
            creator_id=made.creator_id, deliverables=deliverables,
        )  # fmt: skip
        token = await self.tell(f"collaboration-{made.collaboration_id}", contract)
        await self.app.at_least(token, "registry")
        await self.proven(made.brand_id)
        return made

    async def proven(self, brand_id: str, host: str = SHOP) -> None:
        """The brand has proven the host, which its links may lead to when this returns."""
        self.web.records[host] = proof_of(site_id_of(brand_id, host))
        stream, brand = site_stream(brand_id, host), Actor("bella", brand_id, frozenset({"brand"}))
        await self.app.writer.execute(stream, ClaimSite(brand_id, host), Meta(new_id(), brand))
        await self.as_clock(stream, RecordSite(1, Outcome.DOMAIN))

    async def as_clock(self, stream: str, command: object) -> None:
        """A deadline's command, as the scheduler executes it."""
        actor = Actor("clock", "platform", frozenset({"system"}))
        await self.app.writer.execute(stream, command, Meta(new_id(), actor))

    async def site_status(self, brand_id: str, host: str) -> str:
        """As the next command will find it; "" for no site."""
        table = self.app.database.metadata.tables["site_claims"]
        query = sa.select(table.c.status).where(table.c.brand_id == brand_id, table.c.host == host)
        async with self.app.database.reading() as connection:
            return str((await connection.execute(query)).scalar() or "")

    async def paid(self, deal: Deal, gross_minor: int, fee_minor: int, content: int = 0, currency: str = "CNY") -> str:
        released = ledger.PaymentReleased(
            release_id=new_id(), deliverable_id=deal.contents[content], collaboration_id=deal.collaboration_id,
            campaign_id=deal.campaign_id, brand_id=deal.brand_id, creator_id=deal.creator_id,
            gross_minor=gross_minor, fee_minor=fee_minor, currency=currency,
        )  # fmt: skip
        return await self.tell(f"escrow-{deal.contents[content]}", released)

    async def clawed_back(self, deal: Deal, taken_minor: int, owed_minor: int) -> str:
        back = ledger.PaymentClawedBack(
            claw_back_id=new_id(), deliverable_id=deal.contents[0], campaign_id=deal.campaign_id,
            taken_minor=taken_minor, owed_minor=owed_minor, currency="CNY",
        )  # fmt: skip
        return await self.tell(f"escrow-{deal.contents[0]}", back)


@asynccontextmanager
async def running(folder: Path, roles: Sequence[str] = (), **changes: Any) -> AsyncIterator[Metrics]:
    """Every role of metrics until the block ends; a role that fails fails the test."""
    settings = settings_in(folder, MetricsSettings, **changes)
    await run_migrations(SERVICE, settings)
    web = FakeWeb()
    app = open_app(settings, web=web)
    async with serving(app, roles or ("relay", "project", "process", "rpc", "stream")):
        yield Metrics(app, issuer_in(folder), web)
