"""The proof of the books: one snapshot, the whole journal walked in batches, compared with what the writer keeps.

Memory grows with the number of accounts and open seals, not with the journal.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.check import Check, CheckResult
from kernel.core.codec import Codec
from kernel.core.decider import Key
from kernel.core.events import Recorded
from kernel.core.faults import Fault
from kernel.eventlog.log import READ_LIMIT, StoredLog
from kernel.verify.inline_rows import InlineFold, same_rows, stored_rows
from services.ledger.domain.accounts import CHART, Account, Code, Side, Stake
from services.ledger.domain.clearing import Clearing
from services.ledger.domain.hashchain import Chained, mismatched, walk
from services.ledger.domain.inlines import ALL
from services.ledger.domain.rows import ACCOUNTS, CLEARINGS, CLIENT_MONEY, ESCROWS, TRANSFERS, Escrow, EscrowStatus
from services.ledger.domain.seals import JournalSealed, WindowClosed
from services.ledger.ports import Anchors
from services.ledger.reads.rows import link_of

Progress = Callable[[int, int], None]
"""`(positions done, positions in all)` after each batch."""


@dataclass(frozen=True, slots=True)
class Verification:
    """`position` and `root` say up to where it was verified."""

    checks: tuple[CheckResult, ...]
    position: int
    root: str

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


@dataclass(slots=True)
class _Journal:
    """What one walk over the journal gives: its inline tables (the kernel's fold), its hashes, its seals."""

    fold: InlineFold = field(default_factory=lambda: InlineFold(ALL))
    chained: Chained = field(default_factory=Chained)
    hashes: dict[int, str] = field(default_factory=dict)
    seals: Check = field(default_factory=lambda: Check("seals"))
    events: Check = field(default_factory=lambda: Check("events_readable"))

    def take(self, recorded: Recorded, codec: Codec, anchored: set[int]) -> None:
        self.chained = walk(self.chained, [link_of(recorded)])
        try:
            event = codec.decode(recorded.name, recorded.data)
        except Fault as fault:
            self.events.that(False, f"{recorded.id}: {fault.code}")
            return
        self.events.that(True, "")
        if isinstance(event, WindowClosed) or recorded.position in anchored:
            self.hashes[recorded.position] = self.chained.hash
        if isinstance(event, JournalSealed):
            same = self.hashes.get(event.up_to_position) == event.root
            self.seals.that(same, f"the seal of position {event.up_to_position} does not fit the journal")
        self.fold.add(recorded, event)


async def verify(
    log: StoredLog, codec: Codec, anchors: Anchors, progress: Progress = lambda _done, _total: None
) -> Verification:
    """Proves hash chain, seals, anchors, sums, bounds, the equation of each deliverable, client money, and that the
    tables which decisions are made on are what the journal says."""
    known = await anchors.read()
    async with log.database.snapshot() as connection:
        journal = await _walked(log, codec, {position for position, _ in known}, connection, progress)
        stored = {inline.name: await stored_rows(connection, log.database.metadata, inline) for inline in ALL}
    checks = [_hash_chain(journal, known), journal.seals, journal.events, *_books(journal.fold)]
    now, exact = await log.now(), timedelta(0)
    for inline in ALL:
        check = Check(f"{inline.name}_equal_journal")
        checks.append(same_rows(check, inline, stored[inline.name], journal.fold.table(inline), now, exact))
    return Verification(tuple(check.result() for check in checks), journal.chained.position, journal.chained.hash)


async def _walked(
    log: StoredLog, codec: Codec, anchored: set[int], connection: AsyncConnection, progress: Progress
) -> _Journal:
    journal, head, done = _Journal(), (await log.head(connection)).position, 0
    while done < head:
        try:
            batch = await log.read(done, READ_LIMIT, head, connection)
        except Fault as fault:
            journal.events.that(False, str(fault))
            return journal
        if not batch:
            journal.events.that(False, f"positions {done + 1}..{head} are missing")
            return journal
        for recorded in batch:
            journal.take(recorded, codec, anchored)
        done = batch[-1].position
        progress(done, head)
    return journal


def _hash_chain(journal: _Journal, known: Sequence[tuple[int, str]]) -> Check:
    chained = journal.chained
    check = Check("hash_chain", chained.position)
    check.that(not chained.broken_at, f"broken at position {chained.broken_at}: {chained.detail}")
    wrong = mismatched(known, journal.hashes)
    past = f"the anchor of position {wrong} is past the journal's end at {chained.position}: the journal has lost its end, "
    past += "or the anchors are those of another database"
    check.that(
        not wrong, past if wrong > chained.position else f"the anchor of position {wrong} does not fit the journal"
    )
    return check


def _books(fold: InlineFold) -> Iterable[Check]:
    accounts: list[Account] = list(fold.table(ACCOUNTS).values())
    yield _sums(accounts)
    yield _bounds(accounts)
    yield _closed(accounts)
    yield _deliverables(fold)
    yield _client_money(fold, accounts)
    yield _clearing(fold, accounts)


def _sums(accounts: Sequence[Account]) -> Check:
    check = Check("debits_equal_credits")
    for currency in sorted({account.currency for account in accounts}):
        mine = [account for account in accounts if account.currency == currency]
        debits, credits = sum(a.debits_posted for a in mine), sum(a.credits_posted for a in mine)
        check.that(debits == credits, f"{currency}: debits {debits}, credits {credits}")
        debits, credits = sum(a.debits_pending for a in mine), sum(a.credits_pending for a in mine)
        check.that(debits == credits, f"{currency} pending: debits {debits}, credits {credits}")
    return check


def _bounds(accounts: Sequence[Account]) -> Check:
    check = Check("bounds")
    for account in accounts:
        sound = not account.kind.bounded or account.spendable_minor >= 0
        check.that(sound, f"{account.code} of {account.owner}: {account.spendable_minor} {account.currency}")
    return check


def _closed(accounts: Sequence[Account]) -> Check:
    check = Check("closed_accounts_empty")
    for account in accounts:
        if account.closed:
            empty = account.balance_minor == account.debits_pending == account.credits_pending == 0
            check.that(empty, f"{account.code} of {account.owner} is closed and holds {account.balance_minor}")
    return check


def _deliverables(fold: InlineFold) -> Check:
    """Held = released + returned + in escrow; what has ended holds nothing."""
    check = Check("deliverables")
    for row in fold.table(ESCROWS).values():
        escrow: Escrow = row
        account = fold.rows.get(("accounts", (escrow.currency, Code.ESCROW.value, escrow.deliverable_id)))
        left = account.balance_minor if account else 0
        sound = escrow.held_minor == escrow.released_minor + escrow.returned_minor + left
        sound = sound and (escrow.status == EscrowStatus.HELD or left == 0) and left == escrow.left_minor
        check.that(sound, f"{escrow.deliverable_id}: held {escrow.held_minor}, left {left}, {escrow.status}")
    return check


def _client_money(fold: InlineFold, accounts: Sequence[Account]) -> Check:
    """What is held covers what is owed; a shortage that own money could not cover is reported."""
    check = Check("client_money")
    for (currency,), row in fold.table(CLIENT_MONEY).items():
        mine = [account for account in accounts if account.currency == currency]
        assets, claims = _stake(mine, Stake.ASSET, Side.DEBIT), _stake(mine, Stake.CLAIM, Side.CREDIT)
        sound = (row.assets_minor, row.claims_minor) == (assets, claims)
        check.that(sound, f"{currency}: {row.assets_minor}/{row.claims_minor} kept, {assets}/{claims} found")
        check.that(assets >= claims, f"{currency}: {claims - assets} of client money is not covered")
    return check


def _clearing(fold: InlineFold, accounts: Sequence[Account]) -> Check:
    """The provider's account holds what was charged and not settled, less what is owed to the provider, transfer by
    transfer: no line settled more than was charged."""
    check, due, owed = Check("clearing_bound"), Counter[str](), Counter[str]()
    for one in fold.table(TRANSFERS).values():
        due[one.currency] += one.due_minor
        owed[one.currency] += one.owed_minor
        sound = min(one.due_minor, one.owed_minor, one.settled_minor) >= 0
        check.that(sound, f"{one.transfer_id}: due {one.due_minor}, owed {one.owed_minor}, settled {one.settled_minor}")
    held = {one.currency: one.balance_minor for one in accounts if one.code == Code.PSP_CLEARING}
    rows: dict[Key, Clearing] = fold.table(CLEARINGS)
    for currency in sorted({*held, *(key[0] for key in rows)}):
        row, balance_minor = rows.get((currency,)) or Clearing(currency), held.get(currency, 0)
        by_transfers = (due[currency], owed[currency])
        check.that(
            (row.due_minor, row.owed_minor) == by_transfers, f"{currency}: {row}, by its transfers {by_transfers}"
        )
        check.that(balance_minor == row.balance_minor, f"{currency}: holds {balance_minor} and not {row.balance_minor}")
    return check


def _stake(accounts: Iterable[Account], stake: Stake, side: Side) -> int:
    mine = [account for account in accounts if CHART[Code(account.code)].stake is stake]
    return sum(account.balance_minor if account.kind.side is side else -account.balance_minor for account in mine)
