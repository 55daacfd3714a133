"""Claims of a genuine identity provider that is wrong or hostile: a token says no more than who acts for which tenant."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from kernel.core.decider import Actor
from kernel.core.faults import Forbidden, Unauthenticated
from kernel.core.ids import PUBLIC, is_tenant, new_id, role_reader
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.claims import TenantRules
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.processors.access import readers_of
from tests.arch.tree import python
from tests.kit.issuing import ACME, AUDIENCE, ISSUER, issuer_at, verifier_at

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HUGE = "x" * 7_000
TENANTS: list[Any] = [
    "role:operator", "role:auditor", "ROLE:operator", "role：operator", "public", "PUBLIC", "", " ", " platform",
    "platform ", "platform\n", "plat\x00form", "plat\u200bform", "рlatform", "acme/../platform", "acme:operator", "a,b",
    '["platform"]', "*", "%", "-acme", ".", "x" * 65, HUGE, None, True, 0, 1.5, ["platform"], {"id": "platform"},
    [["role:operator"]], "\u202emroftalp", "e\u0301cole",
]  # fmt: skip
NAMES = [
    "acme", "store-7", "a.b_c", "Platform", "platform2", "system", "t", ACME.upper(), ACME.replace("-", ""), f"{{{ACME}}}",
    f"urn:uuid:{ACME}", f"{ACME}\n", f" {ACME}", ACME[:-1], f"{ACME}0", ACME.replace("-", "\u2010"),
]  # fmt: skip
"""What organisations are called, and ids that are written otherwise."""
ROLES: list[Any] = [
    "operator", None, {"operator": True}, [["operator"]], ["brand", {"x": 1}], ["brand", None], ["brand", 1], [""],
    ["brand\n"], ["role:operator"], ["Operator"], ["оperator"], ["brand", "x" * 33], ["brand"] * 33, [HUGE], True, 0,
]  # fmt: skip
TEXTS = [one for one in TENANTS if isinstance(one, str)]
SUBJECTS: list[Any] = ["", None, 0, ["ann"], {"sub": "ann"}, "ann\n", "ann\x00", "a\u200bnn", "x" * 201, "\ud800", HUGE]
STAFF = ["operator", "auditor", "finance", "reviewer", "system", "root", "rolesystem"]


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return issuer_at(tmp_path, lambda: NOW)


@pytest.fixture
def verifier(tmp_path: Path, issuer: Issuer) -> Verifier:
    return verifier_at(tmp_path, lambda: NOW)


def token(issuer: Issuer, **claims: Any) -> str:
    body = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "tenant": ACME, "roles": ["brand"], "iat": NOW, "nbf": NOW,
        "exp": NOW + timedelta(seconds=60), "jti": new_id(), **claims,
    }  # fmt: skip
    headers = {"kid": issuer.kid, "typ": "at+jwt"}
    return jwt.encode(body, issuer.key, algorithm="EdDSA", headers=headers)


async def refusal(verifier: Verifier, issuer: Issuer, **claims: Any) -> str:
    with pytest.raises(Unauthenticated) as refused:
        await verifier.verify(token(issuer, **claims))
    return refused.value.code


@pytest.mark.parametrize("tenant", TENANTS + NAMES, ids=range(len(TENANTS + NAMES)))
async def test_a_tenant_has_a_form_that_nothing_else_has(verifier: Verifier, issuer: Issuer, tenant: Any) -> None:
    code = await refusal(verifier, issuer, tenant=tenant)
    assert code in {"token.claim_malformed", "token.too_large"}, code


@pytest.mark.parametrize("roles", ROLES, ids=range(len(ROLES)))
async def test_roles_are_a_short_list_of_names(verifier: Verifier, issuer: Issuer, roles: Any) -> None:
    code = await refusal(verifier, issuer, roles=roles)
    assert code in {"token.claim_malformed", "token.too_large"}, code


@pytest.mark.parametrize("subject", SUBJECTS, ids=range(len(SUBJECTS)))
async def test_a_subject_is_a_line_of_text(verifier: Verifier, issuer: Issuer, subject: Any) -> None:
    code = await refusal(verifier, issuer, sub=subject)
    assert code in {"token.claim_malformed", "token.claim_missing", "token.malformed", "token.too_large"}, code


@pytest.mark.parametrize("role", STAFF)
async def test_a_tenants_token_has_no_staff_role(verifier: Verifier, issuer: Issuer, role: str) -> None:
    for tenant in (ACME, new_id()):
        for roles in ([role], ["brand", role]):
            assert await refusal(verifier, issuer, tenant=tenant, roles=roles) == "token.role_not_of_tenant", tenant


@pytest.mark.parametrize("role", ["agency", "brand", "creator"])
async def test_the_staff_is_no_organisation(verifier: Verifier, issuer: Issuer, role: str) -> None:
    """Else the staff's tenant, which is no UUID, would own campaigns that the ledger cannot pay for."""
    for roles in ([role], ["operator", role]):
        assert await refusal(verifier, issuer, tenant="platform", roles=roles) == "token.role_not_of_tenant"


