"""The event of what is known of an organisation. Stored for ever; docs/change-an-event.md says how one changes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClearedHeard:
    """A payee that the organisation may pay although both use these accounts."""

    payee_id: str
    account_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartyHeard:
    """The accounts that an organisation pays from or is paid to, by the ledger's ids, and what of ties was cleared; the newest
    last."""

    owner_id: str
    account_ids: tuple[str, ...] = ()
    cleared: tuple[ClearedHeard, ...] = ()
