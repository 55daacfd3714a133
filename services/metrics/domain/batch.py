"""Who sent which batch: `batch-<uuid>` (private) remembers a batch's fingerprint, so a key never stands for two bodies.

The rows themselves go to the engagement topic, not to the log: this is one small event per batch, appended before the
envelopes are sent. A repeat with the same body is sent again and dropped by envelope id downstream.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.core.decider import Context, Decider
from kernel.core.faults import Forbidden, Refused
from kernel.core.ids import split_stream


@dataclass(frozen=True, slots=True)
class RegisterBatch:
    """`fingerprint` is the SHA-256 of the body in hex; `rows` kept, `rejected` left out."""

    fingerprint: str
    rows: int
    rejected: int


@dataclass(frozen=True, slots=True)
class BatchRegistered:
    batch_id: str
    fingerprint: str
    rows: int
    rejected: int


@dataclass(frozen=True, slots=True)
class BatchState:
    registered: BatchRegistered | None = None


def decide(command: RegisterBatch, state: BatchState, context: Context) -> Sequence[BatchRegistered]:
    """Raises Refused `batch.differs` when the id already stands for another body."""
    context.actor.require("brand", "agency", "creator", "operator", "system")
    if context.actor.tenant != context.tenant:
        raise Forbidden("batch.not_a_party")
    stands = state.registered
    if stands is None:
        batch_id = split_stream(context.stream)[1]
        return [BatchRegistered(batch_id, command.fingerprint, command.rows, command.rejected)]
    if stands.fingerprint != command.fingerprint:
        raise Refused("batch.differs", batch_id=stands.batch_id, rows=stands.rows)
    return []


def evolve(state: BatchState, event: BatchRegistered) -> BatchState:
    return BatchState(event)


BATCH: Decider[RegisterBatch, BatchState, BatchRegistered] = Decider(
    "batch", BatchState(), decide, evolve, published=False
)
