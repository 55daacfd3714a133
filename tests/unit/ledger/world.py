"""A ledger on a log in memory: the real Writer decides, and the books are checked after it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kernel.core.decider import Actor, Key
from kernel.core.ids import derived_id
from kernel.core.money import LIMIT_MINOR
from kernel.host.app import Service
from services.ledger.domain.accounts import CHART, Account, Code, Side, Stake
from services.ledger.domain.commands import (
    CATEGORIES,
    Command,
    ConfirmDeposit,
    HoldEscrow,
    PayInOwnMoney,
    RequestDeposit,
    stream_of,
)
from services.ledger.domain.events import ChainEvent, ChainPosted
from services.ledger.domain.four_eyes import DayLimits, proposal_id, proposal_stream
from services.ledger.domain.funding import ClientMoney
from services.ledger.domain.proposals import ApproveMove, HandCommand, ProposeMove, stream_for
from services.ledger.domain.residences import TaxResidence
from services.ledger.domain.rows import Escrow
from services.ledger.wiring import SERVICE
from tests.kit import decide

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BRAND, OTHER_BRAND = derived_id("brand", "1"), derived_id("brand", "2")
CREATOR, SECOND_CREATOR = derived_id("creator", "1"), derived_id("creator", "2")
AGENCY = derived_id("agency", "1")
CAMPAIGN, COLLABORATION = derived_id("campaign", "1"), derived_id("collaboration", "1")
SYSTEM = Actor("process", "platform", frozenset({"system"}))
FINANCE = Actor("fin", "platform", frozenset({"finance"}))
SECOND = Actor("fred", "platform", frozenset({"finance"}))
NO_LIMITS = DayLimits({}, 1_000 * LIMIT_MINOR)
AS_BRAND = Actor("bea", BRAND, frozenset({"brand"}))
AS_CREATOR = Actor("cai", CREATOR, frozenset({"creator"}))
BRANDS = {BRAND: AS_BRAND, OTHER_BRAND: Actor("bob", OTHER_BRAND, frozenset({"brand"}))}
CREATORS = {CREATOR: AS_CREATOR, SECOND_CREATOR: Actor("dai", SECOND_CREATOR, frozenset({"creator"}))}


RESIDENT = {CREATOR: "CN", SECOND_CREATOR: "CN"}
"""Where the creators of these tests are resident for tax, unless a test says otherwise."""
FORGETFUL = replace(
    SERVICE,
    deciders=[
        replace(one, evolve=lambda state, _: state) if one.category in CATEGORIES else one for one in SERVICE.deciders
    ],
)
"""A mutation: a repeated command meets a stream that has forgotten its chains."""


class World(decide.World):
    """The ledger's commands by the stream that each of them belongs to."""

    def __init__(self, service: Service = SERVICE, residences: Mapping[str, str] = RESIDENT) -> None:
        rows: dict[decide.RowKey, Any] = {
            ("tax_residences", (id_,)): TaxResidence(id_, country, "seen") for id_, country in residences.items()
        }
        super().__init__(service, NOON, rows)

    @property
    def posted(self) -> list[Any]:
        """Every event in order."""
        return [fact.event for fact in self.events]

    def run(self, command: Command, actor: Actor = SYSTEM) -> list[ChainEvent]:
        """Decides and appends whole, or raises and changes nothing."""
        return self.execute(stream_of(command), command, actor)

    def by_hand(self, command: HandCommand, stream: str = "") -> list[Any]:
        """Two people of finance agree, one of them executes; the events of the execution."""
        self.agree_on(command)
        return self.execute(stream or stream_for(command), command, FINANCE)

    def agree_on(self, command: Any) -> None:
        """One person of finance proposes, another approves."""
        proposal = proposal_stream(proposal_id(command))
        self.execute(proposal, ProposeMove(command, NO_LIMITS), FINANCE)
        self.execute(proposal, ApproveMove(NO_LIMITS), SECOND)

    def account(self, code: Code, owner: str, currency: str = "CNY") -> Account:
        found: Account | None = self.row("accounts", currency, code.value, owner)
        return found or Account(currency, code.value, owner)

    def escrow(self, deliverable_id: str) -> Escrow:
        found: Escrow = self.row("escrows", deliverable_id)
        return found


