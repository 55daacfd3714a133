"""Process of forgetting a person, stream `erasure-<id derived of the subject>` (private): asked, then done.

The effect that deletes stands in effects.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.events import Delivered
from kernel.core.faults import Refused
from kernel.core.ids import derived_id, stream_id
from services.discovery.domain.commands import ChangeProfile, IdentifyAccount, LinkAccount, VerifyAccount
from services.discovery.domain.events import CreatorForgotten
from services.discovery.domain.identity import creator_of
from services.discovery.domain.state import State, Status

CATEGORY = "erasure"


@dataclass(frozen=True, slots=True)
class Erased:
    """From compliance: a person asked to be forgotten."""

    subject_id: str


@dataclass(frozen=True, slots=True)
class ErasureAsked:
    """From now on an effect deletes the subject's key and texts; asked again after it was done, it is done again."""

    subject_id: str


@dataclass(frozen=True, slots=True)
class ErasureDone:
    """Key and texts are gone: read models and indexes drop what they hold of them."""

    subject_id: str


Event = ErasureAsked | ErasureDone


@dataclass(frozen=True, slots=True)
class RecordErasure:
    """By the effect: what it was asked to delete is gone."""

    subject_id: str


Command = Delivered[Erased] | RecordErasure


class Step(StrEnum):
    NONE = "none"
    ASKED = "asked"
    DONE = "done"


def route(incoming: Delivered[Any]) -> str | None:
    """A subject's stream is named by an id derived from it: subjects of other services need not be UUIDs."""
    if not isinstance(incoming.event, Erased):
        return None
    return stream_id(CATEGORY, derived_id(CATEGORY, incoming.event.subject_id))


def decide(command: Command, step: Step, _: Context) -> list[Event]:
    if isinstance(command, RecordErasure):
        return [ErasureDone(command.subject_id)] if step is Step.ASKED else []
    return [] if step is Step.ASKED else [ErasureAsked(command.event.subject_id)]


def evolve(step: Step, event: Event) -> Step:
    return Step.ASKED if isinstance(event, ErasureAsked) else Step.DONE


ERASURES: Decider[Command, Step, Event] = Decider(CATEGORY, Step.NONE, decide, evolve, published=False)


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
