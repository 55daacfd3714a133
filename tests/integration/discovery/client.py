"""Discovery running embedded in a temporary folder: HTTP by ASGI, gRPC on a free port, and others' topics to write to."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1.queries_pb2_grpc import CreatorQueryServiceStub

from kernel.adapters.bus import PARTITIONS
from kernel.core.faults import Fault
from kernel.host.app import run_migrations
from services.discovery.ports.mail import Letter
from services.discovery.ports.profiles import SeenProfile, Unreadable
from services.discovery.settings import DiscoverySettings
from services.discovery.wiring import SERVICE, open_app
from tests.kit.running import Running, issuer_in, serving, settings_in
from tests.kit.until import until
from tools.make_creators import TARGET

if TYPE_CHECKING:
    from dandelion.discovery.v1.queries_pb2_grpc import CreatorQueryServiceAsyncStub  # in the stubs only

OPERATOR = ("olga", "platform", "operator")
BRAND = ("bella", "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4ee0", "brand")


class Bios:
    """Bios of accounts by platform and handle, as a test wrote them; an answer that is a fault is raised once."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[SeenProfile | Unreadable | Fault | None]] = {}

    async def look(self, platform: str, handle: str, idempotency_key: str) -> SeenProfile | Unreadable | None:
        given = self.answers.get((platform, handle), [None])
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Fault):
            raise answer
        return answer


class Letters:
    """Letters by address; those to `@refused.example` are refused for good."""

    def __init__(self) -> None:
        self.sent: dict[str, dict[str, Letter]] = {}

    async def send(self, letter: Letter) -> str:
        if letter.to.endswith("@refused.example"):
            return "mail.address_refused"
        self.sent.setdefault(letter.to, {})[letter.id] = letter
        return ""

    def newest(self, address: str) -> Letter | None:
        return next(reversed(self.sent.get(address, {}).values()), None)


PROFILES, MAIL = Bios(), Letters()
"""The world outside of all tests of a process: each uses handles and addresses of its own."""


LATE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
"""The read model is behind."""


class Discovery(Running):
    """The running service and clients of it."""

    caller = OPERATOR

    async def done(self, method: str, path: str, body: Any, who: Sequence[str] = OPERATOR, key: str = "") -> str:
        """One command that must succeed; its token."""
        token: str = (await super().done(method, path, body, who, key))["token"]
        return token

    @asynccontextmanager
    async def queries(self, *who: str) -> AsyncIterator["CreatorQueryServiceAsyncStub"]:
        async with self.channel(who or BRAND) as channel:
            yield CreatorQueryServiceStub(channel)

    async def search(self, *who: str, **filters: Any) -> pb.SearchCreatorsResponse:
        async with self.queries(*who) as queries:
            answer: pb.SearchCreatorsResponse = await queries.SearchCreators(pb.SearchCreatorsRequest(**filters))
            return answer

    async def shipped(self) -> str:
        """Imports the shipped creators; the token, once searches see them all."""
        token: str = (await self.send("POST", "/imports", TARGET.read_bytes())).json()["token"]
        await self.seen(token)
        return token

    async def seen(self, token: str) -> None:
        """Until searches see what the token is of, however long the machine takes for that."""

        async def is_seen() -> bool:
            try:
                await self.search(at_least=token, page_size=1)
            except grpc.RpcError as error:
                if error.code() not in LATE:
                    raise
                return False
            return True

        await until(is_seen, 60)

    async def get(self, creator_id: str, *who: str, at_least: str = "") -> pb.Creator:
        async with self.queries(*who) as queries:
            request = pb.GetCreatorRequest(creator_id=creator_id, at_least=at_least)
            answer: pb.GetCreatorResponse = await queries.GetCreator(request)
            return answer.creator


@asynccontextmanager
async def running(folder: Path, **changes: Any) -> AsyncIterator[Discovery]:
    """Every role of discovery until the block ends; a role that fails fails the test."""
    settings = settings_in(folder, DiscoverySettings, **changes)
    await run_migrations(SERVICE, settings)
    app = open_app(settings, profiles=PROFILES, mail=MAIL)
    await app.bus.ensure_topics({"ledger.commands.v1": PARTITIONS})
    async with serving(app):
        yield Discovery(app, issuer_in(folder))
