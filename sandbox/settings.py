"""What the stand-ins are told from outside: environment variables `SANDBOX_*`."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Share = Annotated[int, Field(ge=0, le=10_000)]


class SandboxSettings(BaseSettings):
    """Shares are in basis points; what befalls one reference follows from `seed` and that reference alone, so two runs
    agree. All shares 0 make a world that never fails."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8110
    seed: str = "dandelion"
    api_key: str = "sandbox"
    webhook_url: str = "http://127.0.0.1:8103/webhooks/psp"
    webhook_secret: str = "whsec_c2FuZGJveC1zZWNyZXQtdGhhdC1ub2JvZHktbXVzdC11c2U="
    """Of the stand-in only; a real provider gives its own."""
    delay_ms: Annotated[int, Field(ge=0, le=60_000)] = 200
    """A transfer is decided within this time, a webhook leaves within this time after."""
    fee_bps: Share = 60
    payout_fee_minor: Annotated[int, Field(ge=0, le=10_000)] = 100
    declined_bps: Share = 0
    """Transfers that fail. Besides, instruments beginning with `tok_declined` always do; those beginning with `tok_returned`
    come back after they had arrived, and charges of `tok_disputed` are disputed."""
    busy_bps: Share = 500
    """First calls answered 503 before anything was done."""
    lost_answer_bps: Share = 500
    """First calls that were done and answered 504: the outcome is unknown to the caller."""
    lost_webhook_bps: Share = 0
    duplicated_bps: Share = 2_000
    early_bps: Share = 2_000
    """Webhooks of the final state that arrive before that of the pending one."""
    platform_busy_bps: Share = 500
    stripped_bps: Share = 0
    """Posts whose paid-partnership label the platform loses on publishing."""
