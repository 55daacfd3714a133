"""Forgetting a person: the creator's own part, and who was forgotten. The process itself is the kernel's (core/personal.py)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kernel.core.decider import Context, DecidedEvent, InlineTable, Key, Rows
from kernel.core.faults import Refused
from kernel.core.personal import ErasureDone, erasures
from services.discovery.domain.commands import ChangeProfile, IdentifyAccount, LinkAccount, VerifyAccount
from services.discovery.domain.events import CreatorForgotten
from services.discovery.domain.identity import creator_of
from services.discovery.domain.state import State, Status

ERASURES = erasures()


def remembered(command: object, state: State, context: Context) -> State:
    """The creator's state; raises Refused `creator.asked_to_be_forgotten` for a command that adds what is personal to an erased
    one. An erased creator comes back by telling a profile itself; accounts follow the profile."""
    adds = isinstance(command, ChangeProfile | LinkAccount | IdentifyAccount | VerifyAccount)
    itself = isinstance(command, ChangeProfile) and context.actor.tenant == creator_of(context)
    if state.forgotten and adds and not itself:
        raise Refused("creator.asked_to_be_forgotten")
    return state


def forget(state: State) -> Sequence[CreatorForgotten]:
    """The creator's own part of an erasure; nothing for who is not registered or forgotten already."""
    if state.status is Status.NEW or state.forgotten:
        return []
    return [CreatorForgotten(state.accounts, state.account_ids)]


@dataclass(frozen=True, slots=True)
class ForgottenRow:
    subject_id: str


def fold(fact: DecidedEvent[ErasureDone], rows: Rows) -> Iterable[tuple[Key, ForgottenRow | None]]:
    return [((fact.event.subject_id,), ForgottenRow(fact.event.subject_id))]


FORGOTTEN = InlineTable("forgotten", ForgottenRow, ("subject_id",), (ErasureDone,), fold)
"""Who was forgotten, exact at the head: nobody brings them back from a file; they may come back themselves."""
