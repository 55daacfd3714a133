"""Who holds which handle, and whose a platform's own id is: inline tables, exact at the head. No two creators share one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from kernel.core.ids import split_stream
from services.discovery.domain.events import AccountIdentified, AccountLinked, AccountRenamed, CreatorRegistered
from services.discovery.domain.profile import Account


@dataclass(frozen=True, slots=True)
class HandleRow:
    platform: str
    handle: str
    creator_id: str


def fold(
    fact: DecidedEvent[CreatorRegistered | AccountLinked | AccountRenamed], rows: Rows
) -> Iterable[tuple[Key, HandleRow | None]]:
    """Takes the handles of new accounts, gives back the one that was replaced."""
    creator_id = split_stream(fact.stream)[1]
    match fact.event:
        case CreatorRegistered(accounts=accounts):
            return [_taken(account, creator_id) for account in accounts]
        case AccountLinked(account=account, replaces=replaces) | AccountRenamed(account=account, replaces=replaces):
            freed: list[tuple[Key, HandleRow | None]] = [((account.platform, replaces), None)] if replaces else []
            return [*freed, _taken(account, creator_id)]
        case _:
            assert_never(fact.event)


def _taken(account: Account, creator_id: str) -> tuple[Key, HandleRow | None]:
    return (account.platform, account.handle), HandleRow(account.platform, account.handle, creator_id)


HANDLES = InlineTable(
    "handles", HandleRow, ("platform", "handle"), (CreatorRegistered, AccountLinked, AccountRenamed), fold
)


@dataclass(frozen=True, slots=True)
class AccountIdRow:
    platform: str
    account_id: str
    creator_id: str


def fold_id(fact: DecidedEvent[AccountIdentified], rows: Rows) -> Iterable[tuple[Key, AccountIdRow | None]]:
    """Takes the id of an account, gives back the one that was the creator's before."""
    event, creator_id = fact.event, split_stream(fact.stream)[1]
    if event.replaces:
        yield (event.platform, event.replaces), None
    if event.account_id:
        yield (event.platform, event.account_id), AccountIdRow(event.platform, event.account_id, creator_id)


ACCOUNT_IDS = InlineTable("account_ids", AccountIdRow, ("platform", "account_id"), (AccountIdentified,), fold_id)
