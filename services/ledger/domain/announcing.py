"""The accounts of organisations as other services hear of them: by ids of ours, so that they can see which two use one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kernel.core.decider import Context, Decider, InlineTable, Key
from kernel.core.events import Delivered
from kernel.core.ids import stream_id
from services.ledger.domain.events import ChainPosted
from services.ledger.domain.set_by_hand import PayoutAccountChanged
from services.ledger.domain.ties import KEPT, PAY_ACCOUNTS, named_by

PARTY = "party"


@dataclass(frozen=True, slots=True)
class AccountNamed:
    """The organisation pays from the account, or is paid there; `account_id` tells nothing of its token at the provider."""

    owner: str
    account_id: str


def _named(incoming: Delivered[Any]) -> tuple[str, str] | None:
    event = incoming.event
    return named_by(event) if isinstance(event, ChainPosted | PayoutAccountChanged) else None


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per organisation."""
    named = _named(incoming)
    return stream_id(PARTY, named[0]) if named else None


def decide(incoming: Delivered[Any], state: tuple[str, ...], context: Context) -> Sequence[AccountNamed]:
    """An account of the newest is told once."""
    named = _named(incoming)
    row = context.rows.get(PAY_ACCOUNTS, (named[1],)) if named else None
    if named is None or row is None or row.account_id in state:
        return []
    return [AccountNamed(named[0], row.account_id)]


def _evolve(state: tuple[str, ...], event: AccountNamed) -> tuple[str, ...]:
    return (*state, event.account_id)[-KEPT:]


def _reads(incoming: Delivered[Any], state: tuple[str, ...]) -> Iterable[tuple[InlineTable[Any], Key]]:
    named = _named(incoming)
    if named is not None:
        yield PAY_ACCOUNTS, (named[1],)


PARTIES_TOLD: Decider[Delivered[Any], tuple[str, ...], AccountNamed] = Decider(PARTY, (), decide, _evolve, reads=_reads)