def deposit(world: World, amount_minor: int, brand: str = BRAND, currency: str = "CNY", name: str = "d1") -> str:
    """A confirmed deposit; returns its id."""
    id_ = derived_id("deposit", name)
    world.run(RequestDeposit(id_, brand, currency, amount_minor, "tok_card"), BRANDS[brand])
    world.run(ConfirmDeposit(id_, currency, amount_minor, "ch_1"))
    return id_


def hold_command(deliverable: str, fee_minor: int, brand_fee_minor: int, **changes: Any) -> HoldEscrow:
    given: dict[str, Any] = {"revision": 1, "brand_id": BRAND, "creator_id": CREATOR, "currency": "CNY"}
    given |= {"jurisdiction": "CN", **changes}
    return HoldEscrow(
        deliverable, collaboration_id=COLLABORATION, campaign_id=CAMPAIGN, fee_minor=fee_minor,
        brand_fee_minor=brand_fee_minor, **given,
    )  # fmt: skip


def pay_in(world: World, amount_minor: int, currency: str = "CNY", reference: str = "r1") -> None:
    world.by_hand(PayInOwnMoney(reference, currency, amount_minor))


def check_invariants(world: World) -> None:
    """Invariants 1, 2, 3 and 7 of the ledger over all rows; raises AssertionError with the numbers."""
    accounts = world.table("accounts")
    _check_sums(accounts)
    _check_bounds(accounts)
    for escrow in world.table("escrows").values():
        _check_escrow(world, escrow)
    _check_clearing(world, accounts)
    for row in world.table("client_money").values():
        _check_client_money(world, accounts, row)


def _check_sums(accounts: Mapping[Key, Account]) -> None:
    for currency in {key[0] for key in accounts}:
        mine = [account for account in accounts.values() if account.currency == currency]
        assert sum(a.debits_posted for a in mine) == sum(a.credits_posted for a in mine), currency
        assert sum(a.debits_pending for a in mine) == sum(a.credits_pending for a in mine), currency


def _check_bounds(accounts: Mapping[Key, Account]) -> None:
    for account in accounts.values():
        assert not account.kind.bounded or account.spendable_minor >= 0, account
        assert min(account.debits_pending, account.credits_pending) >= 0, account
        assert not account.closed or account.balance_minor == 0, account


def _check_escrow(world: World, row: Escrow) -> None:
    balance = world.account(Code.ESCROW, row.deliverable_id, row.currency).balance_minor
    assert balance == row.left_minor, (balance, row)
    assert row.held_minor == row.released_minor + row.returned_minor + balance, row
    assert row.status == "held" or balance == 0, row


def _check_clearing(world: World, accounts: Mapping[Key, Account]) -> None:
    """The provider's account holds what is due less what is owed, currency by currency and transfer by transfer."""
    transfers = world.table("transfers").values()
    for row in world.table("clearing").values():
        mine = [one for one in transfers if one.currency == row.currency]
        assert min(row.due_minor, row.owed_minor) >= 0, row
        assert row.due_minor == sum(one.due_minor for one in mine), row
        assert row.owed_minor == sum(one.owed_minor for one in mine), row
    for account in accounts.values():
        if account.code == Code.PSP_CLEARING:
            row = world.row("clearing", account.currency)
            assert account.balance_minor == (row.balance_minor if row else 0), (account, row)
    for one in transfers:
        assert min(one.due_minor, one.owed_minor, one.settled_minor, one.reversed_minor) >= 0, one
        assert one.reversed_minor <= one.amount_minor, one


def _check_client_money(world: World, accounts: Mapping[Key, Account], row: ClientMoney) -> None:
    """What is held covers what is owed, unless own money is used up; and the kept sums are the recomputed ones."""

    def total(stake: Stake) -> int:
        mine = [a for a in accounts.values() if a.currency == row.currency and CHART[Code(a.code)].stake is stake]
        signs = {Stake.ASSET: Side.DEBIT, Stake.CLAIM: Side.CREDIT}
        return sum(a.balance_minor if a.kind.side is signs[stake] else -a.balance_minor for a in mine)

    assert (row.assets_minor, row.claims_minor) == (total(Stake.ASSET), total(Stake.CLAIM)), row
    own_minor = world.account(Code.BANK_OWN, "platform", row.currency).spendable_minor
    assert row.short_minor == 0 or own_minor == 0, (row, own_minor)


def chains(events: list[ChainEvent]) -> list[ChainPosted]:
    return [event for event in events if isinstance(event, ChainPosted)]


def days(count: int) -> timedelta:
    return timedelta(days=count)
