"""Settlement files uploaded to a ledger in memory."""

from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from kernel.core.events import Receipt
from kernel.core.faults import Fault
from kernel.eventlog.commands import QueuedCommand
from services.ledger.domain.accounts import Code
from services.ledger.domain.rows import Transfer
from services.ledger.effects.booking import Desk, SettlementAnswer, settle
from services.ledger.ports.settlements import COLUMNS, read_settlement
from tests.unit.ledger.world import World, check_invariants

R = TypeVar("R")
HEADER = ",".join(COLUMNS)


class InMemory(Desk):
    """The desk over a ledger in memory."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def position(self) -> int:
        return len(self.world.events)

    async def transfers(self, ids: Collection[str]) -> Mapping[str, Transfer]:
        return {key: row for (key,), row in self.world.table("transfers").items() if key in ids}

    async def listed(self, ids: Collection[str]) -> Collection[str]:
        return {key for (key,) in self.world.table("discrepancies") if key in ids}

    async def execute(self, items: Sequence[QueuedCommand]) -> Sequence[Receipt | BaseException]:
        return [self._one(item) for item in items]

    def _one(self, item: QueuedCommand) -> Receipt | BaseException:
        try:
            events = self.world.execute(item.stream, item.command, item.meta.actor)
        except Fault as fault:
            return fault
        return Receipt(item.stream, 1, len(self.world.events) if events else 0, "")


def ended(work: Coroutine[Any, Any, R]) -> R:
    """What a coroutine gives that waits for nothing: the world runs an event loop of its own."""
    try:
        work.send(None)
    except StopIteration as done:
        found: R = done.value
        return found
    raise AssertionError("it waits for something")


def upload(world: World, *lines: str, header: str = HEADER) -> SettlementAnswer:
    """Uploads a file; whatever is in it, the sums explain the bank's change."""
    before = world.account(Code.BANK, "psp").balance_minor
    answer = ended(settle(InMemory(world), read_settlement("\n".join([header, *lines]).encode()), "fin"))
    check_invariants(world)
    changed = world.account(Code.BANK, "psp").balance_minor - before
    assert changed == sum(one.bank_minor for one in answer.sums if one.currency == "CNY")
    for one in answer.sums:
        assert one.net_minor == one.gross_minor - one.fee_minor == one.bank_minor + one.before_minor + one.listed_minor
    return answer


def row(batch: str, line: int, reference: str, gross: int, fee: int = 0, currency: str = "CNY") -> str:
    return f"{batch},{line},{reference},{currency},{gross},{fee},{gross - fee}"


def codes(world: World) -> set[str]:
    return {one.code for one in world.table("discrepancies").values()}
