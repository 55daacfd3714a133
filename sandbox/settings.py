"""What the stand-ins are told from outside: environment variables `SANDBOX_*`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Share = Annotated[int, Field(ge=0, le=10_000)]


class SandboxSettings(BaseSettings):
    """Shares are in basis points; what befalls one reference follows from `seed` and that reference alone, so two runs
    agree. All shares 0 make a world that never fails."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", frozen=True, extra="ignore", use_attribute_docstrings=True)

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8110
    """Port to listen on."""
    store: Path | None = None
    """SQLite file in which transfers, settlement files and posts outlive the process; without one they do not."""
    seed: str = "dandelion"
    """What befalls a reference follows from this word and the reference."""
    api_key: str = "sandbox"
    """The provider's API key, which callers send as `Authorization: Bearer`."""
    webhook_url: str = "http://127.0.0.1:8103/webhooks/psp"
    """Where webhooks go."""
    webhook_secret: str = "whsec_c2FuZGJveC1zZWNyZXQtdGhhdC1ub2JvZHktbXVzdC11c2U="
    """Signs webhooks (Standard Webhooks). Of the stand-in only; a real provider gives its own."""
    delay_ms: Annotated[int, Field(ge=0, le=60_000)] = 200
    """A transfer is decided within this time, a webhook leaves within this time after."""
    fee_bps: Share = 60
    """The provider's fee of a charge."""
    payout_fee_minor: Annotated[int, Field(ge=0, le=10_000)] = 100
    """The provider's fee of a payout or refund, in minor units."""
    declined_bps: Share = 0
    """Transfers that fail, besides those whose instrument says so."""
    busy_bps: Share = 500
    """First calls answered 503 before anything was done."""
    lost_answer_bps: Share = 500
    """First calls that were done and answered 504: the outcome is unknown to the caller."""
    lost_webhook_bps: Share = 0
    """Transfers whose webhooks are never sent: the ledger asks after them."""
    duplicated_bps: Share = 2_000
    """Webhooks of the final state that are sent twice."""
    early_bps: Share = 2_000
    """Webhooks of the final state that arrive before that of the pending one."""
    platform_busy_bps: Share = 500
    """First looks at a post answered 503."""
    profile_looks_a_second: Annotated[int, Field(ge=1, le=100_000)] = 50
    """Looks at profiles beyond so many in a second are answered 429."""
    stripped_bps: Share = 0
    """Posts whose paid-partnership label the platform loses on publishing."""
