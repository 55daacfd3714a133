"""Which secret files there are, and which service reads each in which roles: one table for local platforms, docker compose and
the tests of the manifests of Kubernetes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

EDGES = frozenset({"rest", "rpc"})
SERVING = EDGES | {"relay", "project", "process", "stream", "rebuild"}
MIGRATION = frozenset({"migrate"})


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file that services read: its name, the setting that names it, the roles that read it."""

    name: str
    setting: str
    roles: frozenset[str]
    services: tuple[str, ...] = ()
    """Services that read it; empty: every one."""
    source: str = ""
    """The file in a folder of `sandbox.keys`, with `{service}` for the service; the same name where it is empty."""
    is_optional: bool = False
    """Whether its setting is left out by default."""
    is_dealt: bool = True
    """Whether docker compose's containers are dealt it."""

    def concerns(self, service: str, roles: Iterable[str]) -> bool:
        return (not self.services or service in self.services) and not self.roles.isdisjoint(roles)

    def made_as(self, service: str) -> str:
        return (self.source or self.name).format(service=service)


TABLE = (
    SecretFile("app.password", "database_password_file", SERVING, source="{service}.app.password"),
    SecretFile("owner.password", "database_password_file", MIGRATION, source="{service}.owner.password"),
    SecretFile("fingerprint.key", "fingerprint_key_file", SERVING),
    SecretFile("jwks.json", "jwks", EDGES, source="issuer/jwks.json"),
    SecretFile("master.keys", "master_keys_file", SERVING, ("discovery", "campaigns", "compliance")),
    SecretFile("psp.key", "psp_key_file", frozenset({"process"}), ("ledger",)),
    SecretFile("webhook.secrets", "psp_webhook_secrets_file", frozenset({"rest"}), ("ledger",)),
    SecretFile("tls.crt", "tls_certificate_file", EDGES, source="tls/{service}.crt", is_optional=True),
    SecretFile("tls.key", "tls_key_file", EDGES, source="tls/{service}.key", is_optional=True),
    SecretFile("callers.crt", "tls_client_ca_file", EDGES, is_optional=True, is_dealt=False),
)
SERVICES = ("discovery", "campaigns", "ledger", "compliance", "metrics")
CONTAINERS = {
    "": EDGES,
    "-work": frozenset({"relay", "process", "project", "stream"}),
    "-migrate": MIGRATION,
}
"""Roles of docker compose's containers, by what follows the service in the container's name."""
OTHERS: Mapping[str, Mapping[str, str]] = {
    "postgres": {"postgres.password": "postgres.password"}
    | {f"{service}.{who}.password": f"{service}.{who}.password" for service in SERVICES for who in ("owner", "app")},
    "sandbox": {
        "sandbox_api_key": "psp.key", "sandbox_webhook_secret": "webhook.secrets", "authority.crt": "tls/authority.crt",
    },
    "grafana": {"grafana.password": "grafana.password"},
    "identity": {"key.pem": "issuer/key.pem"},
    "console": {"session.keys": "session.keys", "authority.crt": "tls/authority.crt"},
}  # fmt: skip
"""What docker compose's other containers are given: the file's name there, and the file that `sandbox.keys` made."""


def files_of(service: str, roles: Iterable[str]) -> dict[str, str]:
    """Files that a container of docker compose with these roles is dealt: the name there, and the file of `sandbox.keys`."""
    wanted = frozenset(roles)
    return {one.name: one.made_as(service) for one in TABLE if one.is_dealt and one.concerns(service, wanted)}


def containers() -> dict[str, dict[str, str]]:
    """The files of every container of docker compose that is given any."""
    ours = {f"{service}{kind}": files_of(service, roles) for service in SERVICES for kind, roles in CONTAINERS.items()}
    return ours | {name: dict(files) for name, files in OTHERS.items()}