async def test_who_sends_a_name_for_an_organisation_is_told_what_to_send(verifier: Verifier, issuer: Issuer) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await verifier.verify(token(issuer, tenant="acme"))
    assert refused.value.facts["claim"] == "tenant"
    assert "a UUID in small letters" in str(refused.value.facts["do"])


async def test_no_token_is_the_platforms_own_process(verifier: Verifier, issuer: Issuer) -> None:
    for roles in (["system"], ["operator", "system"]):
        assert await refusal(verifier, issuer, tenant="platform", roles=roles) == "token.role_not_of_tenant"


async def test_who_may_act_may_go_on_acting(verifier: Verifier, issuer: Issuer) -> None:
    staff = await verifier.verify(token(issuer, tenant="platform", roles=["finance", "operator"]))
    assert staff == Actor("ann", "platform", frozenset({"finance", "operator"}))
    for tenant in (new_id(), ACME):
        for roles in ([], ["brand"], ["creator", "agency"]):
            assert (await verifier.verify(token(issuer, tenant=tenant, roles=roles))).tenant == tenant


async def test_other_rules_are_a_setting(tmp_path: Path, issuer: Issuer) -> None:
    rules = TenantRules("hq", frozenset({"brand", "press"}))
    verifier = verifier_at(tmp_path, lambda: NOW, rules=rules)
    assert (await verifier.verify(token(issuer, roles=["press"]))).roles == {"press"}
    assert (await verifier.verify(token(issuer, tenant="hq", roles=["operator"]))).roles == {"operator"}
    assert await refusal(verifier, issuer, roles=["creator"]) == "token.role_not_of_tenant"
    assert await refusal(verifier, issuer, tenant="platform", roles=["operator"]) == "token.claim_malformed"


@pytest.mark.parametrize("tenant", TEXTS, ids=range(len(TEXTS)))
def test_no_actor_reads_as_another_reader(tenant: str) -> None:
    """Also behind the edge: whoever made the actor, its tenant is not taken for a role."""
    with pytest.raises(Forbidden, match=r"actor\.tenant_malformed"):
        readers_of(Actor("ann", tenant, frozenset()))


def test_readers_of_tenants_and_roles_cannot_be_equal() -> None:
    assert readers_of(Actor("ann", "operator", frozenset({"brand"}))) == ["operator", PUBLIC, "role:brand"]
    assert not is_tenant(role_reader("operator"))
    assert not is_tenant(PUBLIC)


def test_readers_are_named_in_one_place() -> None:
    """A reader that is put together by hand may be another's."""
    by_hand = [
        f"{source.path}:{number}"
        for source in python()
        if source.path.startswith(("services/", "kernel/")) and source.path != "kernel/core/ids.py"
        for number, line in enumerate(source.text.splitlines(), 1)
        if '"role:' in line or "'role:" in line
    ]
    assert by_hand == []
