"""A creator as queries answer it."""

from dataclasses import replace

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1 import guardian_pb2 as guardian_pb
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number

from services.discovery.domain.guardians.events import GuardianConsented
from services.discovery.domain.tiers import tier_of
from services.discovery.publish.wire import wire_account, wire_audience, wire_cell, wire_profile, wire_rates
from services.discovery.reads import Card
from services.discovery.search.claims import UNSEEN
from services.discovery.search.lookalikes import mixes_scripts


def wire_creator(card: Card) -> pb.Creator:
    state, profile, jobs = card.state, card.state.profile, card.records
    followers = state.largest_followers()
    available = state.availability
    return pb.Creator(
        creator_id=card.creator_id,
        profile=wire_profile(replace(profile, birth_year=card.birth_year)) if profile else None,
        age_class=number(pb.AgeClass, card.age_class),
        display_name=card.display_name,
        bio=card.bio,
        contact=card.contact,
        accounts=wire_accounts(card),
        followers=followers,
        tier=number(common.Tier, tier_of(followers)),
        availability=number(events.Availability, available.availability if available else ""),
        max_parallel_jobs=available.max_parallel_jobs if available else 0,
        currency=state.card.currency if state.card else "",
        rates=wire_rates(state.card) if state.card else [],
        commission_bps=(state.card.commission_bps or 0) if state.card else 0,
        performance=[wire_cell(cell) for cell in state.performance],
        engagement_rate_bps=state.engagement_rate_bps() or 0,
        audience=[wire_audience(one, card.creator_id, None) for one in state.audiences],
        suspended=card.suspended,
        jobs_in_progress=jobs["contracted"],
        jobs_settled=jobs["settled"],
        jobs_cancelled=jobs["cancelled"],
        past_brands=card.past_brands,
        findings=jobs["findings"],
        disclosures_missing=jobs["disclosures_missing"],
        orders=jobs["orders"],
        registered_at=stamp(card.registered_at),
        changed_at=stamp(card.changed_at),
        version=card.version,
        guardian=wire_guardian(card.guardian),
        barred=card.barred,
    )


def wire_guardian(given: GuardianConsented | None) -> guardian_pb.GuardianConsent | None:
    if given is None:
        return None
    return guardian_pb.GuardianConsent(
        guardian=given.guardian,
        relation=number(guardian_pb.GuardianRelation, given.relation),
        evidence_sha256=given.evidence_sha256,
        text_version=given.text_version,
        consented_at=stamp(given.consented_at),
    )


def wire_accounts(card: Card) -> list[pb.CreatorAccount]:
    made, state = [], card.state
    for account in state.accounts:
        count, standing = state.followers_on(account.platform), card.claims.get(account, UNSEEN)
        made.append(
            pb.CreatorAccount(
                account=wire_account(account),
                verified=account.platform in state.verified and not standing.lost,
                lost=standing.lost,
                looks_like=standing.looks_like,
                mixes_scripts=mixes_scripts(account.handle),
                followers=count.count if count else 0,
                provenance=number(common.Provenance, count.provenance if count else ""),
                measured_at=stamp(count.observed_at) if count else None,
            )
        )
    return made


def listed(card: Card) -> pb.Creator:
    """A creator as lists show it."""
    creator = wire_creator(card)
    creator.ClearField("audience")
    return creator
