"""The platform's fees: neither side chooses them. The policy of the day decides, an offer shows it, a contract seals it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kernel.core.canonical import Hashed
from kernel.core.decider import Context, DecidedEvent, InlineTable, Key, Rows
from services.campaigns.domain.fees.events import FeePolicyHeard
from services.campaigns.domain.shared.terms import FIRST_POLICY, Terms

FIRST = FeePolicyHeard(FIRST_POLICY, datetime(2025, 1, 1, tzinfo=UTC), Terms().brand_fee_bps, Terms().creator_fee_bps)
"""The policy before the ledger has announced any; the ledger's own first one is the same."""
ONLY: Key = ("platform",)


@dataclass(frozen=True, slots=True)
class FeePolicies:
    """The one row of the inline table `fee_policies`: every policy heard of, by date, the first one included."""

    owner: str
    policies: tuple[FeePolicyHeard, ...]


def policy_in_force(context: Context) -> FeePolicyHeard:
    """The policy of now; before the first one's date the first."""
    row = context.rows.get(POLICIES, ONLY)
    begun = [policy for policy in (row.policies if row else (FIRST,)) if policy.since <= context.at]
    return begun[-1] if begun else FIRST


def under_policy(terms: Hashed[Terms], policy: FeePolicyHeard) -> Hashed[Terms]:
    """The terms with the policy's fees; terms that have them already stay the same document."""
    fees = replace(
        terms.value,
        brand_fee_bps=policy.brand_fee_bps,
        creator_fee_bps=policy.creator_fee_bps,
        fee_policy=policy.name,
    )
    return terms if fees == terms.value else Hashed.of(fees)


def sealed_policy(terms: Terms) -> str:
    """The policy that terms were sealed under; empty for terms of before, whose fees were the brand's own choice."""
    chosen = (terms.brand_fee_bps, terms.creator_fee_bps) != (FIRST.brand_fee_bps, FIRST.creator_fee_bps)
    return "" if chosen and terms.fee_policy == FIRST.name else terms.fee_policy


def same_but_fees(terms: Terms, other: Terms) -> bool:
    """Whether two terms differ in nothing that a party chooses."""
    return under_policy(Hashed.of(terms), FIRST).value == under_policy(Hashed.of(other), FIRST).value


def _fold(fact: DecidedEvent[FeePolicyHeard], rows: Rows) -> Iterable[tuple[Key, FeePolicies]]:
    row = rows.get(POLICIES, ONLY)
    known = (*(row.policies if row else (FIRST,)), fact.event)
    yield ONLY, FeePolicies(ONLY[0], tuple(sorted(known, key=lambda policy: (policy.since, policy.name))))


POLICIES: InlineTable[FeePolicies] = InlineTable("fee_policies", FeePolicies, ("owner",), (FeePolicyHeard,), _fold)
