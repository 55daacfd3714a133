"""A refusal tells a caller its own facts only: each sum, owner and account in its facts has somebody who may hear it."""

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest

from kernel.core.decider import Actor
from kernel.core.faults import Refused
from services.campaigns.domain.shared.budget import Budget, commit
from services.ledger.domain.chains import told_to
from tests.arch.tree import python

REFUSALS = frozenset({"Refused", "Forbidden", "NotFound", "Conflict"})
SECRETS = ("_minor", "owner", "tenant", "account", "instrument", "handle", "brand_id", "creator_id")
"""Endings of facts that may be another's."""
PARTY = "parties of the thing, who are shown the same by queries"
STAFF = "finance and the platform's processes: no other caller comes so far"
FILTERED = "whose it is; services.ledger.domain.chains.told_to leaves it out for everybody else"
HEARD = {
    "account.bound_crossed": ("account missing_minor owner", FILTERED),
    "account.closed": ("account owner", FILTERED),
    "account.not_empty": ("account owner", FILTERED),
    "account.nothing_pending": ("account owner", FILTERED),
    "amendment.below_refunds": ("amount_minor refunded_minor", PARTY),
    "budget.exceeded": (
        "budget_minor free_minor needed_minor",
        "the cost of the caller's own deal; what is free and the whole its brand alone",
    ),
    "campaign.budget_below_commitments": ("committed_minor", "the campaign's brand, whose command it is"),
    "campaign.has_commitments": ("committed_minor", "the campaign's brand, whose command it is"),
    "clearing.bound_crossed": ("missing_minor", FILTERED),
    "creator.account_not_linked": ("handle", "what the caller has sent"),
    "creator.handle_reused": ("handle", "what the operator has sent"),
    "creator.handle_taken": ("handle", "what the caller has sent"),
    "deposit.reversal_too_large": ("left_minor", STAFF),
    "escrow.already_released": ("released_minor", STAFF),
    "escrow.left_differs": ("left_minor", STAFF),
    "escrow.not_enough_left": ("left_minor", STAFF),
    "escrow.nothing_changes": ("held_minor", STAFF),
    "fee.not_by_policy": ("expected_minor", STAFF),
    "payout.client_money_short": ("short_minor", FILTERED),
    "payout.more_than_available": ("asked_minor available_minor owner", FILTERED),
    "proposal.day_limit": ("left_minor", STAFF),
    "refund.differs": ("amount_minor", PARTY),
    "refund.exceeds_order": ("amount_minor remaining_minor", PARTY),
    "refund.more_than_deposited": ("left_minor", "the deposit's owner, and finance"),
    "settlement.more_than_due": ("due_minor", STAFF),
    "settlement.more_than_owed": ("owed_minor", STAFF),
    "settlement.more_than_returned": ("left_minor", STAFF),
    "settlement.more_than_sent": ("left_minor", STAFF),
    "transfer.amount_differs": ("asked_minor paid_minor", STAFF),
}
"""Facts of a refusal by its code that could be another's, and who hears them. A new one is thought over before it stands here."""


def told() -> Iterator[tuple[str, str, str]]:
    """(code, fact, place) of every refusal that services raise."""
    for source in python():
        if not source.path.startswith("services/"):
            continue
        for node in source.nodes:
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REFUSALS and node.args:
                code = node.args[0].value if isinstance(node.args[0], ast.Constant) else ast.unparse(node.args[0])
                for one in node.keywords:
                    yield str(code), one.arg or "", source.at(node, "")


def test_each_fact_that_may_be_anothers_has_who_hears_it() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for code, fact, _ in told():
        if fact.endswith(SECRETS):
            found[code].add(fact)
    listed = {code: set(facts.split()) for code, (facts, _) in HEARD.items()}
    assert dict(found) == listed


def test_the_walk_sees_refusals() -> None:
    assert ("budget.exceeded", "needed_minor") in {(code, fact) for code, fact, _ in told()}


@pytest.mark.parametrize(("tenant", "facts"), [
    ("brand", {"needed_minor": 60, "free_minor": 50}), ("creator", {"needed_minor": 60}), ("platform", {"needed_minor": 60}),
])  # fmt: skip
def test_only_the_brand_hears_what_is_free_of_its_budget(tenant: str, facts: dict[str, int]) -> None:
    budget = Budget("c", "brand", "published", "CNY", 100, 50)
    with pytest.raises(Refused) as refused:
        commit(budget, 60, tenant)
    assert (refused.value.code, refused.value.facts) == ("budget.exceeded", facts | {"currency": "CNY"})
    commit(budget, 50, tenant)


@pytest.mark.parametrize(
    ("refused", "tenant", "role", "heard"),
    [
        (Refused("payout.client_money_short", short_minor=7), "clara", "creator", False),
        (Refused("payout.client_money_short", short_minor=7), "platform", "finance", True),
        (Refused("clearing.bound_crossed", currency="CNY", missing_minor=7), "clara", "creator", False),
        (Refused("account.bound_crossed", account="a", owner="clara", missing_minor=7), "clara", "creator", True),
        (Refused("account.bound_crossed", account="a", owner="bella", missing_minor=7), "clara", "creator", False),
        (Refused("account.bound_crossed", account="a", owner="platform", missing_minor=7), "clara", "creator", False),
        (Refused("account.bound_crossed", account="a", owner="bella", missing_minor=7), "x", "system", True),
        (Refused("account.closed", account="a", owner="bella"), "clara", "creator", False),
        (Refused("payout.more_than_available", owner="clara", available_minor=7), "clara", "creator", True),
        (Refused("refund.more_than_deposited", left_minor=7), "bella", "brand", True),
    ],
)
def test_neither_sums_of_others_nor_the_platforms_bank_are_heard(
    refused: Refused, tenant: str, role: str, heard: bool
) -> None:
    said = told_to(Actor("ann", tenant, frozenset({role})), refused)
    if heard:
        assert (said.code, said.facts) == (refused.code, refused.facts)
    else:
        assert not set(said.facts) - {"do"}
        bounds = {"payout.client_money_short", "clearing.bound_crossed", "account.bound_crossed"}
        assert said.code == ("transfer.not_now" if refused.code in bounds else refused.code)
