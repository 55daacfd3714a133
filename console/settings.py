"""Settings of the console, from environment variables `DANDELION_CONSOLE_<NAME>`."""

import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

SERVICES = ("discovery", "campaigns", "ledger", "compliance", "metrics")


def _addresses(text: str) -> str:
    """Checks `service=address, ...` for all five services."""
    missing = set(SERVICES) - set(addresses(text))
    if missing:
        raise ValueError(
            f"give service=address for each service, comma-separated; missing: {', '.join(sorted(missing))}"
        )
    return text


def addresses(text: str) -> dict[str, str]:
    """Address by service of `discovery=http://127.0.0.1:8101,campaigns=...`."""
    pairs = (one.partition("=") for one in text.split(",") if one.strip())
    return {name.strip(): address.strip().rstrip("/") for name, _, address in pairs}


WIDEST_PREFIX = {4: 24, 6: 64}
"""A network of proxies has at least this prefix length, by IP version: whoever has an address in it can invent any other."""


def _proxies(text: str) -> str:
    """Checks addresses and networks, as the services do."""
    for network in map(ip_network, _parts(text)):
        if network.prefixlen < WIDEST_PREFIX[network.version]:
            raise ValueError(
                f"{network} is wider than /{WIDEST_PREFIX[network.version]}: name the proxies' own addresses only"
            )
    return text


def _parts(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _local(prefix: str, first: int) -> str:
    return ",".join(f"{name}={prefix}127.0.0.1:{first + number}" for number, name in enumerate(SERVICES))


class ConsoleSettings(BaseSettings):
    """The console has no rights and no data of its own: all it knows is where the services and the identity provider are."""

    model_config = SettingsConfigDict(env_prefix="DANDELION_CONSOLE_", extra="ignore")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8100
    ops_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Port of probes and metrics (`/healthz/live`, `/healthz/ready`, `/metrics`); 0 for none."""
    base_url: str = "http://127.0.0.1:8100"
    """The console's own address as browsers see it, without a slash at its end; the provider's way back starts with it."""
    http: Annotated[str, AfterValidator(_addresses)] = _local("http://", 8101)
    """Base URL of each service's commands: `discovery=http://...,campaigns=http://...`."""
    rpc: Annotated[str, AfterValidator(_addresses)] = _local("", 9101)
    """`host:port` of each service's queries."""
    ca_file: Path | None = None
    """Authorities of the services' certificates (PEM): with them queries go over TLS, and `https://` is checked by them."""
    certificate_file: Path | None = None
    key_file: Path | None = None
    """Certificate and key of the console, for services that ask their callers for one."""
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    """Certificate and key of the console's own port (PEM), read again when they change; None where a proxy ends TLS before it."""
    tls_client_ca_file: Path | None = None
    """Authority that whoever connects must have a certificate of, which is the gateway; None for no such question."""
    trusted_proxies: Annotated[str, AfterValidator(_proxies)] = ""
    """Addresses and networks (CIDR, comma-separated) of the proxies in front, whose `X-Forwarded-For` is believed.

    Empty: no proxy is believed, and all visitors behind one share the limits of its address."""
    plaintext: bool = False
    """Queries go unencrypted to another machine: where the network encrypts by itself, or nobody's data is at stake."""
    issuer: str = "http://127.0.0.1:8111"
    """Identity provider: OpenID Connect's issuer, whose discovery document stands below it."""
    issuer_inside: str = ""
    """Address at which the console itself reaches the provider, where that differs from the browser's; "" for the same."""
    client_id: str = "console"
    client_secret_file: Path | None = None
    """Secret of the console as the provider's client; None for a public client (PKCE is used either way)."""
    session_keys_file: Path | None = None
    """Keys that seal the sessions' cookies, one in a line, the newest first; None makes one that ends with the process."""
    log_level: str = "INFO"

    def proxies(self) -> list[str]:
        """Addresses and networks of `trusted_proxies`."""
        return _parts(self.trusted_proxies)

    @property
    def is_secure(self) -> bool:
        return self.base_url.startswith("https://")


def load() -> ConsoleSettings:
    """Reads settings from the environment; a wrong one ends the process with a sentence that names it."""
    try:
        return ConsoleSettings()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"] or ("*",)).upper()
            sys.stderr.write(f"setting DANDELION_CONSOLE_{name}: {problem['msg']}\n")
        raise SystemExit(78) from None
