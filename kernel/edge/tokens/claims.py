"""Claims of a verified token as an Actor: who acts, for which tenant, in which roles; and which roles a tenant may have."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from kernel.core.decider import Actor
from kernel.core.faults import Unauthenticated
from kernel.core.ids import SYSTEM_ROLE, is_id, is_role

ROLES_LIMIT = 32
TEXT_LIMIT = 200
TIME_LIMIT_S = 253_402_300_799
"""Latest NumericDate: the end of the year 9999. `Infinity`, `NaN` and `1e400`, which Python's JSON reads, are no times."""


@dataclass(frozen=True, slots=True)
class TenantRules:
    """Who a tenant can be, and its roles: an organisation is a UUID and has `tenant_roles`; `staff_tenant` has all others."""

    staff_tenant: str = "platform"
    tenant_roles: frozenset[str] = frozenset({"agency", "brand", "creator"})

    def allow(self, tenant: str, roles: Collection[str]) -> bool:
        """True when a token of this tenant may have these roles."""
        if tenant == self.staff_tenant:
            return SYSTEM_ROLE not in roles and self.tenant_roles.isdisjoint(roles)
        return SYSTEM_ROLE not in roles and self.tenant_roles.issuperset(roles)

    def check(self, tenant: str) -> None:
        """Raises Unauthenticated `token.claim_malformed` unless it is the staff's tenant or the canonical text of a UUID."""
        if tenant != self.staff_tenant and not is_id(tenant):
            do = "have the identity provider send the organisation's id: a UUID in small letters, with hyphens"
            raise Unauthenticated("token.claim_malformed", claim="tenant", do=do)


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
    rules.check(tenant)
    if not isinstance(roles, list) or len(roles) > ROLES_LIMIT:
        raise Unauthenticated("token.claim_malformed", claim="roles")
    if not all(isinstance(role, str) and is_role(role) for role in roles):
        raise Unauthenticated("token.claim_malformed", claim="roles")
    if not rules.allow(tenant, roles):
        raise Unauthenticated("token.role_not_of_tenant")
    return Actor(subject, tenant, frozenset(roles), _text(claims, "jti") if claims.get("jti") else "")


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
