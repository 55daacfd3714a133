"""What happens by itself: looks at silent transfers, expiring escrows, windows that close with a seal."""

from datetime import timedelta

import pytest

from kernel.core.decider import Context, DecidedEvent, GivenRows
from kernel.core.faults import Forbidden, Refused
from kernel.processors.processes import Deadline
from services.ledger.codec import CODEC
from services.ledger.domain.commands import (
    CancelEscrow,
    Command,
    ConfirmDeposit,
    ConfirmTransfer,
    FailDeposit,
    FailTransfer,
)
from services.ledger.domain.events import TransferKind
from services.ledger.domain.reversals import RestoreDeposit, ReturnTransfer, ReverseDeposit
from services.ledger.domain.seals import (
    LAST,
    SEALING,
    SEALS,
    CloseWindow,
    JournalSealed,
    Seal,
    SealJournal,
    WindowClosed,
    seal_stream,
    window_end,
)
from services.ledger.domain.watches import WATCHES, LookAtTransfer, TransferLookDue, look_at, watch_stream
from services.ledger.ports import Verdict, Word
from services.ledger.process import DEADLINES, concluded
from tests.unit.ledger.given import CANCEL, DELIVERABLE, DEPOSIT, PAYOUT, RELEASE, asked, held, payout_asked
from tests.unit.ledger.world import AS_BRAND, NOON, SYSTEM, World, chains

HOUR = timedelta(hours=1)


def set_by(world: World, *events: object) -> dict[tuple[str, str], Deadline | None]:
    """What the events do to the deadlines."""
    found: dict[tuple[str, str], Deadline | None] = {}
    for event in events:
        fact = DecidedEvent("s", "platform", 1, world.at, event)
        found |= {(key[0], key[1]): row for key, row in DEADLINES.fold(fact, GivenRows({}))}
    return found


def command_of(deadline: Deadline | None) -> object:
    assert deadline is not None
    return CODEC.decode(deadline.command, deadline.data.encode())


def test_a_transfer_is_looked_at_until_it_is_concluded() -> None:
    world = World()
    asked(world)
    deadline = set_by(world, *world.posted)[watch_stream(DEPOSIT), "look"]
    assert command_of(deadline) == LookAtTransfer(TransferKind.DEPOSIT, DEPOSIT, 1, NOON)
    world.run(ConfirmDeposit(DEPOSIT, "CNY", 5_000))
    assert set_by(world, world.posted[-1])[watch_stream(DEPOSIT), "look"] is None


def test_looks_grow_rarer_up_to_six_hours() -> None:
    pauses = [look_at(NOON, attempt) - NOON for attempt in (1, 2, 3, 8, 9, 1_000)]
    assert pauses == [timedelta(minutes=n) for n in (2, 4, 8, 256, 360, 360)]
    due = TransferLookDue(TransferKind.PAYOUT, PAYOUT, 2, NOON - HOUR, False)
    deadline = set_by(World(), due)[watch_stream(PAYOUT), "look"]
    assert command_of(deadline) == LookAtTransfer(TransferKind.PAYOUT, PAYOUT, 3, NOON - HOUR)


def test_an_escrow_expires_unless_it_ends_before() -> None:
    world = World()
    held(world)
    stream = f"escrow-{DELIVERABLE}"
    deadline = set_by(world, *chains(world.posted))[stream, "expire"]
    command = command_of(deadline)
    assert isinstance(command, CancelEscrow)
    assert (command.kill_fee_minor, command.reason) == (0, "escrow.expired")
    assert deadline is not None
    world.at = deadline.due_at
    for end in (RELEASE, CANCEL):
        ended = world.copy()
        assert set_by(ended, *chains(ended.run(end)))[stream, "expire"] is None
        with pytest.raises(Refused, match=r"escrow\.not_held"):
            ended.run(command)
    assert chains(world.run(command))[0].returned_minor == 1_106_000


def looked(world: World, attempt: int, state: int = 0) -> list[TransferLookDue]:
    command = LookAtTransfer(TransferKind.PAYOUT, PAYOUT, attempt, NOON)
    context = Context(world.at, SYSTEM, GivenRows(world.rows), watch_stream(PAYOUT), "platform")
    assert list(WATCHES.reads(command, state))
    return list(WATCHES.decide(command, state, context))


