"""The creator aggregate, stream `creator-<creator id>`: commands.py in, events.py out.

A creator is its own organisation: it owns its stream, also when an operator registers or imports it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from kernel.core.bounds import limits
from kernel.core.decider import Context, Decider, InlineTable, Key
from kernel.core.faults import Forbidden, Invalid, Refused
from services.discovery.domain.audience import Audience, checked_audience
from services.discovery.domain.checks import Provenance, checked_line
from services.discovery.domain.commands import (
    Change,
    ChangeAvailability,
    ChangeProfile,
    ChangeRateCard,
    Command,
    ForgetCreator,
    IdentifyAccount,
    ImportCreator,
    LinkAccount,
    RegisterCreator,
    ReinstateCreator,
    ReportAudience,
    ReportFollowers,
    ReportPerformance,
    SuspendCreator,
    VerifyAccount,
)
from services.discovery.domain.csv.days import dated
from services.discovery.domain.erasure import FORGOTTEN, forget, remembered
from services.discovery.domain.events import (
    AccountIdentified,
    AccountLinked,
    AccountVerified,
    AudienceReported,
    AvailabilityChanged,
    CreatorProfileChanged,
    CreatorRegistered,
    CreatorReinstated,
    Event,
    FollowersReported,
    PerformanceReported,
    RateCardChanged,
)
from services.discovery.domain.figures import Followers, Performance, checked_followers, checked_performance
from services.discovery.domain.guardians.events import OfferBarChanged
from services.discovery.domain.guardians.guardian import GiveGuardianConsent, WithdrawGuardianConsent, consent, minding
from services.discovery.domain.identity import (
    account_keys,
    check_free,
    check_same_account,
    creator_of,
    digested,
    handle_row,
    identify,
    is_held,
    unlinked,
)
from services.discovery.domain.profile import (
    checked_account,
    checked_accounts,
    checked_profile,
)
from services.discovery.domain.rate_card import checked_card
from services.discovery.domain.state import INITIAL, State, Status, evolve
from services.discovery.domain.suspension import suspend

STAFF = frozenset({"operator", "system"})


def decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    """Raises Invalid for a bad value, Forbidden for a stranger, Refused where the creator's state does not allow it."""
    match command:
        case RegisterCreator():
            return _register(command, state, context)
        case ImportCreator():
            return _import(command, state, context)
        case ForgetCreator():
            context.actor.require(*STAFF)
            return forget(state)
        case IdentifyAccount() | VerifyAccount() | SuspendCreator() | ReinstateCreator():
            context.actor.require(*STAFF)
            return _sanction(command, remembered(command, _registered(state), context), context)
        case GiveGuardianConsent() | WithdrawGuardianConsent():
            _check_party(context)
            return consent(command, remembered(command, _registered(state), context), context)
        case _:
            _check_party(context)
            return _change(command, remembered(command, _registered(state), context), context)


def _check_party(context: Context) -> None:
    if context.actor.tenant != creator_of(context) and not _is_staff(context):
        raise Forbidden("creator.not_a_party")


def _is_staff(context: Context) -> bool:
    return not STAFF.isdisjoint(context.actor.roles)


def _registered(state: State) -> State:
    if state.status is Status.NEW:
        raise Refused("creator.not_registered", status=state.status)
    return state


def _register(command: RegisterCreator, state: State, context: Context) -> Sequence[Event]:
    _check_party(context)
    if command.creator_id != creator_of(context):
        raise Invalid("creator.id_is_not_the_stream", creator_id=command.creator_id[:36])
    event = CreatorRegistered(
        command.creator_id,
        checked_profile(command.profile, context.at),
        tuple(digested(one, context) for one in checked_accounts(command.accounts)),
    )
    if state.status is not Status.NEW:
        if event.profile == state.profile and set(event.accounts) <= set(state.accounts):
            return []
        raise Refused("creator.already_registered", status=state.status)
    for account in event.accounts:
        check_free(account, context)
    return [event]


def _import(command: ImportCreator, state: State, context: Context) -> Sequence[Event]:
    context.actor.require(*STAFF)
    if context.rows.get(FORGOTTEN, (creator_of(context),)) is not None:
        raise Refused("creator.asked_to_be_forgotten")
    steps: list[Command] = [command.registration]
    if state.status is not Status.NEW:
        check_same_account(command, state)
        steps = [ChangeProfile(command.registration.profile), *unlinked(command, state)]
    if command.account_id:
        steps.append(IdentifyAccount(command.registration.accounts[0], command.account_id))
    events: list[Event] = []
    for step in [*steps, *command.changes]:
        decided = decide(dated(step, state, context.at), state, context)
        for event in decided:
            state = evolve(state, event)
        events.extend(decided)
    return events


def _sanction(
    command: IdentifyAccount | VerifyAccount | SuspendCreator | ReinstateCreator, state: State, context: Context
) -> Sequence[Event]:
    match command:
        case IdentifyAccount():
            return identify(command, state, context)
        case VerifyAccount():
            return _verify(command, state, context)
        case SuspendCreator():
            return suspend(command, state, context)
        case ReinstateCreator():
            if state.status is Status.ACTIVE:
                return []
            return [CreatorReinstated(checked_line(command, "reason"))]
        case _:
            assert_never(command)


