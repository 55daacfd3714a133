"""The operator's questions, and a parked key that is handled again over HTTP, on a running service."""

from typing import Any

import grpc
import pytest
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion.operations.v1 import queries_pb2 as pb
from dandelion.operations.v1.queries_pb2_grpc import OperationsQueryServiceStub

from kernel import VERSION
from kernel.core.ids import new_id
from services.campaigns.wiring import SERVICE
from tests.integration.campaigns.story import Story
from tests.kit.running import Running
from tests.kit.until import until

OPERATOR = ("olga", "platform", "operator")
AUDITOR = ("anna", "platform", "auditor")
RETRY = "/operations/retry"


async def ask(campaigns: Running, who: tuple[str, ...], method: str, request: Any) -> Any:
    async with campaigns.channel(who) as channel:
        return await getattr(OperationsQueryServiceStub(channel), method)(request)


async def status(campaigns: Running, who: tuple[str, ...] = OPERATOR) -> pb.GetServiceStatusResponse:
    found: pb.GetServiceStatusResponse = await ask(campaigns, who, "GetServiceStatus", pb.GetServiceStatusRequest())
    return found


async def test_a_service_says_how_far_its_consumers_are(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish()

    async def caught_up() -> bool:
        found = await status(campaigns)
        return found.relay_behind == 0 and all(one.behind == 0 for one in found.consumers)

    await until(caught_up)
    found = await status(campaigns, AUDITOR)
    assert (found.service, found.version) == ("campaigns", VERSION)
    assert found.head == (await campaigns.app.log.head()).position > 0
    sources = {(one.consumer.partition("/")[0], one.source) for one in found.consumers}
    assert {("funding", "log"), ("settlement", "ledger.events.v1")} <= sources
    assert any(consumer.startswith("campaigns") for consumer, _ in sources)
    assert {one.name for one in found.invariants} == {"guards_at_place", "nothing_parked", "deadlines_met"}
    assert found.deadlines > 0


@pytest.mark.parametrize("who", [("bella", new_id(), "brand"), ("rita", "platform", "reviewer")])
async def test_only_operators_and_auditors_ask(campaigns: Running, who: tuple[str, ...]) -> None:
    for method, request in (
        ("GetServiceStatus", pb.GetServiceStatusRequest()),
        ("ListParkedKeys", pb.ListParkedKeysRequest()),
        ("ListLateDeadlines", pb.ListLateDeadlinesRequest()),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(campaigns, who, method, request)
        assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
    assert await campaigns.refused("POST", RETRY, {"consumer": "x", "key": "y"}, who) == "actor.role_missing"


async def parked(campaigns: Running) -> list[pb.ParkedKey]:
    found: pb.ListParkedKeysResponse = await ask(campaigns, OPERATOR, "ListParkedKeys", pb.ListParkedKeysRequest())
    return list(found.keys)


async def test_a_parked_key_is_listed_and_handled_again(campaigns: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The projection of payments that wait meets a bug; once that is mended the key is retried, and is gone."""
    (waits,) = [one for one in SERVICE.projections if one.name == "payment_waits"]
    apply = waits.apply

    async def broken(target: Any, events: Any) -> None:
        raise ValueError("a bug")

    object.__setattr__(waits, "apply", broken)
    deliverable_id = new_id()
    stream = f"escrow-{deliverable_id}"
    try:
        await campaigns.tell(stream, ledger.PaymentDeferred(reason="tax.rate_unknown", deliverable_id=deliverable_id))

        async def is_parked() -> bool:
            return bool(await parked(campaigns))

        await until(is_parked)
        (key,) = await parked(campaigns)
        assert (key.key, key.events, key.HasField("retry_at")) == (stream, 1, False)
        assert key.consumer.startswith("payment_waits")
        assert "ValueError" in key.reason
        assert "a bug" not in key.reason
        assert (await status(campaigns)).parked_keys == 1
        body = {"consumer": key.consumer, "key": key.key}
        assert await campaigns.refused("POST", RETRY, body, OPERATOR) == "parked_key.still_fails"
        assert len(await parked(campaigns)) == 1
    finally:
        object.__setattr__(waits, "apply", apply)
    assert await campaigns.done("POST", RETRY, body, OPERATOR) == {"handled": 1}
    assert await parked(campaigns) == []
    assert await campaigns.refused("POST", RETRY, body, OPERATOR) == "parked_key.unknown"
    assert await campaigns.refused("POST", RETRY, body, AUDITOR) == "actor.role_missing"


async def test_a_late_deadline_is_named(campaigns: Running) -> None:
    """A deadline whose command no version knows stays due, and is listed."""
    from datetime import timedelta

    import sqlalchemy as sa

    app, stream = campaigns.app, f"collaboration-{new_id()}"
    due_at = (await app.log.now()) - timedelta(minutes=5)
    row = {"stream": stream, "name": "x", "due_at": due_at, "command": "nobody.knows@1", "data": "{}"}
    async with app.database.transaction() as connection:
        await connection.execute(sa.insert(app.metadata.tables["deadlines"]).values(**row))
    found = await ask(campaigns, OPERATOR, "ListLateDeadlines", pb.ListLateDeadlinesRequest())
    assert [(one.stream, one.command) for one in found.deadlines] == [(stream, "nobody.knows@1")]
    assert (await status(campaigns)).late_deadlines == 1
    async with app.database.transaction() as connection:
        table = app.metadata.tables["deadlines"]
        await connection.execute(sa.delete(table).where(table.c.stream == stream))
