"""Forgetting a person, stream `erasure-<subject id>` (private): asked, then done. What is deleted stands in effects.py."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows


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
class AskErasure:
    subject_id: str


@dataclass(frozen=True, slots=True)
class RecordErasure:
    subject_id: str


Command = AskErasure | RecordErasure


class Step(StrEnum):
    NONE = "none"
    ASKED = "asked"
    DONE = "done"


def decide(command: Command, step: Step) -> list[Event]:
    match command:
        case AskErasure(subject_id):
            return [] if step is Step.ASKED else [ErasureAsked(subject_id)]
        case RecordErasure(subject_id):
            return [ErasureDone(subject_id)] if step is Step.ASKED else []
        case _:
            assert_never(command)


def evolve(step: Step, event: Event) -> Step:
    return Step.ASKED if isinstance(event, ErasureAsked) else Step.DONE


@dataclass(frozen=True, slots=True)
class ForgottenRow:
    subject_id: str


def fold(fact: DecidedEvent[ErasureDone], rows: Rows) -> Iterable[tuple[Key, ForgottenRow | None]]:
    return [((fact.event.subject_id,), ForgottenRow(fact.event.subject_id))]


FORGOTTEN = InlineTable("forgotten", ForgottenRow, ("subject_id",), (ErasureDone,), fold)
"""Who was forgotten, exact at the head: nobody brings them back from a file; they may come back themselves."""
