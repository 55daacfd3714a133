"""`token`: an access token of the platform's development issuer, to act as anybody: another brand, an imported creator, staff."""

import argparse
import re

from cli.layout import Layout
from kernel.core.faults import Invalid
from kernel.core.ids import is_id
from kernel.edge.tokens.claims import TenantRules
from kernel.edge.tokens.keys import LIFE_LIMIT_S

UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
RULES = TenantRules()
ROLES = (*sorted(RULES.tenant_roles), "auditor", "finance", "operator", "reviewer")


def token(given: argparse.Namespace) -> int:
    """Prints the token and nothing else, so that a shell can take it: `TOKEN=$(dandelion token ...)`."""
    roles, party = checked_roles(given.role), checked_party(given.party, given.role)
    issuer = Layout.load(given.data).issuer()
    print(issuer.issue(given.name or f"{roles[0]} of {party}", party, *roles, ttl_s=seconds(given.life)))
    return 0


def checked_roles(roles: list[str]) -> list[str]:
    """The roles as they are; raises Invalid for one that no token has."""
    for role in roles:
        if role not in ROLES:
            raise Invalid("role.unknown", role=role, known=", ".join(ROLES))
    return roles


def checked_party(party: str, roles: list[str]) -> str:
    """The organisation acted for; left out it is the platform's own, which is right for staff only. Raises Invalid."""
    if party in ("", RULES.staff_tenant) and not RULES.tenant_roles.isdisjoint(roles):
        raise Invalid(
            "party.missing", role=roles[0], do="say --party: a creator's id, or any new UUID for a brand or an agency"
        )
    party = party or RULES.staff_tenant
    if not RULES.allow(party, roles):
        raise Invalid("role.of_staff_only", role=roles[0], do=f"leave --party out, or say --party {RULES.staff_tenant}")
    if party != RULES.staff_tenant and not is_id(party):
        raise Invalid("party.malformed", party=party, do="use a UUID in small letters with hyphens")
    return party


def seconds(life: str) -> int:
    """Seconds of `90s`, `30m`, `8h` or `1d`; raises Invalid for other text, and for a life that services refuse."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", life)
    if found is None:
        raise Invalid("life.malformed", life=life, do="say it as 90s, 30m, 8h or 1d")
    told_s = int(found[1]) * UNITS_S[found[2]]
    if told_s > LIFE_LIMIT_S:
        raise Invalid("life.too_long", life=life, do="a token lives one day at most: 1d")
    return told_s
