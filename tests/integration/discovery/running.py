"""Discovery running embedded in a temporary folder: HTTP by ASGI, gRPC on a free port, and others' topics to write to."""

import asyncio
import base64
import os
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1.queries_pb2_grpc import CreatorQueryServiceStub
from dandelion_contracts.channel import connect
from google.protobuf.message import Message as Proto

from kernel.adapters.bus import PARTITIONS, Message
from kernel.core.clock import system_clock
from kernel.core.ids import new_id, partition_of
from kernel.edge.dev_issuer import Issuer
from kernel.host.app import App, run_migrations
from services.discovery.rest import make_api
from services.discovery.settings import DiscoverySettings
from services.discovery.wiring import SERVICE, open_app
from tools.speed import patience

if TYPE_CHECKING:
    from dandelion.discovery.v1.queries_pb2_grpc import CreatorQueryServiceAsyncStub  # in the stubs only

OPERATOR = ("olga", "platform", "operator")


def settings_in(folder: Path, **changes: Any) -> DiscoverySettings:
    """Embedded settings, with keys of this folder's own."""
    (folder / "fingerprint.key").write_bytes(os.urandom(32))
    (folder / "master.keys").write_text(f"k1 {base64.b64encode(os.urandom(32)).decode()}\n")
    values: dict[str, Any] = {
        "database_url": f"sqlite+aiosqlite:///{folder / 'discovery.db'}",
        "bus_url": f"local:///{folder / 'bus.db'}",
        "jwks": str(folder / "issuer" / "jwks.json"),
        "token_issuer": "https://issuer.test",
        "fingerprint_key_file": folder / "fingerprint.key",
        "master_keys_file": folder / "master.keys",
        "rpc_port": free_port(),
    }
    return DiscoverySettings(**(values | changes))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Discovery:
    """The running service and clients of it."""

    def __init__(self, app: App, issuer: Issuer) -> None:
        self.app, self.issuer = app, issuer
        self.api = make_api(app)
        self._last: dict[tuple[str, int], int] = defaultdict(int)
        self._position: dict[str, int] = defaultdict(int)

    def http(self, subject: str, tenant: str, *roles: str) -> httpx.AsyncClient:
        token = self.issuer.issue(subject, tenant, *roles)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.api),
            base_url="http://discovery.test",
            headers={"Authorization": f"Bearer {token}"},
        )

    async def send(
        self, method: str, path: str, body: Any, who: Sequence[str] = OPERATOR, key: str = ""
    ) -> httpx.Response:
        """One command; every call has a key of its own unless one is given. Bytes are sent as CSV."""
        headers = {"Idempotency-Key": key or new_id()}
        async with self.http(*who) as client:
            if isinstance(body, bytes):
                return await client.request(method, path, content=body, headers=headers | {"Content-Type": "text/csv"})
            return await client.request(method, path, json=body, headers=headers)

    async def done(self, method: str, path: str, body: Any, who: Sequence[str] = OPERATOR) -> str:
        """One command that must succeed; its token."""
        answer = await self.send(method, path, body, who)
        assert answer.status_code in {200, 201}, answer.text
        token: str = answer.json()["token"]
        return token

    @asynccontextmanager
    async def queries(self, *who: str) -> AsyncIterator["CreatorQueryServiceAsyncStub"]:
        subject, tenant, *roles = who or ("bella", "brand-1", "brand")
        token = self.issuer.issue(subject, tenant, *roles)
        async with connect(f"127.0.0.1:{self.app.settings.rpc_port}", token=token) as channel:
            yield CreatorQueryServiceStub(channel)

    async def search(self, *who: str, **filters: Any) -> pb.SearchCreatorsResponse:
        async with self.queries(*who) as queries:
            answer: pb.SearchCreatorsResponse = await queries.SearchCreators(pb.SearchCreatorsRequest(**filters))
            return answer

    async def get(self, creator_id: str, *who: str, at_least: str = "") -> pb.Creator:
        async with self.queries(*who) as queries:
            request = pb.GetCreatorRequest(creator_id=creator_id, at_least=at_least)
            answer: pb.GetCreatorResponse = await queries.GetCreator(request)
            return answer.creator

    async def tell(self, stream: str, message: Proto, tenant: str = "platform", at: datetime | None = None) -> str:
        """Puts an event of another service on its topic as a relay would; a token that waits for it."""
        service = message.DESCRIPTOR.full_name.split(".")[1]
        where = (f"{service}.events.v1", partition_of(stream, PARTITIONS))
        self._position[service] += 1
        position = self._position[service]
        values = {
            "ce_specversion": "1.0", "ce_id": f"{stream}@{position}", "ce_source": service,
            "ce_type": message.DESCRIPTOR.full_name, "ce_time": (at or system_clock()).isoformat(),
            "ce_subject": stream, "ce_tenant": tenant, "ce_sequence": str(position), "ce_position": str(position),
            "ce_previous": str(self._last[where]),
        }  # fmt: skip
        self._last[where] = position
        headers = [(name, text.encode()) for name, text in values.items()]
        producer = await self.app.bus.producer()
        await producer.send({where: [Message(stream.encode(), message.SerializeToString(), headers)]}, 10)
        await producer.close()
        return f"{service}:{position}:{where[1]}"

    async def ask(self, stream: str, message: Proto, requester: str) -> str:
        """Puts a command on discovery's command topic as another service's relay would; its message id."""
        where = ("discovery.commands.v1", partition_of(stream, PARTITIONS))
        identity = new_id()
        values = {
            "ce_specversion": "1.0", "ce_id": identity, "ce_source": "compliance", "ce_subject": stream,
            "ce_type": message.DESCRIPTOR.full_name, "ce_time": system_clock().isoformat(), "ce_tenant": "platform",
            "ce_requester": requester, "ce_causation": requester, "ce_correlation": identity,
        }  # fmt: skip
        headers = [(name, text.encode()) for name, text in values.items()]
        producer = await self.app.bus.producer()
        await producer.send({where: [Message(stream.encode(), message.SerializeToString(), headers)]}, 10)
        await producer.close()
        return identity


@asynccontextmanager
async def running(folder: Path, **changes: Any) -> AsyncIterator[Discovery]:
    """Every role of discovery until the block ends; a role that fails fails the test."""
    issuer = Issuer.at(folder / "issuer", "https://issuer.test", "dandelion")
    settings = settings_in(folder, **changes)
    await run_migrations(SERVICE, settings)
    app = open_app(settings)
    roles = [one for one in await app.roles(["relay", "project", "process", "rpc"]) if one.name != "loop"]
    stop = asyncio.Event()
    tasks = [asyncio.create_task(_serve(one.serve, stop), name=one.name) for one in roles]
    try:
        yield Discovery(app, issuer)
    finally:
        stop.set()
        ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), patience(30))
        await app.close()
        await app.bus.close()
        failed = [one for one in ended if isinstance(one, BaseException)]
    if failed:
        raise ExceptionGroup("roles failed", [one for one in failed if isinstance(one, Exception)])


async def _serve(serve: Any, stop: asyncio.Event) -> None:
    await serve(stop)
