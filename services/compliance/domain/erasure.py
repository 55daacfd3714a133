"""Erasure of a person, stream `subject-<the person's organisation>`: asked by itself or for it, then erased or declined by staff.

Every service hears SubjectErased and deletes what it keeps of the person; what the law wants kept is in docs/security.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, assert_never

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.decider import Context, Decider
from kernel.core.faults import Forbidden, Refused
from kernel.core.ids import split_stream

CATEGORY = "subject"
STAFF = ("operator",)
ARCHIVED = timedelta(days=4 * 365 + 1)
"""What compliance itself keeps of a person after the erasure: adverts are archived for three years from the end of their
publishing (Internet Advertising Measures, Art. 14), and are agreed to stay for a year at most."""
Reason = Annotated[str, Asked(Len(1, 60))]
"""A stable code, as `request.subject`: the reason is published, so it holds no words about the person."""


@dataclass(frozen=True, slots=True)
class RequestErasure:
    """By the person itself, or by an operator to whom the person wrote."""


@dataclass(frozen=True, slots=True)
class EraseSubject:
    """By an operator, with or without a request."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class DeclineErasure:
    """By an operator: the request is answered with a reason (GDPR Art. 12(4))."""

    reason: Reason


Command = RequestErasure | EraseSubject | DeclineErasure


@dataclass(frozen=True, slots=True)
class ErasureRequested:
    subject_id: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class SubjectErased:
    """Every service forgets the person: keys, texts, accounts and what points at them."""

    subject_id: str
    reason: str
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class ErasureDeclined:
    subject_id: str
    reason: str
    declined_at: datetime


Event = ErasureRequested | SubjectErased | ErasureDeclined


class Step(StrEnum):
    """Who came back after an erasure is requested, then erased, once more."""

    NONE = "none"
    REQUESTED = "requested"
    ERASED = "erased"
    DECLINED = "declined"


def decide(command: Command, step: Step, context: Context) -> Sequence[Event]:
    subject_id = split_stream(context.stream)[1]
    match command:
        case RequestErasure():
            if context.actor.tenant != subject_id and context.actor.roles.isdisjoint(STAFF):
                raise Forbidden("erasure.not_yours")
            return [] if step is Step.REQUESTED else [ErasureRequested(subject_id, context.at)]
        case EraseSubject(reason):
            context.actor.require(*STAFF)
            return [] if step is Step.ERASED else [SubjectErased(subject_id, reason, context.at)]
        case DeclineErasure(reason):
            context.actor.require(*STAFF)
            if step is Step.DECLINED:
                return []
            if step is not Step.REQUESTED:
                raise Refused("erasure.not_requested", step=step)
            return [ErasureDeclined(subject_id, reason, context.at)]
        case _:
            assert_never(command)


STEPS: dict[type, Step] = {
    ErasureRequested: Step.REQUESTED,
    SubjectErased: Step.ERASED,
    ErasureDeclined: Step.DECLINED,
}


def evolve(_: Step, event: Event) -> Step:
    return STEPS[type(event)]


ERASURE: Decider[Command, Step, Event] = Decider(CATEGORY, Step.NONE, decide, evolve, owner=lambda _: "platform")
"""Streams belong to the platform, whoever asked."""
