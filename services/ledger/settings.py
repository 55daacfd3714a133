"""What the ledger is told from outside, beside the common settings."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from kernel.core.money import LIMIT_MINOR
from kernel.runtime.settings import Port, Settings


class LedgerSettings(Settings):
    """`psp_*`: the payment provider. `anchor_*`: where seals of the journal are repeated outside the database."""

    http_port: Port = 8103
    rpc_port: Port = 9103
    psp_url: str = "http://127.0.0.1:8110"
    psp_key_file: Path
    """The provider's API key."""
    psp_webhook_secrets_file: Path
    """Standard Webhooks secrets (`whsec_<base64>`), one a line; the old one stays until the provider has rotated."""
    anchor_dir: Path | None = None
    """A directory of another trust domain; empty: seals stand in the journal only."""
    anchor_key_file: Path | None = None
    """Ed25519 private key (PEM) that signs anchors."""
    hand_limits_minor: dict[str, Annotated[int, Field(ge=0, le=LIMIT_MINOR)]] = Field(default_factory=dict)
    """What one person of finance may propose and approve in a day (UTC), minor units by currency, as JSON."""
    hand_limit_minor: Annotated[int, Field(ge=0, le=LIMIT_MINOR)] = 100_000_000
    """The same of any other currency."""
