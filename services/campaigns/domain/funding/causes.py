"""Causes of funding from other services; subscribe.py makes each of a public message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EscrowHeld:
    """ledger: the money of a deliverable is held."""

    collaboration_id: str
    deliverable_id: str


@dataclass(frozen=True, slots=True)
class EscrowRefused:
    """ledger: the brand's deposit does not cover it."""

    collaboration_id: str
    deliverable_id: str
    code: str
