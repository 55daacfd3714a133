"""What the story hears of the topics: it has heard all when all was read, whatever stands at the end."""

from pathlib import Path

import pytest
from dandelion.ledger.v1.events_pb2 import DepositConfirmed
from dandelion_contracts.events import SERVICES, events_topic

from cli.story.heard import Heard
from cli.story.market import Unexpected
from kernel.adapters.bus import PARTITIONS, Message
from kernel.adapters.sqlite_bus import SqliteBus
from tests.kit.topics import Topic


def three(lost: int = 0) -> Topic:
    """The ledger's topic with three events, of which one may be lost on the way."""
    topic = Topic()
    for amount_minor in (1, 2, 3):
        sent = DepositConfirmed(deposit_id="d", amount_minor=amount_minor, currency="CNY")
        topic.send(sent, lost=amount_minor == lost)
    return topic


async def fill(folder: Path, topic: Topic) -> str:
    """A bus with that topic; its address."""
    bus = SqliteBus(str(folder / "bus.db"))
    await bus.ensure_topics({events_topic(service): PARTITIONS for service in SERVICES})
    producer = await bus.producer()
    messages = [Message(one.key, one.value, list(one.headers)) for one in topic.records[0]]
    await producer.send({(topic.name, 0): messages}, 5)
    await producer.close()
    await bus.close()
    return f"local://{folder / 'bus.db'}"


@pytest.mark.parametrize("repeats", [(), (2,), (0, 1)])
async def test_all_was_heard_also_when_repeats_stand_at_the_end(tmp_path: Path, repeats: tuple[int, ...]) -> None:
    topic = three()
    for offset in repeats:
        topic.repeat(offset)
    async with Heard(await fill(tmp_path, topic), wait_s=20) as heard:
        await heard.all_of_now()
        assert [one.amount_minor for one in heard.every(DepositConfirmed)] == [1, 2, 3]


async def test_what_stands_behind_a_hole_is_named(tmp_path: Path) -> None:
    async with Heard(await fill(tmp_path, three(lost=2)), wait_s=1) as heard:
        with pytest.raises(Unexpected, match=r"ledger\.events\.v1\[0\] read to 1 of 2"):
            await heard.all_of_now()