def _verify(command: VerifyAccount, state: State, context: Context) -> Sequence[Event]:
    """Decides between all who claim the handle: the others' claims are lost, and shown to them as lost."""
    account = checked_account(command.account)
    linked = state.account_on(account.platform)
    if linked is None or linked.handle != account.handle:
        raise Refused("creator.account_not_linked", platform=account.platform, handle=account.handle)
    if account.platform in state.verified and is_held(account, context):
        return []
    check_free(account, context)
    return [AccountVerified(digested(account, context), checked_line(command, "method"))]


def _change(command: Change, state: State, context: Context) -> Sequence[Event]:
    match command:
        case ChangeProfile():
            profile = checked_profile(command.profile, context.at)
            return [] if profile == state.profile else [CreatorProfileChanged(profile)]
        case LinkAccount():
            return _link(command, state, context)
        case ChangeRateCard():
            return _price(command, state, context)
        case ChangeAvailability():
            event = AvailabilityChanged(command.availability, _checked_jobs(command))
            return [] if event == state.availability else [event]
        case _:
            return _report(command, state, context)


def _checked_jobs(command: ChangeAvailability) -> int:
    lowest, highest = limits(command, "max_parallel_jobs")
    if not lowest <= command.max_parallel_jobs <= highest:
        raise Invalid("creator.parallel_jobs_out_of_range", field="max_parallel_jobs", limit=highest)
    return command.max_parallel_jobs


def _link(command: LinkAccount, state: State, context: Context) -> Sequence[Event]:
    account = checked_account(command.account)
    linked = state.account_on(account.platform)
    if linked == account:
        return []
    check_free(account, context)
    former_id = state.account_id_on(account.platform)
    told: Event = AccountLinked(digested(account, context), linked.handle if linked else "")
    return [told, AccountIdentified(account.platform, "", former_id)] if former_id else [told]


def _price(command: ChangeRateCard, state: State, context: Context) -> Sequence[Event]:
    if command.card == state.card:
        return []
    card = checked_card(command.card, context.at)
    return [] if card == state.card else [RateCardChanged(card)]


def _report(
    command: ReportAudience | ReportFollowers | ReportPerformance, state: State, context: Context
) -> Sequence[Event]:
    match command:
        case ReportAudience():
            audience = checked_audience(command.audience, context.at)
            return _newer(AudienceReported(audience), audience, state.audience_of(audience.kind), context)
        case ReportFollowers():
            followers = checked_followers(command.followers, context.at)
            if state.account_on(followers.platform) is None:
                raise Refused("creator.account_not_linked", platform=followers.platform)
            return _newer(FollowersReported(followers), followers, state.followers_on(followers.platform), context)
        case ReportPerformance():
            figures = checked_performance(command.performance, context.at)
            known = state.performance_of(figures.format, figures.window_days)
            return _newer(PerformanceReported(figures), figures, known, context)
        case _:
            assert_never(command)


def _newer(
    event: Event,
    report: Audience | Followers | Performance,
    known: Audience | Followers | Performance | None,
    context: Context,
) -> Sequence[Event]:
    """A report replaces what is known unless it is older; only staff may say that a platform or a model gave it."""
    if report.provenance is not Provenance.MANUAL and not _is_staff(context):
        raise Forbidden("creator.provenance_not_yours", provenance=report.provenance)
    if report == known:
        return []
    if known is not None and report.observed_at < known.observed_at:
        raise Refused("creator.report_out_of_date", known=known.observed_at.isoformat())
    return [event]


def reads(command: Command, state: State) -> Iterable[tuple[InlineTable[Any], Key]]:
    """The handles that a command takes or gives up; total, also for malformed ones."""
    match command:
        case RegisterCreator():
            return [handle_row(account) for account in command.accounts]
        case VerifyAccount():
            return [handle_row(command.account)]
        case ForgetCreator():
            return [handle_row(account) for account in state.accounts]
        case LinkAccount():
            return account_keys(command.account, "", state)
        case IdentifyAccount():
            return account_keys(command.account, command.account_id, state)
        case ImportCreator():
            links = [change.account for change in command.changes if isinstance(change, LinkAccount)]
            accounts = [*command.registration.accounts, *links]
            taken = [key for account in accounts for key in account_keys(account, command.account_id, state)]
            return [(FORGOTTEN, (command.registration.creator_id,)), *taken]
        case _:
            return ()


def owner(command: Command) -> str | None:
    """The tenant of a new stream: the creator itself, whoever sends the command."""
    match command:
        case RegisterCreator():
            return command.creator_id
        case ImportCreator():
            return command.registration.creator_id
        case _:
            return None


AGELESS = (
    AccountIdentified,
    AvailabilityChanged,
    RateCardChanged,
    AudienceReported,
    FollowersReported,
    PerformanceReported,
)
"""Events that say nothing of age and consent."""
CREATOR: Decider[Command, State, Event] = Decider(
    "creator", INITIAL, minding(decide, evolve, OfferBarChanged, AGELESS), evolve, owner=owner, reads=reads
)
