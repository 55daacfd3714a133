"""Compliance running embedded in a temporary folder: HTTP by ASGI, gRPC on a free port, topics to write to and to read."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from dandelion.compliance.v1 import queries_pb2 as pb
from dandelion.compliance.v1.queries_pb2_grpc import ReviewQueryServiceStub
from google.protobuf.message import Message as Proto

from kernel.core.faults import Unavailable
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import App, run_migrations
from services.compliance.ports import Seen
from services.compliance.settings import ComplianceSettings
from services.compliance.wiring import SERVICE, open_app
from tests.kit.running import Running, issuer_in, serving, settings_in
from tests.kit.until import until

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


class Compliance(Running):
    """The running service and clients of it."""

    caller = REVIEWER

    def __init__(self, app: App, issuer: Issuer, platform: FakePlatform) -> None:
        super().__init__(app, issuer)
        self.platform = platform

    async def post(self, path: str, body: Any, who: Sequence[str] = REVIEWER, key: str = "") -> httpx.Response:
        return await self.send("POST", path, body, who, key)

    @asynccontextmanager
    async def queries(self, who: Sequence[str] = REVIEWER) -> AsyncIterator["ReviewQueryServiceAsyncStub"]:
        async with self.channel(who) as channel:
            yield ReviewQueryServiceStub(channel)

    async def review(self, review_id: str, who: Sequence[str] = REVIEWER, at_least: str = "") -> pb.Review:
        async with self.queries(who) as queries:
            request = pb.GetReviewRequest(review_id=review_id, at_least=at_least)
            return (await queries.GetReview(request)).review

    async def reviewed(self, review_id: str) -> pb.Review:
        """The review once its read model has it."""
        token = (await self.published(review_id, "ReviewCompleted"))[0].token
        return await self.review(review_id, at_least=token)

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
    settings, platform = settings_in(folder, ComplianceSettings, **{"four_eyes": False} | changes), FakePlatform()
    await run_migrations(SERVICE, settings)
    app = open_app(settings, platform=platform)
    async with serving(app):
        yield Compliance(app, issuer_in(folder), platform)
