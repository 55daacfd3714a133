"""Claims of a verified token as an Actor: who acts, for which tenant, in which roles; and which roles a tenant may have."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from kernel.core.decider import Actor
from kernel.core.faults import Unauthenticated
from kernel.core.ids import SYSTEM_ROLE, is_role, is_tenant

ROLES_LIMIT = 32
TEXT_LIMIT = 200
TIME_LIMIT_S = 253_402_300_799
"""Latest NumericDate: the end of the year 9999. `Infinity`, `NaN` and `1e400`, which Python's JSON reads, are no times."""


@dataclass(frozen=True, slots=True)
class TenantRules:
    """Roles that the token of any organisation may have; every other role is the staff's, in tokens of `staff_tenant` only."""

    staff_tenant: str = "platform"
    tenant_roles: frozenset[str] = frozenset({"agency", "brand", "creator"})

    def allow(self, tenant: str, roles: Collection[str]) -> bool:
        """True when a token of this tenant may have these roles."""
        return SYSTEM_ROLE not in roles and (tenant == self.staff_tenant or self.tenant_roles.issuperset(roles))


def seconds_of(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= TIME_LIMIT_S:
        raise Unauthenticated("token.claim_malformed", claim=name)
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= TEXT_LIMIT:
        raise Unauthenticated("token.claim_malformed", claim=name)
    return value


def actor_of(claims: Mapping[str, Any], rules: TenantRules) -> Actor:
    """Actor of verified claims: a genuine identity provider may still be wrong or hostile about whom its users act for.

    Raises Unauthenticated `token.claim_malformed` with the claim's name, or `token.role_not_of_tenant`.
    """
    subject, tenant, roles = _text(claims, "sub"), _text(claims, "tenant"), claims.get("roles")
    if not is_tenant(tenant):
        raise Unauthenticated("token.claim_malformed", claim="tenant")
    if not isinstance(roles, list) or len(roles) > ROLES_LIMIT:
        raise Unauthenticated("token.claim_malformed", claim="roles")
    if not all(isinstance(role, str) and is_role(role) for role in roles):
        raise Unauthenticated("token.claim_malformed", claim="roles")
    if not rules.allow(tenant, roles):
        raise Unauthenticated("token.role_not_of_tenant")
    return Actor(subject, tenant, frozenset(roles))


@dataclass(frozen=True, slots=True)
class Revoked:
    """Tokens that are refused before their end: by `jti`, and those of a subject or tenant issued before a time (Unix, s)."""

    tokens: frozenset[str] = frozenset()
    subjects: Mapping[str, float] = field(default_factory=dict)
    tenants: Mapping[str, float] = field(default_factory=dict)

    def check(self, claims: Mapping[str, Any]) -> None:
        """Raises Unauthenticated `token.revoked`. Times of `claims` were checked; without `iat` a token began at `nbf`."""
        issued = claims.get("iat", claims.get("nbf", 0))
        by_name = ((self.subjects, claims.get("sub")), (self.tenants, claims.get("tenant")))
        if claims.get("jti") in self.tokens or any(issued < known.get(str(name), 0) for known, name in by_name):
            raise Unauthenticated("token.revoked", do="sign in again")
