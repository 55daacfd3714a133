"""Inline tables of accounts, exact at the head: who claims a handle, who was verified for it, whose a platform's own id is.

Anybody may claim a handle, and a claim excludes nobody: the first to name one would lock its owner out. A handle is one
creator's once staff have verified that it controls the account.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from kernel.core.ids import split_stream
from services.discovery.domain.events import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    CreatorForgotten,
    CreatorRegistered,
)
from services.discovery.domain.profile import Account


@dataclass(frozen=True, slots=True)
class HandleRow:
    """A claim: the creator says, or a file says of it, that it has this account."""

    platform: str
    handle: str
    creator_id: str


def fold(
    fact: DecidedEvent[CreatorRegistered | AccountLinked | AccountRenamed | CreatorForgotten], rows: Rows
) -> Iterable[tuple[Key, HandleRow | None]]:
    """Notes the claims of new accounts, drops that of the one that was replaced. Of who was erased the log names no handle."""
    creator_id = split_stream(fact.stream)[1]
    match fact.event:
        case CreatorRegistered(accounts=accounts):
            return [_claimed(account, creator_id) for account in accounts if account.handle]
        case AccountLinked(account=account, replaces=replaces) | AccountRenamed(account=account, replaces=replaces):
            dropped = (account.platform, replaces, creator_id)
            freed: list[tuple[Key, HandleRow | None]] = [(dropped, None)] if replaces else []
            return [*freed, *([_claimed(account, creator_id)] if account.handle else [])]
        case CreatorForgotten(accounts=accounts):
            return [((account.platform, account.handle, creator_id), None) for account in accounts]
        case _:
            assert_never(fact.event)


def _claimed(account: Account, creator_id: str) -> tuple[Key, HandleRow | None]:
    row = HandleRow(account.platform, account.handle, creator_id)
    return (row.platform, row.handle, row.creator_id), row


HANDLES = InlineTable(
    "handles",
    HandleRow,
    ("platform", "handle", "creator_id"),
    (CreatorRegistered, AccountLinked, AccountRenamed, CreatorForgotten),
    fold,
)


@dataclass(frozen=True, slots=True)
class VerifiedRow:
    """The one creator that was verified for a handle and has not given it up."""

    platform: str
    handle: str
    creator_id: str


def fold_verified(
    fact: DecidedEvent[AccountLinked | AccountRenamed | AccountVerified | CreatorForgotten], rows: Rows
) -> Iterable[tuple[Key, VerifiedRow | None]]:
    """A verified handle is taken, goes along with a rename of its account, and is given up with the account. An account whose
    former handle another was renamed to before keeps its verification too: so do both accounts that swapped theirs.

    A handle that an account was renamed to is no longer that of whom it was before: on the platform it is one account's.
    """
    creator_id = split_stream(fact.stream)[1]
    if isinstance(fact.event, CreatorForgotten):
        keys = [(account.platform, account.handle) for account in fact.event.accounts]
        yield from ((key, None) for key in keys if _is_of(rows.get(VERIFIED, key), creator_id))
        return
    account = fact.event.account
    row = VerifiedRow(account.platform, account.handle, creator_id)
    if not row.handle:
        yield from _taken_by_erased(fact.event, rows)
        return
    if isinstance(fact.event, AccountVerified):
        yield (row.platform, row.handle), row
        return
    replaces = fact.event.replaces
    former = rows.get(VERIFIED, (account.platform, replaces)) if replaces else None
    held = _is_of(former, creator_id)
    if held:
        yield (account.platform, replaces), None
    if isinstance(fact.event, AccountRenamed):
        yield (row.platform, row.handle), row if held or fact.event.verified else None


def _taken_by_erased(event: object, rows: Rows) -> Iterable[tuple[Key, None]]:
    """Rows that an event whose handles are erased had taken from others. Only a fold of the whole log meets such an event."""
    if isinstance(event, AccountRenamed) and event.taken_from:
        lost = rows.find(VERIFIED, platform=event.account.platform, creator_id=event.taken_from)
        if lost is not None:
            yield (lost.platform, lost.handle), None


def _is_of(row: VerifiedRow | None, creator_id: str) -> bool:
    return row is not None and row.creator_id == creator_id


VERIFIED: InlineTable[VerifiedRow] = InlineTable(
    "verified_handles",
    VerifiedRow,
    ("platform", "handle"),
    (AccountLinked, AccountRenamed, AccountVerified, CreatorForgotten),
    fold_verified,
)


@dataclass(frozen=True, slots=True)
class AccountIdRow:
    platform: str
    account_id: str
    creator_id: str


def fold_id(
    fact: DecidedEvent[AccountIdentified | CreatorForgotten], rows: Rows
) -> Iterable[tuple[Key, AccountIdRow | None]]:
    """Takes the id of an account, gives back the one that was the creator's before."""
    event, creator_id = fact.event, split_stream(fact.stream)[1]
    if isinstance(event, CreatorForgotten):
        yield from (((platform, account_id), None) for platform, account_id in event.account_ids)
        return
    if event.replaces:
        yield (event.platform, event.replaces), None
    if event.account_id:
        yield (event.platform, event.account_id), AccountIdRow(event.platform, event.account_id, creator_id)


ACCOUNT_IDS = InlineTable(
    "account_ids", AccountIdRow, ("platform", "account_id"), (AccountIdentified, CreatorForgotten), fold_id
)
