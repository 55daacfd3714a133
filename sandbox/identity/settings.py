"""What the stand-in for an identity provider is told from outside: environment variables `IDENTITY_*`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

DAY_S = 86_400


class IdentitySettings(BaseSettings):
    """Lives are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="IDENTITY_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8111
    """Port to listen on."""
    url: str = "http://127.0.0.1:8111"
    """Its address as a browser has it, which is `iss` of every token: without a slash at the end."""
    key_file: Path = Path("issuer/key.pem")
    """The key that signs tokens, which the services know by its key set (`dandelion keys` makes both)."""
    audience: str = "dandelion"
    """`aud` of access tokens: what the services call themselves (DANDELION_TOKEN_AUDIENCE)."""
    store: Path | None = None
    """SQLite file in which sign-ins and people that were made up outlive the process; without one they do not."""
    console_url: str = "http://127.0.0.1:8100"
    """Address of the console, the one client: it is answered at `/signed-in` below it and nowhere else."""
    access_s: Annotated[int, Field(ge=1, le=DAY_S)] = 900
    """Life of an access token."""
    session_s: Annotated[int, Field(ge=1, le=30 * DAY_S)] = 12 * 3_600
    """How long one sign-in can be refreshed."""
