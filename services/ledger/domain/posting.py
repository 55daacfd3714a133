"""Posting one or more chains of a command: on copies of the rows at the head, each whole or not at all."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kernel.core.decider import Key, Rows
from services.ledger.domain import clearing
from services.ledger.domain.accounts import Account, Code
from services.ledger.domain.clearing import Clearing, check_clearing
from services.ledger.domain.commands import Command
from services.ledger.domain.events import ChainKind, ChainPosted
from services.ledger.domain.funding import BANK, BANK_OWN, ClientMoney, funding_legs, moved
from services.ledger.domain.recovery import debts_of, recovery_legs
from services.ledger.domain.repeats import input_hash
from services.ledger.domain.rows import ACCOUNTS, CLEARINGS, CLIENT_MONEY
from services.ledger.domain.transfers import (
    Leg,
    Ref,
    account_key,
    apply_legs,
    check_bounds,
    check_closing,
    check_open,
    leg_keys,
    opened,
)


@dataclass(slots=True)
class Books:
    """The accounts as they stand at the head, plus what this command has posted so far."""

    rows: Rows
    accounts: dict[Key, Account] = field(default_factory=dict)
    client_money: dict[str, ClientMoney] = field(default_factory=dict)
    clearing: dict[str, Clearing] = field(default_factory=dict)

    def account(self, code: Code, owner: str, currency: str) -> Account:
        """The account, empty when it was never posted to."""
        return self._at(account_key(Ref(code, owner), currency))

    def short_minor(self, currency: str) -> int:
        """Client money that is owed and not held, minor units."""
        return self._money(currency).short_minor

    def post(
        self,
        command: Command,
        kind: ChainKind,
        currency: str,
        legs: Iterable[Leg],
        closes: tuple[Ref, ...] = (),
        **facts: Any,
    ) -> ChainPosted:
        """The event of one chain, with its recovery and funding legs; raises Refused when an account is closed or overdrawn."""
        posted = tuple(leg for leg in legs if leg.amount_minor)
        posted += recovery_legs(self._known(debts_of(posted), currency, posted), posted)
        posted += funding_legs(self._money(currency), self._known((BANK, BANK_OWN), currency, posted), posted)
        closing = [account_key(ref, currency) for ref in closes]
        before = {key: self._at(key) for key in (*leg_keys(posted), *closing)}
        check_open(before, before)
        after = before | apply_legs(before, posted)
        check_bounds(after)
        provider = clearing.after(self._clearing(currency), kind, posted)
        check_clearing(provider)
        check_closing(after, closing)
        self.accounts.update(after)
        self.clearing[currency] = provider
        self.client_money[currency] = moved(self._money(currency), posted)
        return ChainPosted(
            kind, command.chain_id, input_hash(command), currency, posted, closes,
            short_minor=self.short_minor(currency), **facts,
        )  # fmt: skip

    def _known(self, refs: Iterable[Ref], currency: str, legs: tuple[Leg, ...]) -> dict[Key, Account]:
        keys = [*leg_keys(legs), *(account_key(ref, currency) for ref in refs)]
        return {key: self._at(key) for key in keys}

    def _at(self, key: Key) -> Account:
        return self.accounts.get(key) or self.rows.get(ACCOUNTS, key) or opened(key)

    def _money(self, currency: str) -> ClientMoney:
        return self.client_money.get(currency) or self.rows.get(CLIENT_MONEY, (currency,)) or ClientMoney(currency)

    def _clearing(self, currency: str) -> Clearing:
        return self.clearing.get(currency) or self.rows.get(CLEARINGS, (currency,)) or Clearing(currency)
