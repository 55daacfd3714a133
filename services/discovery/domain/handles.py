"""Who holds which handle: an inline table, exact at the head, so that no two creators share one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from kernel.core.ids import split_stream
from services.discovery.domain.events import AccountLinked, CreatorRegistered
from services.discovery.domain.profile import Account


@dataclass(frozen=True, slots=True)
class HandleRow:
    platform: str
    handle: str
    creator_id: str


def fold(fact: DecidedEvent[CreatorRegistered | AccountLinked], rows: Rows) -> Iterable[tuple[Key, HandleRow | None]]:
    """Takes the handles of new accounts, gives back the one that was replaced."""
    creator_id = split_stream(fact.stream)[1]
    match fact.event:
        case CreatorRegistered(accounts=accounts):
            return [_taken(account, creator_id) for account in accounts]
        case AccountLinked(account=account, replaces=replaces):
            freed: list[tuple[Key, HandleRow | None]] = [((account.platform, replaces), None)] if replaces else []
            return [*freed, _taken(account, creator_id)]
        case _:
            assert_never(fact.event)


def _taken(account: Account, creator_id: str) -> tuple[Key, HandleRow | None]:
    return (account.platform, account.handle), HandleRow(account.platform, account.handle, creator_id)


HANDLES = InlineTable("handles", HandleRow, ("platform", "handle"), (CreatorRegistered, AccountLinked), fold)
