"""Handles of creators of whom some are erased: the fold of what the log still says is the tables that were kept all along."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kernel.core.decider import Actor, Context, DecidedEvent, GivenRows
from kernel.core.faults import Fault
from services.discovery.domain.commands import (
    Command,
    ForgetCreator,
    IdentifyAccount,
    LinkAccount,
    RegisterCreator,
    VerifyAccount,
)
from services.discovery.domain.creator import CREATOR
from services.discovery.domain.events import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    CreatorForgotten,
    CreatorRegistered,
)
from services.discovery.domain.handles import ACCOUNT_IDS, HANDLES, VERIFIED
from services.discovery.domain.profile import Account, Platform
from tests.unit.discovery.given import NOON, PROFILE

CREATORS = tuple(f"018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e{number:02x}" for number in range(3))
ACCOUNTS = tuple(Account(Platform.WEIBO, handle) for handle in ("ann", "bea", "cat"))
SYSTEM = Actor("system", "platform", frozenset({"operator", "system"}))
TABLES = (HANDLES, VERIFIED, ACCOUNT_IDS)
Told = tuple[str, Any]


def begun() -> list[tuple[str, Command]]:
    """Each creator with a handle and an id of its own, verified."""
    return [
        (creator_id, command)
        for creator_id, account in zip(CREATORS, ACCOUNTS, strict=True)
        for command in (
            RegisterCreator(creator_id, PROFILE, (account,)),
            IdentifyAccount(account, f"uid-{creator_id}"),
            VerifyAccount(account, "oauth"),
        )
    ]


def step(creator_id: str) -> st.SearchStrategy[tuple[str, Command]]:
    account = st.sampled_from(ACCOUNTS)
    ids = st.sampled_from([f"uid-{creator_id}", f"uid-{creator_id}", f"uid-{creator_id}", "uid-new"])
    made: st.SearchStrategy[Command] = st.one_of(
        st.builds(IdentifyAccount, account, ids),
        st.builds(LinkAccount, account),
        st.builds(VerifyAccount, account, st.just("oauth")),
        st.just(ForgetCreator()),
    )
    return st.tuples(st.just(creator_id), made)


def folded(log: Sequence[Told]) -> dict[tuple[str, Any], Any]:
    rows: dict[tuple[str, Any], Any] = {}
    for creator_id, event in log:
        fact = DecidedEvent(f"creator-{creator_id}", creator_id, 1, NOON, event)
        for table in TABLES:
            if isinstance(event, table.events):
                rows |= {(table.name, key): row for key, row in table.fold(fact, GivenRows(rows))}
    return rows


def kept(rows: dict[tuple[str, Any], Any]) -> dict[tuple[str, Any], Any]:
    return {key: row for key, row in rows.items() if row is not None}


def erased(event: Any) -> Any:
    """The event as the log gives it when its subject's key is gone."""
    match event:
        case CreatorRegistered():
            return replace(event, accounts=tuple(replace(one, handle="") for one in event.accounts))
        case CreatorForgotten():
            return CreatorForgotten()
        case AccountLinked() | AccountRenamed():
            return replace(event, account=replace(event.account, handle=""), replaces="")
        case AccountVerified():
            return replace(event, account=replace(event.account, handle=""))
        case AccountIdentified():
            return replace(event, account_id="", replaces="")
        case _:
            return event


@given(st.lists(st.sampled_from(CREATORS).flatmap(step), max_size=12))
def test_the_log_without_the_erased_says_what_the_tables_hold(steps: list[tuple[str, Command]]) -> None:
    log: list[Told] = []
    for creator_id, command in [*begun(), *steps]:
        state = CREATOR.initial
        for event in (event for whose, event in log if whose == creator_id):
            state = CREATOR.evolve(state, event)
        context = Context(NOON, SYSTEM, GivenRows(folded(log)), f"creator-{creator_id}", creator_id)
        try:
            log += [(creator_id, event) for event in CREATOR.decide(command, state, context)]
        except Fault:
            continue
    gone = {creator_id for creator_id, event in log if isinstance(event, CreatorForgotten)}
    left = [(creator_id, erased(event) if creator_id in gone else event) for creator_id, event in log]
    assert kept(folded(left)) == kept(folded(log))
