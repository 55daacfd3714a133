"""Whose account it is: by the platform's own id, by a handle held all along, or by staff; never by a handle used again."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dandelion_posts.authors import author_digest, handle_key

from kernel.core.decider import Context, InlineTable, Key
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import split_stream
from services.discovery.domain.commands import IdentifyAccount, ImportCreator, LinkAccount
from services.discovery.domain.events import AccountIdentified, AccountLinked, AccountRenamed, Event
from services.discovery.domain.handles import ACCOUNT_IDS, VERIFIED
from services.discovery.domain.profile import Account, checked_account
from services.discovery.domain.state import State

_ACCOUNT_ID = re.compile(r"[\x21-\x7e]{1,64}")
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
"""A long number as a spreadsheet shows it: its last digits are gone, and many ids become one."""


def creator_of(context: Context) -> str:
    """The creator id that a stream id ends in."""
    return split_stream(context.stream)[1]


def digested(account: Account, context: Context) -> Account:
    """The account with its digest: others compare the author of a post with it, and the handle is in no public event."""
    digest = author_digest(creator_of(context), account.platform.value, handle=account.handle)
    return replace(account, digest=digest)


def checked_account_id(account_id: str) -> str:
    """The platform's own id of an account: 1 to 64 letters, digits and signs of ASCII, as the platform writes it."""
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise Invalid("creator.account_id_malformed", field="account_id", expected="1 to 64 characters of ASCII")
    if _ROUNDED.fullmatch(account_id):
        raise Invalid(
            "creator.account_id_malformed", field="account_id", expected="all digits: store the column as text"
        )
    return account_id


def check_free(account: Account, context: Context) -> None:
    """Raises Refused `creator.handle_taken` where another creator was verified for the handle; claims exclude nobody."""
    if _loser(account, context):
        raise Refused("creator.handle_taken", platform=account.platform, handle=account.handle)


def is_held(account: Account, context: Context) -> bool:
    """Whether the creator still is who was verified for the handle: an account of another's that was renamed to it takes it."""
    return _holder(account, context) == creator_of(context)


def _holder(account: Account, context: Context) -> str:
    """The creator that was verified for the handle, "" for none."""
    row = context.rows.get(VERIFIED, (account.platform, account.handle))
    return row.creator_id if row is not None else ""


def check_same_account(command: ImportCreator, state: State) -> None:
    """Raises Refused `creator.handle_reused` unless the row's account is one that the creator is known by.

    That is by the platform's own id, else by the handle as long as the creator holds it and no other id is known for it.
    Accounts on platforms where the creator has none may stand beside it.
    """
    accounts = [checked_account(one) for one in command.registration.accounts]
    linked = [one for one in accounts if state.account_on(one.platform) is not None]
    if not linked or not all(_is_same(one, command.account_id, state) for one in linked):
        first = (linked or accounts)[0]
        raise Refused("creator.handle_reused", platform=first.platform, handle=first.handle)


def _is_same(account: Account, account_id: str, state: State) -> bool:
    known_id = state.account_id_on(account.platform)
    if account_id and known_id:
        return account_id == known_id
    return account == state.account_on(account.platform)


def unlinked(command: ImportCreator, state: State) -> list[LinkAccount]:
    """The accounts on platforms where the creator has none yet."""
    return [LinkAccount(one) for one in command.registration.accounts if state.account_on(one.platform) is None]


def identify(command: IdentifyAccount, state: State, context: Context) -> Sequence[Event]:
    """An account that was known under another handle, or under no id yet, was renamed; one of another id is another account.

    The account that is known by this very id takes its new handle from whoever was verified for it: on the platform a handle is
    one account's, so the other has lost it. Two accounts that swapped their handles are so carried through one after the other.
    """
    account, account_id = checked_account(command.account), checked_account_id(command.account_id)
    held = context.rows.get(ACCOUNT_IDS, (account.platform, account_id))
    if held is not None and held.creator_id != creator_of(context):
        raise Refused("creator.account_id_taken", platform=account.platform, account_id=account_id)
    linked, known_id = state.account_on(account.platform), state.account_id_on(account.platform)
    events: list[Event] = []
    if linked != account or known_id not in ("", account_id):
        renamed = linked is not None and known_id in ("", account_id)
        if not renamed or known_id != account_id:
            check_free(account, context)
        told, replaces = digested(account, context), linked.handle if linked else ""
        if renamed:
            verified, loser = account.platform in state.verified, _loser(account, context)
            digest = author_digest(loser, account.platform.value, handle=account.handle) if loser else ""
            events.append(AccountRenamed(told, replaces, verified, loser, digest))
        else:
            events.append(AccountLinked(told, replaces))
    if known_id != account_id:
        digest = author_digest(creator_of(context), account.platform.value, account_id=account_id)
        events.append(AccountIdentified(account.platform, account_id, known_id, digest))
    return events


def _loser(account: Account, context: Context) -> str:
    """The other creator that was verified for the handle, "" for none."""
    holder = _holder(account, context)
    return "" if holder == creator_of(context) else holder


def handle_row(account: Account) -> tuple[InlineTable[Any], Key]:
    """The inline row of who was verified for an account's handle; total, also for malformed ones."""
    return VERIFIED, (account.platform, handle_key(account.handle))


def account_keys(account: Account, account_id: str, state: State) -> list[tuple[InlineTable[Any], Key]]:
    """The rows that linking or identifying an account takes and gives up."""
    linked = state.account_on(account.platform)
    ids = [one for one in (account_id, state.account_id_on(account.platform)) if one]
    rows: list[tuple[InlineTable[Any], Key]] = [(ACCOUNT_IDS, (account.platform, one)) for one in ids]
    return [handle_row(account), *([handle_row(linked)] if linked else []), *rows]
