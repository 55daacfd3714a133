"""The ledger running embedded in a temporary folder, with the sandbox as its provider; no port but gRPC's is opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from dandelion.ledger.v1 import events_pb2 as pb
from dandelion.ledger.v1 import queries_pb2 as queries
from dandelion.ledger.v1.queries_pb2_grpc import BalanceQueryServiceStub

from kernel.adapters.bus import PARTITIONS
from kernel.core.decider import Actor, Meta
from kernel.core.events import Receipt
from kernel.core.ids import derived_id, new_id
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import App, run_migrations
from kernel.processors.processes import SYSTEM
from sandbox.app import Sandbox, make_sandbox
from sandbox.settings import SandboxSettings
from services.ledger.domain.commands import Command, stream_of
from services.ledger.domain.events import ChainKind, ChainPosted
from services.ledger.ports import HttpProvider, Provider, open_anchors, read_key
from services.ledger.reads.verify import Verification, verify
from services.ledger.settings import LedgerSettings
from services.ledger.wiring import SERVICE, open_app
from tests.kit.running import Running, issuer_in, serving, settings_in
from tests.kit.until import until

COLUMNS = "batch,line,reference,currency,gross_minor,fee_minor,net_minor"
FINANCE = ("fay", "platform", "finance")
SECOND = ("fred", "platform", "finance")
"""Another person of finance, who approves."""
CALM = dict.fromkeys(
    ["busy_bps", "lost_answer_bps", "lost_webhook_bps", "duplicated_bps", "early_bps", "delay_ms", "declined_bps"], 0
)


def settings_of(folder: Path, secret: str, database_url: str = "") -> LedgerSettings:
    """Embedded settings, with the provider's secrets too; another database by its address."""
    (folder / "psp.key").write_text("sandbox\n")
    (folder / "webhook.secrets").write_text(f"{secret}\n")
    (folder / "anchors").mkdir()
    return settings_in(
        folder, LedgerSettings, database_url=database_url or f"sqlite+aiosqlite:///{folder / 'ledger.db'}",
        psp_key_file=folder / "psp.key", psp_webhook_secrets_file=folder / "webhook.secrets",
        anchor_dir=folder / "anchors",
    )  # fmt: skip


