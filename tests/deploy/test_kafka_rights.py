"""The rights of the KafkaUsers tried on a real broker: each service, each topic, read and written; groups; making topics."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
    for_code,
)
from aiokafka.protocol.admin import CreateAclsRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from cli.embedded import WIRED
from kernel.adapters.bus import Message
from kernel.adapters.kafka import KafkaBus
from kernel.adapters.kafka_url import Brokers
from kernel.core.faults import Unavailable
from tests.deploy.broker import ADMIN, secured
from tests.deploy.objects import Object, name_of, of
from tests.deploy.test_kafka import Right, granted, topics
from tests.kit.until import until
from tools.servers import KafkaServer, NoServer

OPERATIONS = {"Read": 3, "Write": 4}
RESOURCES = {"topic": 2, "group": 3}
PATTERNS = {"literal": 3, "prefix": 4}
ALLOW = 3
DENIED = 29


def url(port: int, password: Path, user: str) -> str:
    return f"kafka://127.0.0.1:{port}?user={user}&password_file={password}"


@asynccontextmanager
async def client(address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    made = AIOKafkaAdminClient(**Brokers.of(address).client(), request_timeout_ms=10_000)
    try:
        await made.start()
        yield made
    finally:
        await made.close()


@pytest.fixture(scope="module")
async def broker(
    kafka_server: KafkaServer, rendered: Callable[[str], list[Object]]
) -> AsyncIterator[tuple[int, Path, list[Object]]]:
    """Port, password file and objects; with all topics made and the KafkaUsers' rights granted, as Strimzi does it.

    `kafka_server` is not used, only asked for: where it cannot be had, neither can this one.
    """
    objects = rendered("overlays/prod")
    users = [name_of(user) for user in of(objects, "KafkaUser")]
    try:
        with secured(users) as (port, password):
            admin = url(port, password, ADMIN)

            async def answers() -> bool:
                try:
                    await KafkaBus(admin).ensure_topics({})
                    async with client(admin) as made:
                        return bool((await made.describe_cluster())["brokers"])
                except (KafkaError, Unavailable, OSError):
                    return False

            await until(answers, 90)
            await KafkaBus(admin).ensure_topics(topics())
            await _grant(admin, objects)
            last = name_of(list(of(objects, "KafkaUser"))[-1])

            async def known() -> bool:
                """A right is in force a moment after it was written; those written last come last."""
                async with client(url(port, password, last)) as made:
                    mine = {(op, topic) for name, op, topic in granted(objects) if f"{name}-kafka" == last}
                    return mine <= await tried(made)

            await until(known)
            yield port, password, objects
    except NoServer as reason:
        pytest.skip(str(reason))


async def _grant(admin: str, objects: list[Object]) -> None:
    async with client(admin) as made:
        for user in of(objects, "KafkaUser"):
            for rule in user["spec"]["authorization"]["acls"]:
                resource = rule["resource"]
                for operation in rule["operations"]:
                    request = CreateAclsRequest(
                        RESOURCES[resource["type"]], resource["name"], PATTERNS[resource.get("patternType", "literal")],
                        f"User:{name_of(user)}", "*", OPERATIONS[operation], ALLOW,
                    )  # fmt: skip
                    (code, why), *_ = (await made._send_request(request)).creation_responses
                    assert code == 0, why


async def tried(made: AIOKafkaAdminClient) -> set[tuple[str, str]]:
    """`(operation, topic)` that the broker lets this user do, asked for all topics at once."""
    names = sorted(topics())
    fetch = FetchRequest(100, 0, 1_000_000, 0, [(name, [(0, 0, 10_000)]) for name in names])
    fetched = await made._send_request(fetch)
    allowed = {("Read", topic) for topic, parts in fetched.topics if parts[0][1] != DENIED}
    produce = ProduceRequest(None, -1, 5_000, [(name, [(0, _batch())]) for name in names])
    produced = await made._send_request(produce)
    return allowed | {("Write", topic) for topic, parts in produced.topics if parts[0][1] != DENIED}


def _batch() -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1_000,
    )  # fmt: skip
    builder.append(0, 1_700_000_000_000, b"key", b"value", [])
    return bytes(builder.build())


async def test_the_broker_allows_exactly_what_is_granted(broker: tuple[int, Path, list[Object]]) -> None:
    port, password, objects = broker
    found: set[Right] = set()
    for service in WIRED:
        async with client(url(port, password, f"{service}-kafka")) as made:
            found |= {(service, operation, topic) for operation, topic in await tried(made)}
    assert found == granted(objects)


async def test_a_service_starts_on_topics_that_others_made_and_may_make_none(
    broker: tuple[int, Path, list[Object]],
) -> None:
    port, password, _ = broker
    for name, service in WIRED.items():
        address = url(port, password, f"{name}-kafka")
        await KafkaBus(address).ensure_topics(service.topics())
        async with client(address) as made:
            answer = await made.create_topics([NewTopic(f"{name}.new.v1", 1, 1)])
            assert [for_code(code).__name__ for _, code, *_ in answer.topic_errors] == ["TopicAuthorizationFailedError"]


async def offsets(made: AIOKafkaAdminClient, group: str) -> dict[Any, Any]:
    """What a group has told; a broker that is new makes its topic for that first."""
    found: dict[Any, Any] = {}

    async def told() -> bool:
        try:
            found.update(await made.list_consumer_group_offsets(group))
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError):
            return False
        return True

    await until(told)
    return found


async def test_a_service_has_its_own_groups_only(broker: tuple[int, Path, list[Object]]) -> None:
    port, password, _ = broker
    for name in WIRED:
        async with client(url(port, password, f"{name}-kafka")) as made:
            for other in WIRED:
                if other == name:
                    assert await offsets(made, f"{other}.commands") == {}
                else:
                    with pytest.raises(GroupAuthorizationFailedError):
                        await offsets(made, f"{other}.commands")


async def test_a_wrong_password_and_a_stranger_get_nowhere(
    broker: tuple[int, Path, list[Object]], tmp_path: Path
) -> None:
    port, password, _ = broker
    wrong = tmp_path / "wrong"
    wrong.write_text("guessed")
    for address in (url(port, wrong, "ledger-kafka"), url(port, password, "stranger"), f"kafka://127.0.0.1:{port}"):
        with pytest.raises(Unavailable):
            await KafkaBus(address).ensure_topics({"ledger.events.v1": 12})


async def test_the_kernel_produces_and_reads_as_a_user(broker: tuple[int, Path, list[Object]]) -> None:
    port, password, _ = broker
    ledger, campaigns = (KafkaBus(url(port, password, f"{name}-kafka")) for name in ("ledger", "campaigns"))
    producer = await ledger.producer()
    where = ("ledger.events.v1", 5)
    await producer.send({where: [Message(b"key", b"value")]}, 15)
    await producer.close()
    reader = await campaigns.reader({where: 0}, "campaigns.funding")
    try:
        found = await reader.read(10, 10)
        await reader.commit({where: 1})
    finally:
        await reader.close()
    assert [record.value for record in found[where]] == [b"value"]