def test_each_look_is_asked_for_once_and_only_while_pending() -> None:
    world = World()
    assert looked(world, 1) == []
    payout_asked(world)
    (due,) = looked(world, 1)
    assert not due.overdue
    assert looked(world, 1, WATCHES.evolve(0, due)) == []
    world.at += timedelta(days=3)
    assert looked(world, 2)[0].overdue
    world.run(FailTransfer(TransferKind.PAYOUT, PAYOUT))
    assert looked(world, 3) == []


def test_a_window_is_closed_and_sealed_once() -> None:
    ends_at = window_end(NOON)
    assert ends_at == NOON + timedelta(minutes=10)
    assert window_end(ends_at - timedelta(microseconds=1)) == ends_at
    context = Context(NOON, SYSTEM, GivenRows({}), seal_stream(ends_at), "platform")
    close, seal = CloseWindow(ends_at), SealJournal(ends_at, 7, "ab" * 32, 1)
    assert SEALING.decide(seal, "", context) == []
    assert SEALING.decide(close, "", context) == [WindowClosed(ends_at)]
    closed = SEALING.evolve("", WindowClosed(ends_at))
    assert SEALING.decide(close, closed, context) == []
    (sealed,) = SEALING.decide(seal, closed, context)
    assert isinstance(sealed, JournalSealed)
    assert SEALING.decide(seal, SEALING.evolve(closed, sealed), context) == []
    fact = DecidedEvent(seal_stream(ends_at), "platform", 2, NOON, sealed)
    assert list(SEALS.fold(fact, GivenRows({}))) == [(LAST, Seal("ledger", 7, "ab" * 32, 1))]
    with pytest.raises(Forbidden):
        SEALING.decide(close, "", Context(NOON, AS_BRAND, GivenRows({}), seal_stream(ends_at), "x"))


def verdict(kind: TransferKind, status: Word, amount_minor: int = 500) -> Verdict:
    return Verdict(
        reference=PAYOUT, kind=kind, status=status, amount_minor=amount_minor, currency="CNY", fee_minor=3,
        provider_ref="po_1", reason="closed",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status", "command"),
    [
        (TransferKind.DEPOSIT, Word.PENDING, None),
        (TransferKind.PAYOUT, Word.UNKNOWN, None),
        (TransferKind.DEPOSIT, Word.SUCCEEDED, ConfirmDeposit(PAYOUT, "CNY", 500, "po_1")),
        (TransferKind.DEPOSIT, Word.FAILED, FailDeposit(PAYOUT, "provider.closed")),
        (TransferKind.PAYOUT, Word.SUCCEEDED, ConfirmTransfer(TransferKind.PAYOUT, PAYOUT, "po_1", 3)),
        (TransferKind.PAYOUT, Word.RETURNED, ReturnTransfer(TransferKind.PAYOUT, PAYOUT, "provider.closed")),
        (TransferKind.DEPOSIT, Word.RETURNED, ReverseDeposit(PAYOUT, "returned", "CNY", 500, 0, "provider.closed")),
        (TransferKind.DEPOSIT, Word.OPENED, ReverseDeposit(PAYOUT, "po_1", "CNY", 500, 3, "provider.closed")),
        (TransferKind.DEPOSIT, Word.WON, RestoreDeposit(PAYOUT, "po_1", "CNY", 500)),
        (TransferKind.DEPOSIT, Word.LOST, None),
        (TransferKind.REFUND, Word.FAILED, FailTransfer(TransferKind.REFUND, PAYOUT, "provider.closed")),
    ],
)
def test_the_provider_s_word_leads_to_one_command(kind: TransferKind, status: Word, command: Command | None) -> None:
    assert concluded(verdict(kind, status), 500, "CNY") == command


def test_another_amount_paid_out_than_asked_is_an_alarm() -> None:
    for word in (Word.SUCCEEDED, Word.RETURNED):
        with pytest.raises(Refused, match=r"transfer\.amount_differs"):
            concluded(verdict(TransferKind.PAYOUT, word, 499), 500, "CNY")