class Ledger(Running):
    """The running service, its stand-in provider, and clients of it."""

    def __init__(self, app: App, issuer: Issuer, sandbox: Sandbox, world: SandboxSettings) -> None:
        self.settings: LedgerSettings = app.settings  # type: ignore[assignment]
        super().__init__(app, issuer)
        self.sandbox, self.world = sandbox, world

    async def execute(self, command: Command, key: str = "") -> Receipt:
        """A command as the executor of the command topic sends it."""
        meta = Meta(key or new_id(), Actor("service:campaigns", "platform", SYSTEM))
        return await self.app.writer.execute(stream_of(command), command, meta)

    async def proposed(self, method: str, path: str, body: Any) -> str:
        """One person of finance proposes; the proposal's id."""
        receipt = await self.done(method, path, body, FINANCE)
        category, _, id_ = receipt["stream"].partition("-")
        assert category == "proposal", receipt
        return str(id_)

    async def by_hand(self, method: str, path: str, body: Any) -> Any:
        """One person of finance proposes, another approves; the receipt of what was done."""
        id_ = await self.proposed(method, path, body)
        return await self.done("POST", f"/proposals/{id_}/approve", None, SECOND)

    async def settled(self, content: str) -> Any:
        """Two people upload one settlement file; what became of its lines."""
        waits = await self.done("POST", "/settlements", content, FINANCE)
        if not waits["proposal_id"]:
            return waits  # approved before
        return await self.done("POST", "/settlements", content, SECOND)

    async def resident(self, payee_id: str, country: str = "CN") -> str:
        """Finance verifies where a payee is resident for tax; the receipt's token."""
        body = {"country": country, "reference": "passport seen"}
        receipt = await self.by_hand("PUT", f"/tax-residences/{payee_id}", body)
        return str(receipt["token"])

    async def chains(self, *kinds: ChainKind) -> list[ChainPosted]:
        """All chains of the journal, of the given kinds."""
        codec, found = self.app.service.codec, list[ChainPosted]()
        for recorded in await self.app.log.read(0):
            event = codec.decode(recorded.name, recorded.data)
            if isinstance(event, ChainPosted) and (not kinds or event.kind in kinds):
                found.append(event)
        return found

    async def posted(self, kind: ChainKind, transfer_id: str) -> None:
        """Waits until the journal holds that step of that transfer."""

        async def there() -> bool:
            return any(one.transfer and one.transfer.transfer_id == transfer_id for one in await self.chains(kind))

        await until(there)

    async def deposit(self, amount_minor: int, brand: str, currency: str = "CNY") -> str:
        """A deposit that the provider has confirmed and settled without cost."""
        id_ = new_id()
        body = {"amount_minor": amount_minor, "currency": currency, "instrument": "tok_visa"}
        await self.done("PUT", f"/deposits/{id_}", body, ("bea", brand, "brand"))
        await self.posted(ChainKind.DEPOSIT_CONFIRMED, id_)
        line = f"{id_},1,{id_},{currency},{amount_minor},0,{amount_minor}"
        answer = await self.settled(f"{COLUMNS}\n{line}")
        assert (answer["settled"], answer["unmatched"], answer["listed"], answer["problems"]) == (1, 0, 0, [])
        return id_

    @asynccontextmanager
    async def queries(self, *who: str) -> AsyncIterator[Any]:
        async with self.channel(who) as channel:
            yield BalanceQueryServiceStub(channel)

    async def heard(self) -> dict[str, list[Any]]:
        """Everything on `ledger.events.v1` by message name, in the order of each partition."""
        reader = await self.app.bus.reader({("ledger.events.v1", n): 0 for n in range(PARTITIONS)}, "test")
        found: dict[str, list[Any]] = {}
        while records := await reader.read(1_000, 0.05):
            for record in [one for part in records.values() for one in part]:
                name = record.header("ce_type").rpartition(".")[2]
                found.setdefault(name, []).append(getattr(pb, name).FromString(record.value))
        await reader.close()
        return found

    async def published(self, kind: str, **facts: object) -> Any:
        """Waits for a public event with these fields; the first of them."""
        found: list[Any] = []

        async def there() -> bool:
            messages = (await self.heard()).get(kind, [])
            found[:] = [one for one in messages if all(getattr(one, name) == value for name, value in facts.items())]
            return bool(found)

        await until(there)
        return found[0]

    async def work_list(self, reference: str) -> list[Any]:
        """Open discrepancies that name the transfer, as finance reads them."""
        async with self.queries(*FINANCE) as stub:
            found = (await stub.ListDiscrepancies(queries.ListDiscrepanciesRequest(page_size=1_000))).discrepancies
        return [one for one in found if one.reference == reference]

    async def verified(self) -> Verification:
        return await verify(self.app.log, self.app.service.codec, open_anchors(self.settings.anchor_dir, None))


@asynccontextmanager
async def running(
    folder: Path, *, provider: Provider | None = None, database_url: str = "", **world: Any
) -> AsyncIterator[Ledger]:
    """Every role of the ledger until the block ends; a role that fails fails the test. The books are proved at the end."""
    outside = SandboxSettings(seed="test", **{**CALM, **world})
    settings = settings_of(folder, outside.webhook_secret, database_url)
    await run_migrations(SERVICE, settings)
    late = _Late()
    sandbox = make_sandbox(outside, late)
    port = provider or HttpProvider(
        "http://psp.test", partial(read_key, settings.psp_key_file), httpx.ASGITransport(sandbox.app)
    )
    app = open_app(settings, provider=port)
    made = Ledger(app, issuer_in(folder), sandbox, outside)
    late.to = httpx.ASGITransport(made.api)
    try:
        async with serving(app), _world(sandbox):
            yield made
            proved = await made.verified()
            assert proved.ok, [(check.invariant, check.problems) for check in proved.checks if not check.ok]
    finally:
        await port.close()


@asynccontextmanager
async def _world(sandbox: Sandbox) -> AsyncIterator[None]:
    """The provider's stand-in, which stops calling the ledger before the ledger ends."""
    try:
        yield
    finally:
        await sandbox.close()


class _Late(httpx.AsyncBaseTransport):
    """The way to a receiver that is made after its sender."""

    to: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.to is None:
            raise httpx.ConnectError("nobody there yet")
        return await self.to.handle_async_request(request)


def unique(noun: str) -> str:
    """An id of this test's own."""
    return derived_id(noun, new_id())
