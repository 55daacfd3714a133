"""Proposed weights as a text that an operator hands back to adopt them: sealed, so that weights and figures stay together."""

import base64
import binascii
import hmac
from dataclasses import dataclass

from kernel.core.canonical import canonical
from kernel.core.codec import adapter
from kernel.core.faults import Invalid
from services.discovery.domain.match_weights.commands import Learning, PartWeight

MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Proposal:
    weights: tuple[PartWeight, ...]
    learning: Learning


def sealed(key: bytes, proposal: Proposal) -> str:
    told = canonical(proposal)
    return base64.urlsafe_b64encode(_mac(key, told) + told).decode()


def opened(key: bytes, text: str) -> Proposal:
    """Raises Invalid `weights.proposal_malformed` for what this platform did not propose."""
    try:
        raw = base64.urlsafe_b64decode(text.encode())
    except (ValueError, binascii.Error):
        raw = b""
    told = raw[MAC_BYTES:]
    if not told or not hmac.compare_digest(raw[:MAC_BYTES], _mac(key, told)):
        raise Invalid("weights.proposal_malformed", field="proposal", do="ask for what is learned again")
    return adapter(Proposal).validate_json(told)


def _mac(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, b"match weights" + told, "sha256")
