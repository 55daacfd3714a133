"""Metrics running embedded in a temporary folder: HTTP by ASGI, gRPC on a free port, and others' topics to write to."""

import asyncio
import base64
import os
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import sqlalchemy as sa
from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.metrics.v1.queries_pb2_grpc import RoiQueryServiceStub
from dandelion_contracts.channel import connect
from google.protobuf.message import Message as Proto

from kernel.adapters.bus import PARTITIONS, Message
from kernel.core.clock import system_clock
from kernel.core.ids import derived_id, new_id, partition_of
from kernel.edge.dev_issuer import Issuer
from kernel.host.app import App, run_migrations
from services.metrics.domain.engagement import ENVELOPE_ROWS, envelope_id
from services.metrics.rest import make_api
from services.metrics.settings import MetricsSettings
from services.metrics.tables import ENVELOPES
from services.metrics.wiring import SERVICE, open_app
from tests.kit.until import until
from tools.speed import patience

if TYPE_CHECKING:
    from dandelion.metrics.v1.queries_pb2_grpc import RoiQueryServiceAsyncStub  # in the stubs only

Who = Sequence[str]
OPERATOR = ("olga", "platform", "operator")


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


def settings_in(folder: Path, **changes: Any) -> MetricsSettings:
    """Embedded settings, with keys of this folder's own."""
    if not (folder / "fingerprint.key").exists():
        (folder / "fingerprint.key").write_bytes(os.urandom(32))
        (folder / "master.keys").write_text(f"k1 {base64.b64encode(os.urandom(32)).decode()}\n")
    values: dict[str, Any] = {
        "database_url": f"sqlite+aiosqlite:///{folder / 'metrics.db'}",
        "bus_url": f"local:///{folder / 'bus.db'}",
        "jwks": str(folder / "issuer" / "jwks.json"),
        "token_issuer": "https://issuer.test",
        "fingerprint_key_file": folder / "fingerprint.key",
        "master_keys_file": folder / "master.keys",
        "rpc_port": free_port(),
    }
    return MetricsSettings(**(values | changes))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Metrics:
    """The running service and clients of it."""

    def __init__(self, app: App, issuer: Issuer) -> None:
        self.app, self.issuer = app, issuer
        self.api = make_api(app)
        self._last: dict[tuple[str, int], int] = defaultdict(int)
        self._position: dict[str, int] = defaultdict(int)

    def http(self, who: Who = ()) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.issuer.issue(*who)}"} if who else {}
        transport = httpx.ASGITransport(self.api)
        return httpx.AsyncClient(transport=transport, base_url="http://metrics.test", headers=headers)

    async def send(self, method: str, path: str, body: Any, who: Who = OPERATOR, key: str = "") -> httpx.Response:
        """One command; every call has a key of its own unless one is given. Text is sent as CSV."""
        headers = {"Idempotency-Key": key or new_id()}
        async with self.http(who) as client:
            if isinstance(body, str | bytes):
                return await client.request(method, path, content=body, headers=headers | {"Content-Type": "text/csv"})
            return await client.request(method, path, json=body, headers=headers)

    async def done(self, method: str, path: str, body: Any, who: Who = OPERATOR, key: str = "") -> Any:
        """One command that must succeed; its answer."""
        answer = await self.send(method, path, body, who, key)
        assert answer.status_code in {200, 201, 202}, answer.text
        return answer.json()

    @asynccontextmanager
    async def queries(self, who: Who = OPERATOR) -> AsyncIterator["RoiQueryServiceAsyncStub"]:
        token = self.issuer.issue(*who)
        async with connect(f"127.0.0.1:{self.app.settings.rpc_port}", token=token) as channel:
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

    async def tell(self, stream: str, message: Proto, at: datetime | None = None) -> str:
        """Puts an event of another service on its topic as a relay would; a token that waits for it."""
        service = message.DESCRIPTOR.full_name.split(".")[1]
        where = (f"{service}.events.v1", partition_of(stream, PARTITIONS))
        self._position[service] += 1
        position = self._position[service]
        values = {
            "ce_specversion": "1.0", "ce_id": f"{stream}@{position}", "ce_source": service,
            "ce_type": message.DESCRIPTOR.full_name, "ce_time": (at or system_clock()).isoformat(),
            "ce_subject": stream, "ce_tenant": "platform", "ce_sequence": str(position), "ce_position": str(position),
            "ce_previous": str(self._last[where]),
        }  # fmt: skip
        self._last[where] = position
        headers = [(name, text.encode()) for name, text in values.items()]
        await self.put(where, Message(stream.encode(), message.SerializeToString(), headers))
        return f"{service}:{position}:{where[1]}"

    async def put(self, where: tuple[str, int], message: Message) -> None:
        producer = await self.app.bus.producer()
        await producer.send({where: [message]}, 10)
        await producer.close()

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
        return made

    async def paid(self, deal: Deal, gross_minor: int, fee_minor: int, content: int = 0, currency: str = "CNY") -> str:
        released = ledger.PaymentReleased(
            release_id=new_id(), deliverable_id=deal.contents[content], collaboration_id=deal.collaboration_id,
            campaign_id=deal.campaign_id, brand_id=deal.brand_id, creator_id=deal.creator_id,
            gross_minor=gross_minor, fee_minor=fee_minor, currency=currency,
        )  # fmt: skip
        return await self.tell(f"escrow-{deal.contents[content]}", released)


@asynccontextmanager
async def running(folder: Path, roles: Sequence[str] = (), **changes: Any) -> AsyncIterator[Metrics]:
    """Every role of metrics until the block ends; a role that fails fails the test."""
    issuer = Issuer.at(folder / "issuer", "https://issuer.test", "dandelion")
    settings = settings_in(folder, **changes)
    await run_migrations(SERVICE, settings)
    app = open_app(settings)
    wanted = roles or ["relay", "project", "process", "rpc", "stream"]
    made = [one for one in await app.roles(wanted) if one.name != "loop"]
    stop = asyncio.Event()
    tasks = [asyncio.create_task(_serve(one.serve, stop), name=one.name) for one in made]
    try:
        yield Metrics(app, issuer)
    finally:
        stop.set()
        ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), patience(60))
        await app.close()
        await app.bus.close()
        failed = [one for one in ended if isinstance(one, Exception)]
    if failed:
        raise ExceptionGroup("roles failed", failed)


async def _serve(serve: Any, stop: asyncio.Event) -> None:
    await serve(stop)
