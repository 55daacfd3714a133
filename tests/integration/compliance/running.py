"""Compliance running embedded in a temporary folder: HTTP by ASGI, gRPC on a free port, topics to write to and to read."""

import asyncio
import base64
import os
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from dandelion.compliance.v1 import queries_pb2 as pb
from dandelion.compliance.v1.queries_pb2_grpc import ReviewQueryServiceStub
from dandelion_contracts.channel import connect
from google.protobuf.message import Message as Proto

from kernel.adapters.bus import PARTITIONS, Message
from kernel.core.clock import system_clock
from kernel.core.faults import Unavailable
from kernel.core.ids import new_id, partition_of
from kernel.edge.dev_issuer import Issuer
from kernel.host.app import App, run_migrations
from services.compliance.ports import Seen
from services.compliance.rest import make_api
from services.compliance.settings import ComplianceSettings
from services.compliance.wiring import SERVICE, open_app
from tests.kit.until import until
from tools.speed import patience

if TYPE_CHECKING:
    from dandelion.compliance.v1.queries_pb2_grpc import ReviewQueryServiceAsyncStub

REVIEWER = ("rita", "platform", "reviewer")
EVENTS, COMMANDS = "compliance.events.v1", "compliance.commands.v1"
P = TypeVar("P", bound=Proto)


@dataclass
class FakePlatform:
    """What stands on the platform, by post id; while `down` nobody knows."""

    posts: dict[str, Seen] = field(default_factory=dict)
    down: bool = False
    asked: int = 0

    async def look(self, platform: str, post_id: str, idempotency_key: str) -> Seen | None:
        self.asked += 1
        if self.down:
            raise Unavailable("platform.unreachable")
        return self.posts.get(post_id)


