"""The proof of the books: one snapshot, the whole journal walked in batches, compared with what the writer keeps.

Memory grows with the number of accounts and open seals, not with the journal.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.check import Check, CheckResult
from kernel.core.codec import Codec
from kernel.core.decider import DecidedEvent, InlineTable, Key
from kernel.core.events import Recorded
from kernel.core.faults import Fault
from kernel.eventlog.log import READ_LIMIT, Log
from services.ledger.domain.accounts import CHART, Account, Code, Side, Stake
from services.ledger.domain.hashchain import Chained, mismatched, walk
from services.ledger.domain.inlines import ALL
from services.ledger.domain.rows import ACCOUNTS, CLIENT_MONEY, ESCROWS, Escrow, EscrowStatus
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
class _Replay:
    """The inline tables made anew from the journal, and the hashes that seals and anchors speak of."""

    rows: dict[tuple[str, Key], Any] = field(default_factory=dict)
    chained: Chained = field(default_factory=Chained)
    hashes: dict[int, str] = field(default_factory=dict)
    seals: Check = field(default_factory=lambda: Check("seals"))
    events: Check = field(default_factory=lambda: Check("events_readable"))

    def get(self, table: InlineTable[Any], key: Key) -> Any:
        return self.rows.get((table.name, key))

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
        self._fold(DecidedEvent(recorded.stream, recorded.tenant, recorded.version, recorded.recorded_at, event))

    def _fold(self, fact: DecidedEvent[Any]) -> None:
        for inline in ALL:
            if type(fact.event) in inline.events:
                for key, row in list(inline.fold(fact, self)):
                    self.rows[inline.name, key] = row

    def table(self, inline: InlineTable[Any]) -> dict[Key, Any]:
        return {key: row for (name, key), row in self.rows.items() if name == inline.name}


async def verify(
    log: Log, codec: Codec, anchors: Anchors, progress: Progress = lambda _done, _total: None
) -> Verification:
    """Proves hash chain, seals, anchors, sums, bounds, the equation of each deliverable, client money, and that the
    tables which decisions are made on are what the journal says."""
    known = await anchors.read()
    async with log.database.snapshot() as connection:
        replay = await _replay(log, codec, {position for position, _ in known}, connection, progress)
        stored = {inline.name: await _stored(connection, log, inline) for inline in ALL}
    checks = [_hash_chain(replay, known), replay.seals, replay.events, *_books(replay)]
    checks += [_equal(inline, replay, stored[inline.name]) for inline in ALL]
    return Verification(tuple(check.result() for check in checks), replay.chained.position, replay.chained.hash)


async def _replay(
    log: Log, codec: Codec, anchored: set[int], connection: AsyncConnection, progress: Progress
) -> _Replay:
    replay, head, done = _Replay(), (await log.head(connection)).position, 0
    while done < head:
        try:
            batch = await log.read(done, READ_LIMIT, head, connection)
        except Fault as fault:
            replay.events.that(False, str(fault))
            return replay
        if not batch:
            replay.events.that(False, f"positions {done + 1}..{head} are missing")
            return replay
        for recorded in batch:
            replay.take(recorded, codec, anchored)
        done = batch[-1].position
        progress(done, head)
    return replay


async def _stored(connection: AsyncConnection, log: Log, inline: InlineTable[Any]) -> dict[Key, Any]:
    table = log.database.metadata.tables[inline.name]
    rows = (await connection.execute(sa.select(table))).mappings()
    made = [inline.row(**row) for row in rows]
    return {tuple(getattr(row, name) for name in inline.key): row for row in made}


def _hash_chain(replay: _Replay, known: Sequence[tuple[int, str]]) -> Check:
    chained = replay.chained
    check = Check("hash_chain", chained.position)
    check.that(not chained.broken_at, f"broken at position {chained.broken_at}: {chained.detail}")
    wrong = mismatched(known, replay.hashes)
    check.that(not wrong, f"the anchor of position {wrong} does not fit the journal")
    return check


def _books(replay: _Replay) -> Iterable[Check]:
    accounts: list[Account] = list(replay.table(ACCOUNTS).values())
    yield _sums(accounts)
    yield _bounds(accounts)
    yield _closed(accounts)
    yield _deliverables(replay)
    yield _client_money(replay, accounts)


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


def _deliverables(replay: _Replay) -> Check:
    """Held = released + returned + in escrow; what has ended holds nothing."""
    check = Check("deliverables")
    for row in replay.table(ESCROWS).values():
        escrow: Escrow = row
        account = replay.rows.get(("accounts", (escrow.currency, Code.ESCROW.value, escrow.deliverable_id)))
        left = account.balance_minor if account else 0
        sound = escrow.held_minor == escrow.released_minor + escrow.returned_minor + left
        sound = sound and (escrow.status == EscrowStatus.HELD or left == 0) and left == escrow.left_minor
        check.that(sound, f"{escrow.deliverable_id}: held {escrow.held_minor}, left {left}, {escrow.status}")
    return check


def _client_money(replay: _Replay, accounts: Sequence[Account]) -> Check:
    """What is held covers what is owed; a shortage that own money could not cover is reported."""
    check = Check("client_money")
    for (currency,), row in replay.table(CLIENT_MONEY).items():
        mine = [account for account in accounts if account.currency == currency]
        assets, claims = _stake(mine, Stake.ASSET, Side.DEBIT), _stake(mine, Stake.CLAIM, Side.CREDIT)
        sound = (row.assets_minor, row.claims_minor) == (assets, claims)
        check.that(sound, f"{currency}: {row.assets_minor}/{row.claims_minor} kept, {assets}/{claims} found")
        check.that(assets >= claims, f"{currency}: {claims - assets} of client money is not covered")
    return check


def _stake(accounts: Iterable[Account], stake: Stake, side: Side) -> int:
    mine = [account for account in accounts if CHART[Code(account.code)].stake is stake]
    return sum(account.balance_minor if account.kind.side is side else -account.balance_minor for account in mine)


def _equal(inline: InlineTable[Any], replay: _Replay, stored: dict[Key, Any]) -> Check:
    check = Check(f"{inline.name}_equal_journal")
    made = replay.table(inline)
    for key in sorted(made.keys() | stored.keys()):
        same = made.get(key) == stored.get(key)
        check.that(same, f"{'/'.join(key)}: the table does not say what the journal says")
    return check
