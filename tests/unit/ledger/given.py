"""What stands before a command comes, by name, and the commands that most tests send."""

from collections.abc import Callable

from kernel.core.decider import Actor
from kernel.core.ids import derived_id
from services.ledger.domain.accounts import Account, Code
from services.ledger.domain.commands import (
    CancelEscrow,
    Command,
    ConfirmTransfer,
    ReleasePayment,
    RequestDeposit,
    RequestPayout,
    RequestRefund,
    SettleLine,
)
from services.ledger.domain.events import ChainEvent, TransferKind
from services.ledger.domain.reversals import ReverseDeposit
from tests.unit.ledger.world import (
    AS_BRAND,
    AS_CREATOR,
    BRAND,
    CREATOR,
    FINANCE,
    SYSTEM,
    World,
    chains,
    check_invariants,
    deposit,
    hold_command,
)

DEPOSIT, DELIVERABLE, PAYOUT, REFUND = (
    derived_id(noun, "x") for noun in ("deposit", "deliverable", "payout", "refund")
)
D1 = derived_id("deposit", "d1")
RELEASE = ReleasePayment("r1", DELIVERABLE, CREATOR, "CNY", 1_000_000, 106_000)
CANCEL = CancelEscrow("c1", DELIVERABLE, BRAND, CREATOR, "CNY", 300_000, 0, "brand.cancelled")
ASK = RequestDeposit(DEPOSIT, BRAND, "CNY", 5_000, "tok")
PAY = RequestPayout(PAYOUT, CREATOR, Code.CREATOR_AVAILABLE, "CNY", 50_000, "acct")
Given = Callable[[World], object]


def do(world: World, command: Command, actor: Actor = SYSTEM) -> list[ChainEvent]:
    """Runs it (by hand after two people have agreed), repeats it and demands silence, and checks the books."""
    if actor is FINANCE:
        world.agree_on(command)
    events = world.run(command, actor)
    assert world.run(command, actor) == []
    check_invariants(world)
    return events


def legs(events: list[ChainEvent]) -> list[str]:
    return [f"{leg.debit.code}>{leg.credit.code} {leg.amount_minor}" for e in chains(events) for leg in e.legs]


def nothing(world: World) -> None:
    """An empty ledger."""


def asked(world: World) -> None:
    world.run(ASK, AS_BRAND)


def funded(world: World) -> None:
    id_ = deposit(world, 2_000_000)
    world.run(SettleLine("b0", "1", id_, "CNY", 2_000_000, 0))


def charged(world: World) -> None:
    """Confirmed by the provider, and not settled."""
    deposit(world, 2_000_000)


def suspended(world: World) -> None:
    """Money of nobody, by a line that has the provider's own reference."""
    world.run(SettleLine("b0", "1", "?", "CNY", 900, 0, provider_ref="ch_9"))


def held(world: World) -> None:
    funded(world)
    world.run(hold_command(DELIVERABLE, 1_000_000, 106_000))


def released(world: World) -> None:
    held(world)
    world.run(RELEASE)


def cancelled(world: World) -> None:
    held(world)
    world.run(CANCEL)


def payout_asked(world: World) -> None:
    released(world)
    world.run(PAY, AS_CREATOR)


def paid_out(world: World) -> None:
    payout_asked(world)
    world.run(ConfirmTransfer(TransferKind.PAYOUT, PAYOUT, "po", 25))


def reversed_(world: World) -> None:
    """A deposit of 2,000,000, disputed whole: 1,106,000 is spent, and another of 5,000 is free."""
    held(world)
    world.run(SettleLine("b0", "2", deposit(world, 5_000, name="d2"), "CNY", 5_000, 0))
    world.run(ReverseDeposit(derived_id("deposit", "d1"), "cb_1", "CNY", 2_000_000, 1_500, "fraudulent"))


def refund_asked(world: World) -> None:
    funded(world)
    world.run(RequestRefund(REFUND, derived_id("deposit", "d1"), 400_000), AS_BRAND)


def in_debt(world: World) -> None:
    held(world)
    key = ("CNY", Code.CREATOR_RECEIVABLE.value, CREATOR)
    world.put("accounts", key, Account(*key, debits_posted=40_000))
    debit_side = ("CNY", Code.EQUITY.value, "test")
    world.put("accounts", debit_side, Account(*debit_side, credits_posted=40_000))