def settings_in(folder: Path, **changes: Any) -> ComplianceSettings:
    """Embedded settings, with keys of this folder's own."""
    (folder / "fingerprint.key").write_bytes(os.urandom(32))
    (folder / "master.keys").write_text(f"k1 {base64.b64encode(os.urandom(32)).decode()}\n")
    values: dict[str, Any] = {
        "database_url": f"sqlite+aiosqlite:///{folder / 'compliance.db'}",
        "bus_url": f"local:///{folder / 'bus.db'}",
        "jwks": str(folder / "issuer" / "jwks.json"),
        "token_issuer": "https://issuer.test",
        "fingerprint_key_file": folder / "fingerprint.key",
        "master_keys_file": folder / "master.keys",
        "rpc_port": free_port(),
    }
    return ComplianceSettings(**(values | changes))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Compliance:
    """The running service and clients of it."""

    def __init__(self, app: App, issuer: Issuer, platform: FakePlatform) -> None:
        self.app, self.issuer, self.platform = app, issuer, platform
        self.api = make_api(app)
        self._last: dict[tuple[str, int], int] = defaultdict(int)
        self._position = 0

    async def post(self, path: str, body: Any, who: Sequence[str] = REVIEWER, key: str = "") -> httpx.Response:
        subject, tenant, *roles = who
        headers = {
            "Authorization": f"Bearer {self.issuer.issue(subject, tenant, *roles)}",
            "Idempotency-Key": key or new_id(),
        }
        transport = httpx.ASGITransport(self.api)
        async with httpx.AsyncClient(transport=transport, base_url="http://compliance.test") as client:
            return await client.post(path, json=body, headers=headers)

    @asynccontextmanager
    async def queries(self, who: Sequence[str] = REVIEWER) -> AsyncIterator["ReviewQueryServiceAsyncStub"]:
        subject, tenant, *roles = who
        token = self.issuer.issue(subject, tenant, *roles)
        async with connect(f"127.0.0.1:{self.app.settings.rpc_port}", token=token) as channel:
            yield ReviewQueryServiceStub(channel)

    async def review(self, review_id: str, who: Sequence[str] = REVIEWER, at_least: str = "") -> pb.Review:
        async with self.queries(who) as queries:
            request = pb.GetReviewRequest(review_id=review_id, at_least=at_least)
            return (await queries.GetReview(request)).review

    async def reviewed(self, review_id: str) -> pb.Review:
        """The review once its read model has it."""
        token = (await self.published(review_id, "ReviewCompleted"))[0].token
        return await self.review(review_id, at_least=token)

    async def ask(self, stream: str, message: Proto, requester: str, identity: str = "") -> str:
        """Puts a command on compliance's command topic as another service's relay would; its message id."""
        where = (COMMANDS, partition_of(stream, PARTITIONS))
        identity = identity or new_id()
        values = {
            "ce_specversion": "1.0", "ce_id": identity, "ce_source": "campaigns", "ce_subject": stream,
            "ce_type": message.DESCRIPTOR.full_name, "ce_time": system_clock().isoformat(), "ce_tenant": "platform",
            "ce_requester": requester, "ce_causation": requester, "ce_correlation": identity,
        }  # fmt: skip
        await self._send(where, stream, message, values)
        return identity

    async def tell(self, stream: str, message: Proto, tenant: str) -> None:
        """Puts an event of campaigns on its topic as its relay would."""
        where = ("campaigns.events.v1", partition_of(stream, PARTITIONS))
        self._position += 1
        values = {
            "ce_specversion": "1.0", "ce_id": f"{stream}@{self._position}", "ce_source": "campaigns",
            "ce_type": message.DESCRIPTOR.full_name, "ce_time": system_clock().isoformat(), "ce_subject": stream,
            "ce_tenant": tenant, "ce_sequence": str(self._position), "ce_position": str(self._position),
            "ce_previous": str(self._last[where]),
        }  # fmt: skip
        self._last[where] = self._position
        await self._send(where, stream, message, values)

    async def _send(self, where: tuple[str, int], stream: str, message: Proto, values: dict[str, str]) -> None:
        headers = [(name, text.encode()) for name, text in values.items()]
        producer = await self.app.bus.producer()
        await producer.send({where: [Message(stream.encode(), message.SerializeToString(), headers)]}, 10)
        await producer.close()

    async def events(self) -> list["Published"]:
        """Everything on compliance's event topic, in order of position."""
        ends = await self.app.bus.end_offsets([EVENTS])
        reader = await self.app.bus.reader(dict.fromkeys(ends, 0), "test")
        found: list[Published] = []
        try:
            while len(found) < sum(ends.values()):
                for (_, partition), records in (await reader.read(5_000, 1)).items():
                    found += [Published.of(record, partition) for record in records]
        finally:
            await reader.close()
        return sorted(found, key=lambda one: one.position)

    async def published(self, about: str, *kinds: str, count: int = 1) -> list["Published"]:
        """The events of these kinds whose stream names `about`, once there are `count`."""
        found: list[Published] = []

        async def there() -> bool:
            nonlocal found
            found = [one for one in await self.events() if about in one.stream and one.kind in kinds]
            return len(found) >= count

        await until(there)
        return found


@dataclass(frozen=True)
class Published:
    """One event as a subscriber sees it."""

    stream: str
    kind: str
    position: int
    partition: int
    value: bytes

    @classmethod
    def of(cls, record: Any, partition: int) -> "Published":
        kind = record.header("ce_type").rpartition(".")[2]
        return cls(record.key.decode(), kind, int(record.header("ce_position")), partition, record.value)

    @property
    def token(self) -> str:
        return f"compliance:{self.position}:{self.partition}"

    def read(self, kind: type[P]) -> P:
        message = kind()
        message.ParseFromString(self.value)
        return message


@asynccontextmanager
async def running(folder: Path, **changes: Any) -> AsyncIterator[Compliance]:
    """Every role of compliance until the block ends; a role that fails fails the test."""
    issuer = Issuer.at(folder / "issuer", "https://issuer.test", "dandelion")
    settings, platform = settings_in(folder, **changes), FakePlatform()
    await run_migrations(SERVICE, settings)
    app = open_app(settings, platform=platform)
    roles = [one for one in await app.roles(["relay", "project", "process", "rpc"]) if one.name != "loop"]
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(one.serve(stop)) for one in roles]
    try:
        yield Compliance(app, issuer, platform)
    finally:
        stop.set()
        ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), patience(30))
        await app.close()
        await app.bus.close()
    failed = [one for one in ended if isinstance(one, Exception)]
    if failed:
        raise ExceptionGroup("roles failed", failed)
