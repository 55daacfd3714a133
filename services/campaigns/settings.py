"""What campaigns is told from outside."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from kernel.runtime.settings import Port, Settings
from services.campaigns.domain.shared.drafts import DRAFTS_PER_BRAND

DEVELOPMENT = (".local", ".test", ".localhost")
"""Names that no public name server answers (RFC 6761, RFC 6762): an issuer of such a name is nobody's in production."""


def _of_development(issuer: str) -> bool:
    """Whether an issuer's address is one that only this machine, or only a private network's names, can lead to."""
    host = urlsplit(issuer).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return f".{host}".endswith(DEVELOPMENT)


class CampaignsSettings(Settings):
    """The common settings with the ports of campaigns. Personal data is kept here, so master keys are needed."""

    master_keys_file: Path
    http_port: Port = 8102
    rpc_port: Port = 9102
    drafts_per_tenant: Annotated[int, Field(gt=0)] = DRAFTS_PER_BRAND
    """Campaigns that one brand may have drafted and neither published nor cancelled."""
    short_clocks: bool = False
    """Development only: clocks of terms may be below their floors, so that a story of days is told in seconds.

    A platform whose tokens come from anywhere but a development issuer does not start with it."""

    @field_validator("short_clocks")
    @classmethod
    def _only_in_development(cls, value: bool, told: ValidationInfo) -> bool:
        if value and not _of_development(told.data.get("token_issuer", "")):
            raise ValueError(
                "short clocks are for development: they need a token issuer on this machine, or under .local, .test or .localhost"
            )
        return value
