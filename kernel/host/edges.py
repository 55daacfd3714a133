"""The two edges of a process made of its settings. Imported when an edge is needed: their libraries are slow to import."""

from collections.abc import Sequence

from fastapi import FastAPI

from kernel.adapters.database import Database
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.grpc import Rpc, RpcService
from kernel.edge.incoming import TrustedProxies, is_trusted, principal_of
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.claims import TenantRules
from kernel.edge.transcoding.routes import add_queries
from kernel.host.revocations import Revocations
from kernel.runtime import http_server
from kernel.runtime.health import Health
from kernel.runtime.roles import EDGE, RELAY, Role
from kernel.runtime.settings import Settings
from kernel.runtime.tls.material import EdgeTls


def admission_of(settings: Settings) -> Admission:
    """Admission of both edges."""
    rules = TenantRules(settings.staff_tenant, settings.roles_of_tenants())
    verifier = Verifier(
        settings.jwks, settings.token_issuer, settings.token_audience, life_limit_s=settings.token_life_limit_s,
        rules=rules, algorithms=settings.signatures_of_tokens(),
    )  # fmt: skip
    return Admission(verifier, AdmissionLimits.of(settings), settings.trusted_networks())


def whole_api(commands: FastAPI, queries: Sequence[RpcService]) -> FastAPI:
    """The HTTP API: the commands, and the queries as JSON."""
    for one in queries:
        if one.commands is not None:
            commands.include_router(one.commands)
    add_queries(commands, queries)
    return commands


def http_role(api: FastAPI, settings: Settings, tls: EdgeTls | None) -> Role:
    """The role that serves the HTTP API; raises OSError when its port is taken."""
    trusted = settings.trusted_networks()
    limits = http_server.HttpLimits.of(settings, lambda address: is_trusted(address, trusted), principal_of)
    bound = http_server.listen(settings.host, settings.http_port)
    return http_server.http(TrustedProxies(api, trusted), bound, limits=limits, tls=tls)


def rpc_role(
    queries: Sequence[RpcService], admission: Admission, settings: Settings, health: Health, tls: EdgeTls | None
) -> Role:
    """The role that serves the queries over gRPC."""
    made = Rpc(queries, admission, health=health, reflection=settings.reflection, tls=tls)
    return made.role(f"{settings.host}:{settings.rpc_port}")


async def beside(
    database: Database, settings: Settings, admission: Admission, queries: Sequence[RpcService]
) -> list[Role]:
    """What either edge needs beside it: revoked tokens, streams that end with theirs, what the queries keep in memory."""
    revocations = Revocations(database, settings.token_life_limit_s, admission.verifier.revoke)
    await revocations.look()
    kept = [Role(f"beside {one.name}", one.beside, RELAY) for one in queries if one.beside is not None]
    return [Role("revocations", revocations.run, RELAY), Role("streams", admission.open.run, EDGE), *kept]
