"""Settings that all services share: typed and frozen, from environment variables `DANDELION_*`; secrets from mounted files.

A wrong or missing setting ends the process at start, with a sentence that names the setting.
"""

import sys
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, NoReturn, Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kernel.core.faults import Invalid
from kernel.runtime.tls.material import TlsFiles

Port = Annotated[int, Field(ge=0, le=65_535)]


def networks_of(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The addresses and networks of a comma-separated text; raises ValueError for any other text."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


WIDEST_PREFIX = {4: 24, 6: 64}
"""A trusted network has at least this prefix length, by IP version: a wider one holds more than a proxy's own addresses."""


def _checked_networks(text: str) -> str:
    for network in networks_of(text):
        if network.prefixlen < WIDEST_PREFIX[network.version]:
            raise ValueError(
                f"{network} is wider than /{WIDEST_PREFIX[network.version]}: name the proxies' own addresses only, "
                "as whoever has an address in a trusted network can invent any other"
            )
    return text


SIGNATURES = frozenset({"EdDSA", "ES256", "PS256", "RS256"})
"""Signature algorithms that access tokens may have: none with a shared secret."""


def _checked_algorithms(text: str) -> str:
    wrong = sorted(set(names_of(text)) - SIGNATURES)
    if wrong or not names_of(text):
        raise ValueError(f"{', '.join(wrong) or 'nothing'} is not of {', '.join(sorted(SIGNATURES))}")
    return text


def names_of(text: str) -> frozenset[str]:
    """The names of a comma-separated text."""
    return frozenset(part.strip() for part in text.split(",") if part.strip())


LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Hosts that no network carries bytes to."""


def in_plaintext(bus_url: str) -> tuple[str, ...]:
    """Kafka brokers (`host:port`) of other machines that a bus URL reaches without TLS, readable to whoever is between."""
    parts = urlsplit(bus_url)
    if parts.scheme != "kafka" or "ca_file" in dict(parse_qsl(parts.query)):
        return ()
    return tuple(one for one in parts.netloc.split(",") if one.rpartition(":")[0] not in LOOPBACK)


EDGE_DO = (
    "set DANDELION_TLS_CERTIFICATE_FILE and DANDELION_TLS_KEY_FILE, or DANDELION_PLAINTEXT_EDGES=true where a mesh or a proxy "
    "beside the process encrypts"
)


class Settings(BaseSettings):
    """Settings of every service; a service's settings.py adds its own. Secrets come from files, never from variables."""

    model_config = SettingsConfigDict(env_prefix="DANDELION_", frozen=True, extra="ignore")

    database_url: str
    """`sqlite+aiosqlite:///path` or `postgresql+asyncpg://user@host/database`."""
    database_password_file: Path | None = None
    development: bool = False
    """For trying out, where nobody's data is at stake: allows Kafka in plaintext to another machine, and edges in plaintext."""
    bus_url: str
    """`local:///path/bus.db` (one process) or `kafka://host:port[,host:port]`."""
    jwks: str
    """File or address of the JWKS that access tokens are verified with."""
    token_issuer: str
    token_audience: str = "dandelion"
    token_algorithms: Annotated[str, AfterValidator(_checked_algorithms)] = "EdDSA"
    """Algorithms that the identity provider signs access tokens with, comma-separated: of EdDSA, ES256, PS256 and RS256."""
    token_life_limit_s: Annotated[int, Field(ge=60, le=7 * 86_400)] = 86_400
    """Longest life of an access token, from `nbf` to `exp`; a token that lives longer is refused."""
    staff_tenant: str = "platform"
    """Tenant of the platform's own people: staff roles count in its tokens only."""
    tenant_roles: str = "agency,brand,creator"
    """Roles that the token of any tenant may have, comma-separated."""
    fingerprint_key_file: Path
    """16 to 64 secret bytes, the same in every replica and for ever."""
    page_keys_file: Path | None = None
    """Keys that encrypt page tokens: lines of `<id> <base64 of 32 bytes>`, the first seals, each opens.

    Without the file one key is derived from the fingerprint key."""
    master_keys_file: Path | None = None
    """Master keys, which encrypt the data keys of personal data: lines of `<id> <base64 of 32 bytes>`, the first is current.

    A service that keeps personal data requires them; no other service is given them."""
    host: str = "127.0.0.1"
    http_port: Port
    rpc_port: Port
    ops_port: Port | None = None
    """Port of probes and metrics, apart from the ports that callers reach. Without it only the role `rest` serves them."""
    tls_certificate_file: Path | None = None
    """Certificate of both edges with its chain, PEM. Without it the edges are in plaintext, which development, a `host` of this
    machine alone, or `plaintext_edges` allows."""
    tls_key_file: Path | None = None
    """Key of the certificate, PEM."""
    tls_client_ca_file: Path | None = None
    """Authority (PEM) whose certificates callers must have: an authority for the gateway alone. Without it callers need none."""
    plaintext_edges: bool = False
    """Edges in plaintext outside development: for a mesh or a proxy beside the process that encrypts in its place."""
    trusted_proxies: Annotated[str, AfterValidator(_checked_networks)] = ""
    """Addresses and networks (CIDR, comma-separated) of the proxies in front, whose `X-Forwarded-For` is believed.

    Empty: no proxy is believed. A proxy that is left out makes all of its visitors one. A network wider than a /24 (IPv6: /64)
    is refused, because whoever has an address in it can invent any other."""
    rate_per_s: Annotated[float, Field(gt=0, le=100_000)] = 50
    """HTTP requests or gRPC calls a second that one principal may send to one process in the long run."""
    rate_burst: Annotated[int, Field(gt=0, le=1_000_000)] = 200
    """HTTP requests or gRPC calls that one principal may send to one process at once."""
    tenant_rate_per_s: Annotated[float, Field(gt=0, le=100_000)] = 100
    """The same for all principals of one tenant together: about a tenth of what a process serves (docs/performance.md)."""
    tenant_rate_burst: Annotated[int, Field(gt=0, le=1_000_000)] = 400
    streams_per_principal: Annotated[int, Field(gt=0, le=100_000)] = 10
    """Streams (watches), over gRPC and HTTP together, that one principal may have open at one process."""
    streams_per_tenant: Annotated[int, Field(gt=0, le=100_000)] = 40
    streams: Annotated[int, Field(gt=0, le=100_000)] = 400
    """Streams that may be open at one process; unary calls have places of their own."""
    live_requests: Annotated[int, Field(gt=0, le=100_000)] = 1_000
    """HTTP requests under way in one process, counted from the last byte of their bodies."""
    head_limit_s: Annotated[float, Field(gt=0, le=600)] = 10
    """Time for the head of an HTTP request, and for the message of a gRPC call, to arrive whole."""
    body_limit_s: Annotated[float, Field(gt=0, le=600)] = 20
    """Time for the body of an HTTP request to arrive whole."""
    connections: Annotated[int, Field(gt=0, le=100_000)] = 2_000
    """HTTP connections of one process. Past it the oldest one that waits for a request is closed."""
    connections_per_address: Annotated[int, Field(gt=0, le=100_000)] = 200
    """The same for one address; trusted proxies, which bring many visitors, are exempt."""
    reflection: bool = False
    """gRPC server reflection, which shows every method to anybody without a token: for development only."""
    relay_lag_limit_events: Annotated[int, Field(gt=0)] = 500_000
    """Backpressure: with more events than this waiting for the relay, commands are answered 503 until it has caught up."""
    relay_lag_limit_s: Annotated[float, Field(gt=0)] = 300
    """Backpressure by age: the same limit for the oldest waiting event, in seconds."""
    otlp_endpoint: str = ""
    log_level: str = "INFO"

    @field_validator("bus_url")
    @classmethod
    def _encrypted(cls, url: str, told: ValidationInfo) -> str:
        """Refuses a Kafka of another machine that is reached without TLS, outside development."""
        brokers = () if told.data.get("development") else in_plaintext(url)
        if brokers:
            raise ValueError(
                f"{brokers[0]} would be reached in plaintext: add ca_file=<file of its authority> to the URL, or set "
                "DANDELION_DEVELOPMENT=true where nobody's data is at stake"
            )
        return url

    @model_validator(mode="after")
    def _whole_tls(self) -> Self:
        """Refuses a certificate without its key, and a clients' authority without a certificate."""
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("DANDELION_TLS_CERTIFICATE_FILE and DANDELION_TLS_KEY_FILE are set both or not at all")
        if self.tls_client_ca_file is not None and self.tls_certificate_file is None:
            raise ValueError(
                "DANDELION_TLS_CLIENT_CA_FILE needs DANDELION_TLS_CERTIFICATE_FILE and DANDELION_TLS_KEY_FILE"
            )
        return self

    def edge_files(self) -> TlsFiles | None:
        """Files of the edges' TLS; None for plaintext. Raises Invalid `edge.in_plaintext` where nothing allows plaintext."""
        if self.tls_certificate_file is not None and self.tls_key_file is not None:
            return TlsFiles(self.tls_certificate_file, self.tls_key_file, self.tls_client_ca_file)
        if not (self.development or self.plaintext_edges or self.host in LOOPBACK or self.host == "::1"):
            raise Invalid("edge.in_plaintext", host=self.host, do=EDGE_DO)
        return None

    def roles_of_tenants(self) -> frozenset[str]:
        return names_of(self.tenant_roles)

    def signatures_of_tokens(self) -> frozenset[str]:
        return names_of(self.token_algorithms)

    def trusted_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return networks_of(self.trusted_proxies)

    def database_password(self) -> Callable[[], str] | None:
        """Callable that reads the mounted password file; None without such a file. Raises OSError for a missing file."""
        file = self.database_password_file
        if file is None:
            return None
        file.read_text()
        return lambda: file.read_text().strip()


S = TypeVar("S", bound=Settings)


def load(kind: type[S]) -> S:
    """Reads settings from the environment; a wrong or missing one ends the process with a sentence that names it."""
    try:
        return kind()
    except ValidationError as error:
        _stop(error)


def _stop(error: ValidationError) -> NoReturn:
    for problem in error.errors():
        name = "DANDELION_" + "_".join(str(part) for part in problem["loc"] or ("*",)).upper()
        sys.stderr.write(f"setting {name}: {problem['msg']}\n")
    raise SystemExit(78)
