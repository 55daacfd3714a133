"""Fate by seed: what befalls a reference is a function of the seed, the reference and the question, never of a clock."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chance:
    """Answers questions about references; the same in every run with the same seed."""

    seed: str

    def hits(self, reference: str, question: str, bps: int) -> bool:
        """True for `bps` of 10,000 references."""
        return self.draw(reference, question, 10_000) < bps

    def draw(self, reference: str, question: str, below: int) -> int:
        """0 to below - 1; `below` 0 gives 0."""
        text = "\x1f".join([self.seed, reference, question]).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % below if below else 0
