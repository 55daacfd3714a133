"""The aggregate of the weights of a match, one stream for the platform: operators adopt weights, and put earlier ones back."""

from collections.abc import Sequence
from typing import assert_never

from kernel.core.decider import Context, Decider
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import derived_id, stream_id
from services.discovery.domain.checks import checked_line
from services.discovery.domain.match_weights.commands import AdoptWeights, Command, PartWeight, RestoreWeights
from services.discovery.domain.match_weights.events import Event, WeightsAdopted
from services.discovery.domain.matching import PARTS

CATEGORY = "weights"
STREAM = stream_id(CATEGORY, derived_id("match weights of the platform"))
WHOLE_MICROS = 1_000_000
VERSIONS_LIMIT = 1_000
OWN = (
    PartWeight("style", 200_000),
    PartWeight("category", 150_000),
    PartWeight("audience", 150_000),
    PartWeight("forecast", 150_000),
    PartWeight("price", 150_000),
    PartWeight("safety", 80_000),
    PartWeight("reliability", 70_000),
    PartWeight("availability", 50_000),
)
"""Version 0: chosen, before anything was learned."""

State = tuple[tuple[PartWeight, ...], ...]
"""The weights by version, the newest last."""


def decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    """Raises Forbidden for anybody but operators, Invalid for weights that are none, Refused for a version that never was."""
    context.actor.require("operator")
    reason = checked_line(command, "reason")
    if not reason:
        raise Invalid("text.empty", field="reason")
    match command:
        case AdoptWeights():
            weights = checked_weights(command.weights)
            made = WeightsAdopted(len(state), weights, reason, context.actor.id, command.learning)
        case RestoreWeights():
            weights = _version(state, command.version)
            made = WeightsAdopted(len(state), weights, reason, context.actor.id, restored=command.version)
        case _:
            assert_never(command)
    if made.weights == state[-1]:
        return []
    if len(state) > VERSIONS_LIMIT:
        raise Refused("weights.too_many_versions", limit=VERSIONS_LIMIT)
    return [made]


def checked_weights(weights: Sequence[PartWeight]) -> tuple[PartWeight, ...]:
    """Every part once, in the order of PARTS; raises Invalid unless none is below 0 and all together are the whole."""
    by_part = {one.part: one for one in weights}
    if len(weights) != len(PARTS) or set(by_part) != set(PARTS):
        raise Invalid("weights.parts_differ", field="weights", expected=" ".join(PARTS))
    if any(one.micros < 0 for one in weights) or sum(one.micros for one in weights) != WHOLE_MICROS:
        raise Invalid("weights.do_not_sum", field="weights", expected="none below 0, together 1")
    return tuple(by_part[part] for part in PARTS)


def _version(state: State, version: int) -> tuple[PartWeight, ...]:
    if not 0 <= version < len(state):
        raise Refused("weights.version_unknown", version=version, newest=len(state) - 1)
    return state[version]


def evolve(state: State, event: Event) -> State:
    return (*state, event.weights)


MATCH_WEIGHTS: Decider[Command, State, Event] = Decider(CATEGORY, (OWN,), decide, evolve, published=False)
