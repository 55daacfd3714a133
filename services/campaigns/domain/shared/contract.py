"""The contract: the terms of one creator's collaboration, snapshotted at acceptance and hashed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Annotated

from kernel.core.canonical import Hashed
from kernel.core.ids import derived_id
from kernel.core.money import share_down
from kernel.core.personal import DataSubject
from services.campaigns.domain.shared.brief import Brief, Format, Platform, expand, shared, ships
from services.campaigns.domain.shared.compensation import most_minor, with_brand_fee
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.domain.shared.usual import UnusualTerm, unusual_terms


@dataclass(frozen=True, slots=True)
class DeliverableTerms:
    """One piece of content at its price: escrow holds `fee_minor + brand_fee_minor`.

    `committed_minor` is what the budget sets aside for it: the most it can cost, the brand's fee included.
    `starts_after_s` delays the clock of a recurring deliverable.
    """

    deliverable_id: str
    ordinal: int
    platform: Platform
    format: Format
    outline_required: bool
    fee_minor: int
    brand_fee_minor: int
    committed_minor: int
    starts_after_s: int

    @property
    def escrow_minor(self) -> int:
        return self.fee_minor + self.brand_fee_minor


@dataclass(frozen=True, slots=True)
class Parties:
    """Whom an event concerns; what is personal in it is the creator's."""

    campaign_id: str
    brand_id: str
    creator_id: Annotated[str, DataSubject()]


@dataclass(frozen=True, slots=True)
class Contract:
    """What both sides agreed, whole: a later amendment of the brief changes nothing here without consent."""

    collaboration_id: str
    campaign_id: str
    brand_id: str
    creator_id: str
    brief_version: int
    brief: Hashed[Brief]
    terms: Hashed[Terms]
    deliverables: tuple[DeliverableTerms, ...]

    @property
    def parties(self) -> Parties:
        return Parties(self.campaign_id, self.brand_id, self.creator_id)

    @property
    def application_id(self) -> str:
        """The application that it came of."""
        return application_id(self.campaign_id, self.creator_id)

    @property
    def escrow_minor(self) -> int:
        return sum(each.escrow_minor for each in self.deliverables)

    @property
    def currency(self) -> str:
        return self.brief.value.currency

    @property
    def committed_minor(self) -> int:
        return sum(each.committed_minor for each in self.deliverables)

    @property
    def ships(self) -> bool:
        return ships(self.brief.value)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is on the table: prices made under a version of the brief, and the platform's fees on them, as in Terms.

    `round` counts the offers from 1, `unusual` names what in the terms is not as usual. An offer of before the fees stood in it
    has the fees of its brief: `fee_policy` is empty.
    """

    round: int
    brief_version: int
    contract_sha256: str
    currency: str
    commission_bps: int
    deliverables: tuple[DeliverableTerms, ...]
    brand_fee_bps: int = 0
    creator_fee_bps: int = 0
    fee_policy: str = ""
    unusual: tuple[UnusualTerm, ...] = ()

    @property
    def fees_minor(self) -> tuple[int, ...]:
        return tuple(each.fee_minor for each in self.deliverables)

    @property
    def priced(self) -> tuple[tuple[int, ...], ...]:
        """All that it costs either side: prices, and the platform's fees on them."""
        return (self.creator_fee_bps,), *((each.fee_minor, each.brand_fee_minor) for each in self.deliverables)


def application_id(campaign_id: str, creator_id: str) -> str:
    """One application per campaign and creator; it begins anew once what came of it has ended."""
    return derived_id("application", campaign_id, creator_id)


def collaboration_id(application: str, agreement: int) -> str:
    """The collaboration that comes of an application's agreement, counted from 1: the first one has the application's own id."""
    return application if agreement == 1 else derived_id("collaboration", application, str(agreement))


def draw_up(
    parties: Parties,
    fees_minor: Sequence[int],
    version: int,
    brief: Hashed[Brief],
    terms: Hashed[Terms],
    work_id: str = "",
) -> Hashed[Contract]:
    """The contract of an offer under a version of the brief, without the budget: both sides know all that its hash covers.

    `work_id` is the collaboration's id; empty: that of the first agreement.
    """
    work_id = work_id or collaboration_id(application_id(parties.campaign_id, parties.creator_id), 1)
    return Hashed.of(
        Contract(
            collaboration_id=work_id,
            campaign_id=parties.campaign_id,
            brand_id=parties.brand_id,
            creator_id=parties.creator_id,
            brief_version=version,
            brief=shared(brief),
            terms=terms,
            deliverables=tuple(_deliverables(work_id, fees_minor, brief.value, terms.value)),
        )
    )


def offer_of(document: Hashed[Contract], round_: int) -> Offer:
    """The contract's prices as an offer, sealed with the contract it would lead to."""
    contract = document.value
    commission_bps = contract.brief.value.compensation.commission_bps
    where = (round_, contract.brief_version, document.sha256, contract.currency, commission_bps)
    fees = contract.terms.value
    unusual = unusual_terms(fees, contract.brief.value)
    return Offer(*where, contract.deliverables, fees.brand_fee_bps, fees.creator_fee_bps, fees.fee_policy, unusual)


def _deliverables(work_id: str, fees_minor: Sequence[int], brief: Brief, terms: Terms) -> Iterator[DeliverableTerms]:
    for ordinal, fee_minor, (spec, after_s) in zip(count(1), fees_minor, expand(brief), strict=False):
        yield DeliverableTerms(
            deliverable_id=derived_id("deliverable", work_id, str(ordinal)),
            ordinal=ordinal,
            platform=spec.platform,
            format=spec.format,
            outline_required=spec.outline_required,
            fee_minor=fee_minor,
            brand_fee_minor=share_down(fee_minor, terms.brand_fee_bps),
            committed_minor=with_brand_fee(most_minor(brief.compensation, fee_minor), terms.brand_fee_bps),
            starts_after_s=after_s,
        )
