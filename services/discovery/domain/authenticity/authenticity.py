"""The authenticity of a creator, stream `authenticity-<creator id>`, owned by the creator: assess, appeal, rule."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from kernel.core.decider import Context, Decider
from kernel.core.faults import Forbidden, Invalid, Refused
from kernel.core.ids import split_stream
from services.discovery.domain.authenticity.commands import Appeal, Assess, Command, Holds, Rule, Verdict
from services.discovery.domain.authenticity.events import (
    AuthenticityAppealed,
    AuthenticityAssessed,
    AuthenticityRuled,
    Event,
    LiftProposed,
)
from services.discovery.domain.authenticity.evidence import Evidence, checked_evidence
from services.discovery.domain.authenticity.standing import Standing, standing_of
from services.discovery.domain.authenticity.weighing import weigh
from services.discovery.domain.checks import checked_lines

CATEGORY = "authenticity"
FALL = 15
"""So many points of score under the one that was ruled on, and a lifted judgement is open again."""


@dataclass(frozen=True, slots=True)
class State:
    """The last assessment, the appeal and the proposal that wait, and the last ruling."""

    assessed: AuthenticityAssessed | None = None
    standing: Standing | None = None
    holds: Holds = Holds.NOTHING
    appeal: AuthenticityAppealed | None = None
    proposed: LiftProposed | None = None
    ruled: AuthenticityRuled | None = None


def decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    """Raises Invalid for a bad value, Forbidden for a stranger, Refused where there is nothing to appeal or rule."""
    match command:
        case Assess():
            context.actor.require("operator", "system")
            return _assess(command, state, context)
        case Appeal():
            return _appeal(command, state, context)
        case Rule():
            context.actor.require("reviewer")
            return _rule(command, state, context)
        case _:
            assert_never(command)


def _assess(command: Assess, state: State, context: Context) -> Sequence[Event]:
    if command.creator_id != split_stream(context.stream)[1]:
        raise Invalid("creator.id_is_not_the_stream", creator_id=command.creator_id[:36])
    checked_evidence(command.evidence)
    evidence = (state.assessed.evidence if state.assessed else Evidence()).updated(command.evidence)
    score = weigh(evidence)
    standing = standing_of(score, state.standing)
    if _is_cleared(state, score.score):
        standing = Standing.CREDIBLE
    holds = command.holds if standing is Standing.FRAUD else Holds.NOTHING
    event = AuthenticityAssessed(evidence, score, standing, holds, state.holds)
    return [] if _says_nothing_new(event, state) else [event]


def _says_nothing_new(event: AuthenticityAssessed, state: State) -> bool:
    last = state.assessed
    known = last is not None and (last.evidence, last.score) == (event.evidence, event.score)
    return known and (event.standing, event.holds) == (state.standing, state.holds)


def _is_cleared(state: State, score: int) -> bool:
    """A reviewer lifted the judgement, and no evidence since made it much worse."""
    return state.ruled is not None and state.ruled.verdict is Verdict.LIFTED and score >= state.ruled.floor


def _appeal(command: Appeal, state: State, context: Context) -> Sequence[Event]:
    if context.actor.tenant != split_stream(context.stream)[1]:
        raise Forbidden("authenticity.not_yours")
    event = AuthenticityAppealed(checked_lines(command, "statement"))
    if event == state.appeal:
        return []
    if state.standing in (None, Standing.CREDIBLE):
        raise Refused("authenticity.nothing_to_appeal", do="appeal a judgement of watch or fraud")
    if state.appeal is not None:
        raise Refused("authenticity.appeal_waits", do="wait for the ruling on the appeal that was made")
    return [event]


def _rule(command: Rule, state: State, context: Context) -> Sequence[Event]:
    reviewer, reason, held = context.actor.id, checked_lines(command, "reason"), state.holds
    if _said(command.verdict, reason, reviewer, state):
        return []
    if state.assessed is None or state.standing is None or state.standing is Standing.CREDIBLE:
        raise Refused("authenticity.nothing_to_rule", do="rule on a judgement of watch or fraud")
    if command.verdict is Verdict.UPHELD:
        return [AuthenticityRuled(command.verdict, reason, (reviewer,), state.standing, 0, held, held)]
    reviewers: tuple[str, ...] = (reviewer,)
    if state.standing is Standing.FRAUD:
        if state.proposed is None:
            return [LiftProposed(reason, reviewer)]
        if state.proposed.reviewer_id == reviewer:
            raise Refused("authenticity.needs_another_reviewer", do="let another reviewer rule the same")
        reviewers = (state.proposed.reviewer_id, reviewer)
    floor = max(0, state.assessed.score.score - FALL)
    return [AuthenticityRuled(command.verdict, reason, reviewers, Standing.CREDIBLE, floor, Holds.NOTHING, held)]


def _said(verdict: Verdict, reason: str, reviewer: str, state: State) -> bool:
    """Whether this reviewer said just this last."""
    if verdict is Verdict.LIFTED and state.proposed == LiftProposed(reason, reviewer):
        return True
    ruled = state.ruled
    last = ruled is not None and state.appeal is None and state.proposed is None
    return (
        last and ruled is not None and (ruled.verdict, ruled.reason, ruled.reviewers[-1]) == (verdict, reason, reviewer)
    )


def evolve(state: State, event: Event) -> State:
    match event:
        case AuthenticityAssessed():
            return replace(state, assessed=event, standing=event.standing, holds=event.holds)
        case AuthenticityAppealed():
            return replace(state, appeal=event)
        case LiftProposed():
            return replace(state, proposed=event)
        case AuthenticityRuled():
            return replace(state, ruled=event, appeal=None, proposed=None, standing=event.standing, holds=event.holds)
        case _:
            assert_never(event)


def owner(command: Command) -> str | None:
    """The tenant of a new stream: the creator, whoever assesses it."""
    return command.creator_id if isinstance(command, Assess) else None


AUTHENTICITY: Decider[Command, State, Event] = Decider(CATEGORY, State(), decide, evolve, owner=owner)
