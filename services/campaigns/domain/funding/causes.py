"""Causes of funding from other services; subscribe.py makes each of a public message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EscrowHeld:
    """ledger: the money of a deliverable is held."""

    collaboration_id: str
    deliverable_id: str


@dataclass(frozen=True, slots=True)
class RefundIssued:
    """ledger: an escrow has ended, and `returned_minor` of it went back to the brand. Whoever asked for it: campaigns,
    finance, or the ledger's own clock."""

    collaboration_id: str
    deliverable_id: str
    reason: str
    returned_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class EscrowRefused:
    """ledger: the brand's deposit does not cover it."""

    collaboration_id: str
    deliverable_id: str
    code: str
