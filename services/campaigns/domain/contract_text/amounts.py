"""The contract's clauses in money: per deliverable, in minor units of the contract's currency, before tax."""

from collections.abc import Iterator
from dataclasses import dataclass

from kernel.core.money import share_down
from services.campaigns.domain.shared.contract import Contract, DeliverableTerms
from services.campaigns.domain.shared.terms import LadderStage, kill_fee_minor, ladder_share


@dataclass(frozen=True, slots=True)
class Amount:
    """What a clause comes to; an empty `deliverable_id` is all of them together. `share_bps` is the share that it is of the fee,
    of a claw-back of what the creator got."""

    kind: str
    deliverable_id: str
    amount_minor: int
    share_bps: int = 0
    stage: str = ""


def prices(contract: Contract) -> Iterator[Amount]:
    """What each deliverable costs either side, and what escrow holds in all."""
    terms = contract.terms.value
    for one in contract.deliverables:
        creator_fee_minor = share_down(one.fee_minor, terms.creator_fee_bps)
        yield Amount("fee", one.deliverable_id, one.fee_minor)
        yield Amount("brand_fee", one.deliverable_id, one.brand_fee_minor, terms.brand_fee_bps)
        yield Amount("creator_fee", one.deliverable_id, creator_fee_minor, terms.creator_fee_bps)
        yield Amount("creator_gets", one.deliverable_id, one.fee_minor - creator_fee_minor)
    yield Amount("escrow", "", contract.escrow_minor)


def rungs(contract: Contract) -> Iterator[Amount]:
    """The kill fee of each deliverable at each stage of the ladder."""
    ladder = contract.terms.value.ladder
    for one in contract.deliverables:
        for stage in LadderStage:
            share_bps = ladder_share(ladder, stage)
            kill_minor = kill_fee_minor(one.fee_minor, share_bps)
            yield Amount("kill_fee", one.deliverable_id, kill_minor, share_bps, stage.value)


def claw_backs(contract: Contract) -> Iterator[Amount]:
    """The most that goes back for a post that is not restored: what is paid is less by its tax. None where a dispute decides."""
    share_bps = contract.terms.value.claw_back_bps
    if share_bps:
        for one in contract.deliverables:
            yield Amount("claw_back", one.deliverable_id, share_down(_paid_minor(one, contract), share_bps), share_bps)


def _paid_minor(one: DeliverableTerms, contract: Contract) -> int:
    return one.fee_minor - share_down(one.fee_minor, contract.terms.value.creator_fee_bps)
