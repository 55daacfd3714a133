"""The fee policy: proposed by one person of finance for a later date, approved by another, never by oneself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, assert_never

from annotated_types import Interval

from kernel.core.bounds import Asked, limits
from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Invalid, Refused
from services.ledger.domain.commands import Text
from services.ledger.domain.deposits import check_text
from services.ledger.domain.fees import FIRST, MAX_BRAND_FEE_BPS, MAX_CREATOR_FEE_BPS, FeePolicy
from services.ledger.domain.four_eyes import check_other_person

POLICY = "policy"
MAX_POLICIES = 1_000


@dataclass(frozen=True, slots=True)
class ProposeFeePolicy:
    """By finance: the fees of all offers from `since` on."""

    since: datetime
    brand_fee_bps: Annotated[int, Asked(Interval(ge=0, le=MAX_BRAND_FEE_BPS))]
    creator_fee_bps: Annotated[int, Asked(Interval(ge=0, le=MAX_CREATOR_FEE_BPS))]


@dataclass(frozen=True, slots=True)
class ApproveFeePolicy:
    """By another person of finance."""


@dataclass(frozen=True, slots=True)
class RejectFeePolicy:
    """By finance, also by who proposed it."""

    reason: Text


Command = ProposeFeePolicy | ApproveFeePolicy | RejectFeePolicy


@dataclass(frozen=True, slots=True)
class FeePolicyProposed:
    policy: FeePolicy
    proposed_by: str


@dataclass(frozen=True, slots=True)
class FeePolicyApproved:
    """The policy is in force from its `since` on."""

    policy: FeePolicy
    proposed_by: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class FeePolicyRejected:
    policy: FeePolicy
    reason: str


Event = FeePolicyProposed | FeePolicyApproved | FeePolicyRejected


@dataclass(frozen=True, slots=True)
class State:
    """`status` is new, proposed, approved or rejected."""

    status: str = "new"
    policy: FeePolicy | None = None
    proposed_by: str = ""


@dataclass(frozen=True, slots=True)
class FeePolicies:
    """The one row of the inline table `fee_policies`: every approved policy by date, the first one included."""

    owner: str
    policies: tuple[FeePolicy, ...]


ONLY: Key = ("platform",)


def approved(rows: Rows) -> tuple[FeePolicy, ...]:
    """Every policy that is or will be in force, by date."""
    row = rows.get(POLICIES, ONLY)
    return row.policies if row else (FIRST,)


def sealed_under(name: str, rows: Rows) -> FeePolicy:
    """The policy of a deal; Refused `fee.policy_unknown` for one that was never approved."""
    named = next((policy for policy in approved(rows) if policy.name == name), None)
    if named is None:
        raise Refused("fee.policy_unknown", fee_policy=name[:80])
    return named


def name_of(since: datetime) -> str:
    """`fees@2027-01-01`, with the time where it does not begin at midnight (UTC)."""
    midnight = (since.hour, since.minute, since.second, since.microsecond) == (0, 0, 0, 0)
    return f"fees@{since.date().isoformat() if midnight else since.isoformat().replace('+00:00', 'Z')}"


def _decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    context.actor.require("finance")
    match command:
        case ProposeFeePolicy():
            return _propose(command, state, context)
        case ApproveFeePolicy():
            return _approve(state, context)
        case RejectFeePolicy(reason):
            return _reject(command, reason, state)
        case _:
            assert_never(command)


def _propose(command: ProposeFeePolicy, state: State, context: Context) -> Sequence[Event]:
    for field in ("brand_fee_bps", "creator_fee_bps"):
        low, high = limits(command, field)
        if not low <= getattr(command, field) <= high:
            raise Invalid("fee.share_out_of_range", field=field, limit_bps=high)
    if command.since.utcoffset() != timedelta(0):
        raise Invalid("fee.time_not_utc", field="since")
    policy = FeePolicy(name_of(command.since), command.since, command.brand_fee_bps, command.creator_fee_bps)
    if state.policy == policy and state.status == "proposed":
        return []
    if state.status != "new":
        raise Refused("fee.already_proposed", status=state.status, do="propose another policy under an id of its own")
    _check_later(policy, context)
    return [FeePolicyProposed(policy, context.actor.id)]


def _check_later(policy: FeePolicy, context: Context) -> None:
    """A policy never reaches back: what was offered before it stays as it was shown."""
    if policy.since <= context.at:
        raise Refused("fee.policy_not_later", since=policy.since.isoformat(), do="name a date to come")
    known = approved(context.rows)
    if any(other.since == policy.since for other in known):
        raise Refused("fee.date_taken", since=policy.since.isoformat(), do="name another date")
    if len(known) >= MAX_POLICIES:
        raise Refused("fee.too_many_policies", limit=MAX_POLICIES)


def _approve(state: State, context: Context) -> Sequence[Event]:
    policy = state.policy if state.status == "approved" else _proposed(state)
    check_other_person(context.actor, state.proposed_by, "fee.own_policy")
    if state.status == "approved" or policy is None:
        return []
    _check_later(policy, context)
    return [FeePolicyApproved(policy, state.proposed_by, context.actor.id)]


def _reject(command: RejectFeePolicy, reason: str, state: State) -> Sequence[Event]:
    check_text(command, "reason")
    return [] if state.status == "rejected" else [FeePolicyRejected(_proposed(state), reason)]


def _proposed(state: State) -> FeePolicy:
    if state.status != "proposed" or state.policy is None:
        raise Refused("fee.not_proposed", status=state.status)
    return state.policy


def _evolve(state: State, event: Event) -> State:
    match event:
        case FeePolicyProposed(policy, proposed_by):
            return State("proposed", policy, proposed_by)
        case FeePolicyApproved():
            return replace(state, status="approved")
        case FeePolicyRejected():
            return replace(state, status="rejected")
        case _:
            assert_never(event)


def _fold(fact: DecidedEvent[FeePolicyApproved], rows: Rows) -> Iterable[tuple[Key, FeePolicies]]:
    known = (*approved(rows), fact.event.policy)
    yield ONLY, FeePolicies(ONLY[0], tuple(sorted(known, key=lambda policy: policy.since)))


def _reads(command: Command, state: State) -> Iterable[tuple[InlineTable[Any], Key]]:
    yield POLICIES, ONLY


POLICIES: InlineTable[FeePolicies] = InlineTable("fee_policies", FeePolicies, ("owner",), (FeePolicyApproved,), _fold)
POLICY_DECIDER: Decider[Command, State, Event] = Decider(POLICY, State(), _decide, _evolve, reads=_reads)
