"""What may be asked of the weights of a match; match_weights.py decides."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked

Reason = Annotated[str, Asked(Len(1, 300))]


@dataclass(frozen=True, slots=True)
class PartWeight:
    """How much one part of a match counts, in millionths of the whole."""

    part: str
    micros: int


@dataclass(frozen=True, slots=True)
class Learning:
    """Past work that weights were learned from. The NDCG@10, in millionths, is that of `briefs_ranked` newer briefs, ranked by
    weights that only older briefs taught, beside the weights in force and the number of followers."""

    briefs: int
    pairs: int
    briefs_ranked: int
    ndcg_micros: int
    ndcg_before_micros: int
    ndcg_followers_micros: int


@dataclass(frozen=True, slots=True)
class AdoptWeights:
    """Matches count by these weights from now on. `learning` is None for weights that a person chose."""

    weights: tuple[PartWeight, ...]
    reason: Reason
    learning: Learning | None = None


@dataclass(frozen=True, slots=True)
class RestoreWeights:
    """Puts an earlier version's weights back; version 0 is what the platform came with."""

    version: int
    reason: Reason


Command = AdoptWeights | RestoreWeights
