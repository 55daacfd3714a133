"""What happened to the weights of a match. Stored for ever; changed only by a new version with an upcast in codec.py."""

from dataclasses import dataclass

from services.discovery.domain.match_weights.commands import Learning, PartWeight


@dataclass(frozen=True, slots=True)
class WeightsAdopted:
    """Version `version` (from 1) counts from now on, adopted by the operator `by`. `restored` is the version that it puts back,
    None for new weights."""

    version: int
    weights: tuple[PartWeight, ...]
    reason: str
    by: str
    learning: Learning | None = None
    restored: int | None = None


Event = WeightsAdopted
