"""Suspensions of a creator: by whom, for how long, and that none is shortened by the platform itself."""

from collections.abc import Sequence

from kernel.core.decider import Context
from kernel.core.faults import Invalid
from services.discovery.domain.checks import checked_line
from services.discovery.domain.commands import SuspendCreator
from services.discovery.domain.events import CreatorSuspended
from services.discovery.domain.state import State


def suspend(command: SuspendCreator, state: State, context: Context) -> Sequence[CreatorSuspended]:
    if not command.reason:
        raise Invalid("creator.reason_missing", field="reason")
    if command.until is not None and command.until <= context.at:
        raise Invalid("creator.suspension_ends_before_it_begins", field="until", until=command.until.isoformat())
    event, stands = CreatorSuspended(checked_line(command, "reason"), command.until, command.cause), state.suspension
    by_itself = context.actor.roles.isdisjoint({"operator"})
    return [] if event == stands or (by_itself and _outlasts(stands, event)) else [event]


def _outlasts(stands: CreatorSuspended | None, other: CreatorSuspended) -> bool:
    """Whether a suspension lasts longer than another: what the platform does by itself shortens none."""
    if stands is None or other.until is None:
        return False
    return stands.until is None or stands.until > other.until
