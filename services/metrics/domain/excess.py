"""Excess that was set aside of a content's numbers and turned out to be people, stream `excess-<content id>`.

Staff say how much of a metric is payable after all, with the reason; said anew it is another number, and 0 takes it back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.decider import Context, Decider
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import stream_id
from services.metrics.domain.engagement import Metric

CATEGORY = "excess"
STAFF = ("operator",)
Reason = Annotated[str, Asked(Len(1, 60))]
"""A stable code, as `went_viral`: it is published, so it holds no words about a person."""


@dataclass(frozen=True, slots=True)
class ReleaseExcess:
    """Of the `set_aside` that the numbers of the moment show, `count` is payable in all."""

    content_id: str
    campaign_id: str
    brand_id: str
    creator_id: str
    metric: Metric
    count: int
    set_aside: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class ExcessReleased:
    """`count` of what the band sets aside of the metric is payable from now on; it replaces what was said before."""

    content_id: str
    campaign_id: str
    brand_id: str
    creator_id: str
    metric: Metric
    count: int
    reason: str
    released_by: str


@dataclass(frozen=True, slots=True)
class State:
    """What is payable after all, by metric."""

    counts: Mapping[Metric, int] = field(default_factory=dict)


def decide(command: ReleaseExcess, state: State, context: Context) -> Sequence[ExcessReleased]:
    """Raises Refused `excess.more_than_set_aside`, Invalid `excess.count_negative`; what stands already decides nothing."""
    context.actor.require(*STAFF)
    if command.count < 0:
        raise Invalid("excess.count_negative", count=command.count)
    if command.count > command.set_aside:
        raise Refused("excess.more_than_set_aside", set_aside=command.set_aside)
    if state.counts.get(command.metric, 0) == command.count:
        return []
    whose = (command.content_id, command.campaign_id, command.brand_id, command.creator_id)
    return [ExcessReleased(*whose, command.metric, command.count, command.reason, context.actor.id)]


def evolve(state: State, event: ExcessReleased) -> State:
    return State({**state.counts, event.metric: event.count})


def excess_stream(content_id: str) -> str:
    return stream_id(CATEGORY, content_id)


EXCESS: Decider[ReleaseExcess, State, ExcessReleased] = Decider(
    CATEGORY, State(), decide, evolve, owner=lambda _: "platform"
)
"""Streams belong to the platform: its staff decide, and both parties read."""
