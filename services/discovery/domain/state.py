"""What decisions about a creator need to know, folded from its events."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from kernel.core.money import BASIS_POINTS
from services.discovery.domain.audience import Audience, AudienceKind
from services.discovery.domain.events import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    AudienceReported,
    AvailabilityChanged,
    CreatorForgotten,
    CreatorProfileChanged,
    CreatorRegistered,
    CreatorReinstated,
    CreatorSuspended,
    Event,
    FollowersReported,
    PerformanceReported,
    RateCardChanged,
)
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.guardians.events import GuardianConsented, GuardianConsentWithdrawn, OfferBarChanged
from services.discovery.domain.profile import Account, Platform, Profile, impersonal
from services.discovery.domain.rate_card import Format, RateCard


class Status(StrEnum):
    NEW = "new"
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class State:
    """One entry per platform, audience kind, or format and window in each of the tuples. Also what the read model keeps."""

    status: Status = Status.NEW
    profile: Profile | None = None
    accounts: tuple[Account, ...] = ()
    verified: tuple[Platform, ...] = ()
    card: RateCard | None = None
    audiences: tuple[Audience, ...] = ()
    followers: tuple[Followers, ...] = ()
    performance: tuple[Performance, ...] = ()
    availability: AvailabilityChanged | None = None
    suspension: CreatorSuspended | None = None
    account_ids: tuple[tuple[Platform, str], ...] = ()
    """The platforms' own ids of accounts, where they are known."""
    forgotten: bool = False
    """Erased, and has not told a profile since."""
    guardian: GuardianConsented | None = None
    barred: bool = False
    """No new work may be agreed (domain/guardians)."""

    def account_on(self, platform: Platform) -> Account | None:
        return next((account for account in self.accounts if account.platform is platform), None)

    def account_id_on(self, platform: Platform) -> str:
        """The platform's own id of the account there; "" where it is not known."""
        return next((account_id for on, account_id in self.account_ids if on is platform), "")

    def audience_of(self, kind: AudienceKind) -> Audience | None:
        return next((audience for audience in self.audiences if audience.kind is kind), None)

    def followers_on(self, platform: Platform) -> Followers | None:
        return next((count for count in self.followers if count.platform is platform), None)

    def performance_of(self, kind: Format, window_days: int) -> Performance | None:
        return next((p for p in self.performance if p.format is kind and p.window_days == window_days), None)

    def largest_followers(self) -> int:
        """Followers of the largest account; 0 where nobody reported any. The tier comes from it."""
        return max((count.count for count in self.followers), default=0)

    def engagement_rate_bps(self) -> int | None:
        """Engagements / reads in basis points of the most read 30-day cell; None where nothing was read."""
        cells = [cell for cell in self.performance if cell.window_days == 30 and cell.reads > 0]
        best = max(cells, key=lambda cell: (cell.reads, cell.format), default=None)
        return None if best is None else min(best.engagements * BASIS_POINTS // best.reads, 10 * BASIS_POINTS)


INITIAL = State()


def evolve(state: State, event: Event) -> State:
    match event:
        case CreatorRegistered():
            return replace(state, status=Status.ACTIVE, profile=event.profile, accounts=event.accounts)
        case CreatorProfileChanged():
            return replace(state, profile=event.profile, forgotten=False)
        case AccountLinked():
            return _linked(state, event)
        case AccountRenamed(account=account):
            others = tuple(one for one in state.accounts if one.platform is not account.platform)
            return replace(state, accounts=(*others, account))
        case AccountIdentified(platform=platform, account_id=account_id):
            ids = tuple(one for one in state.account_ids if one[0] is not platform)
            return replace(state, account_ids=(*ids, (platform, account_id)) if account_id else ids)
        case AccountVerified():
            return replace(state, verified=tuple(sorted({*state.verified, event.account.platform})))
        case RateCardChanged():
            return replace(state, card=event.card)
        case AvailabilityChanged():
            return replace(state, availability=event)
        case CreatorSuspended():
            return replace(state, status=Status.SUSPENDED, suspension=event)
        case CreatorReinstated():
            return replace(state, status=Status.ACTIVE, suspension=None)
        case CreatorForgotten():
            return _forgotten(state)
        case GuardianConsented():
            return replace(state, guardian=event)
        case GuardianConsentWithdrawn():
            return replace(state, guardian=None)
        case OfferBarChanged():
            return replace(state, barred=event.barred)
        case _:
            return _reported(state, event)


def _linked(state: State, event: AccountLinked) -> State:
    """Another account on a platform starts anew there: its followers and its verification are its own."""
    platform = event.account.platform
    others = tuple(account for account in state.accounts if account.platform is not platform)
    return replace(
        state,
        accounts=(*others, event.account),
        verified=tuple(known for known in state.verified if known is not platform),
        followers=tuple(count for count in state.followers if count.platform is not platform),
    )


def _forgotten(state: State) -> State:
    """Of the person nothing is left, whether the events before could still be read or not."""
    profile = None if state.profile is None else impersonal(state.profile)
    if profile is not None:
        profile = replace(profile, display_name_revision="", bio_revision="", contact_revision="")
    return replace(state, profile=profile, accounts=(), verified=(), account_ids=(), forgotten=True, guardian=None)


def _reported(state: State, event: AudienceReported | FollowersReported | PerformanceReported) -> State:
    match event:
        case AudienceReported(audience=new):
            return replace(state, audiences=(*(a for a in state.audiences if a.kind is not new.kind), new))
        case FollowersReported(followers=count):
            others = tuple(known for known in state.followers if known.platform is not count.platform)
            return replace(state, followers=(*others, count))
        case PerformanceReported(performance=figures):
            cell = (figures.format, figures.window_days)
            kept = tuple(p for p in state.performance if (p.format, p.window_days) != cell)
            return replace(state, performance=(*kept, figures))
        case _:
            assert_never(event)
