"""Legs and what they do: a leg moves an amount from a debit account to a credit account; a chain of legs is atomic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from kernel.core.bounds import SUM_LIMIT
from kernel.core.decider import Key
from kernel.core.faults import Invalid, Refused
from kernel.core.money import LIMIT_MINOR, checked_currency
from services.ledger.domain.accounts import PLATFORM, PROVIDER, Account, Code


class Phase(StrEnum):
    """Single step (`posted`) or two steps: `pending`, then `post` or `void` of exactly that amount."""

    POSTED = "posted"
    PENDING = "pending"
    POST = "post"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Ref:
    """An account of a leg, without the leg's currency."""

    code: Code
    owner: str


@dataclass(frozen=True, slots=True)
class Leg:
    """`amount_minor` of `currency`, read debit -> credit: `Leg(bank, psp_clearing, ...)` debits bank."""

    debit: Ref
    credit: Ref
    amount_minor: int
    currency: str
    phase: Phase = Phase.POSTED


def account_key(ref: Ref, currency: str) -> Key:
    return currency, ref.code.value, ref.owner


def leg_keys(legs: Iterable[Leg]) -> list[Key]:
    """The account keys of the legs, each once, in order of first use."""
    ends = [(ref, leg.currency) for leg in legs for ref in (leg.debit, leg.credit)]
    return list(dict.fromkeys(account_key(ref, currency) for ref, currency in ends))


def apply_legs(accounts: Mapping[Key, Account], legs: Iterable[Leg]) -> dict[Key, Account]:
    """The touched accounts after all legs; accounts absent from the mapping start empty. No bound is looked at."""
    after: dict[Key, Account] = {}
    for leg in legs:
        for ref, side in ((leg.debit, "debits"), (leg.credit, "credits")):
            key = account_key(ref, leg.currency)
            before = after.get(key) or accounts.get(key) or opened(key)
            after[key] = _moved(before, side, leg)
    return after


def opened(key: Key) -> Account:
    """The empty account of a key."""
    currency, code, owner = key
    return Account(currency, code, owner)


def _moved(account: Account, side: str, leg: Leg) -> Account:
    """Built anew instead of by `replace`: this is the ledger's hottest line."""
    pending = {Phase.PENDING: leg.amount_minor, Phase.POST: -leg.amount_minor, Phase.VOID: -leg.amount_minor}
    pending_minor = pending.get(leg.phase, 0)
    posted_minor = leg.amount_minor if leg.phase in (Phase.POST, Phase.POSTED) else 0
    debits, credits = (account.debits_pending, account.debits_posted), (account.credits_pending, account.credits_posted)
    if side == "debits":
        debits = (debits[0] + pending_minor, debits[1] + posted_minor)
    else:
        credits = (credits[0] + pending_minor, credits[1] + posted_minor)
    return Account(account.currency, account.code, account.owner, *debits, *credits, account.closed)


def closed_accounts(accounts: Mapping[Key, Account], keys: Iterable[Key]) -> dict[Key, Account]:
    """The accounts with `closed` set; the caller has them empty."""
    return {key: replace(accounts[key], closed=True) for key in keys if key in accounts}


def check_amount(amount_minor: int, currency: str) -> None:
    """Raises Invalid `amount.not_positive`, `amount.too_large` or `money.unknown_currency`."""
    checked_currency(currency)
    if amount_minor <= 0:
        raise Invalid("amount.not_positive", amount_minor=amount_minor)
    if amount_minor > LIMIT_MINOR:
        raise Invalid("amount.too_large", limit_minor=LIMIT_MINOR)


def check_open(accounts: Mapping[Key, Account], touched: Iterable[Key]) -> None:
    """Raises Refused `account.closed` when a leg touches a closed account."""
    for key in touched:
        account = accounts.get(key)
        if account is not None and account.closed:
            raise Refused("account.closed", account=account.code, owner=account.owner)


def check_bounds(after: Mapping[Key, Account]) -> None:
    """Raises Refused `account.bound_crossed` when a bounded account would be overdrawn, or a pending sum negative; and
    `account.too_large` when a sum would leave what a ledger can hold."""
    for account in after.values():
        check_size(account)
        if account.kind.bounded and account.spendable_minor < 0:
            raise Refused(
                "account.bound_crossed",
                account=account.code,
                owner=account.owner,
                missing_minor=-account.spendable_minor,
            )
        if account.debits_pending < 0 or account.credits_pending < 0:
            raise Refused("account.nothing_pending", account=account.code, owner=account.owner)


def check_size(account: Account) -> None:
    """No sum of an account passes SUM_LIMIT; what an organisation has under way passes no limit of one amount, so that one
    organisation's charges, which nobody has paid, never fill an account that all share."""
    sums = (account.debits_pending, account.debits_posted, account.credits_pending, account.credits_posted)
    under_way = max(account.debits_pending, account.credits_pending)
    is_shared = account.owner in (PLATFORM, PROVIDER, "")
    if max(sums) > SUM_LIMIT or (not is_shared and under_way > LIMIT_MINOR):
        raise Refused("account.too_large", do="wait until what is under way is settled, or cancel some of it")


def check_closing(after: Mapping[Key, Account], keys: Iterable[Key]) -> None:
    """Raises Refused `account.not_empty` when an account to be closed still holds or awaits money."""
    for key in keys:
        account = after[key]
        if account.balance_minor or account.debits_pending or account.credits_pending:
            raise Refused("account.not_empty", account=account.code, owner=account.owner)
