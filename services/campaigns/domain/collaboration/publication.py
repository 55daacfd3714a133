"""From approval to payment: schedule, publication with its label, verification, take-down, settlement."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from dandelion_posts.ids import is_post_id, shape
from dandelion_posts.labels import shown, toggle, without
from dandelion_posts.normal_form import digest, form_of, normal

from kernel.core.faults import Refused
from services.campaigns.domain.collaboration.breach import cured, notice
from services.campaigns.domain.collaboration.commands import (
    EndDeliverable,
    PublishContent,
    ScheduleContent,
    SettleDeliverable,
    TakeDownContent,
    VerifyContent,
)
from services.campaigns.domain.collaboration.deliverable import BREACH, CLOSED, OWED, PAID, Stage, returned
from services.campaigns.domain.collaboration.work import Work
from services.campaigns.domain.shared.brief import local_day, posting_window
from services.campaigns.domain.shared.checks import check_text, reason_code, valid
from services.campaigns.domain.shared.content_events import (
    ContentPublished,
    ContentScheduled,
    ContentTakenDown,
    ContentVerified,
    Disclosure,
    LabelPlacement,
    Setting,
)
from services.campaigns.domain.shared.creators import author_on
from services.campaigns.domain.shared.posts import check_unclaimed
from services.campaigns.domain.shared.work_events import DeliverableSettled, WorkEvent


def schedule(command: ScheduleContent, work: Work) -> Sequence[WorkEvent]:
    """Either side sets the time, inside the posting window; only the creator shortens its own time by it."""
    one, contract = work.deliverable, work.contract
    valid(command.publish_at.utcoffset() == timedelta(0), "content.time_not_utc")
    if one.stage is Stage.SCHEDULED and one.publish_at == command.publish_at:
        return []
    if one.stage not in (Stage.APPROVED, Stage.SCHEDULED):
        raise work.refuse("content.not_approved")
    opens_at, ends_at = posting_window(contract.brief.value)
    inside = opens_at <= command.publish_at < ends_at
    valid(inside and command.publish_at >= work.context.at, "content.outside_posting_window")
    due_at = work.after_paused(command.publish_at + timedelta(seconds=contract.terms.value.clocks.publish_grace_s))
    if one.due_at and work.context.actor.tenant != contract.creator_id:
        due_at = max(due_at, one.due_at)
    where = (contract.parties, one.terms.deliverable_id, one.submission_id)
    return [ContentScheduled(*where, command.publish_at, due_at)]


def publish(command: PublishContent, work: Work) -> Sequence[WorkEvent]:
    """The post is up. Without its label, or with another text than the approved one, it does not count."""
    work.by_creator()
    one = work.deliverable
    check_text(command, "post_id", "content.post_id_malformed")
    platform = one.terms.platform
    valid(
        is_post_id(platform, command.post_id), "content.post_id_malformed", platform=platform, expected=shape(platform)
    )
    valid(command.post_url.startswith("https://"), "content.post_url_not_https")
    check_text(command, "post_url", "content.post_url_malformed")
    check_text(command, "text", "content.text_malformed")
    if one.post_id == command.post_id and one.stage is not Stage.BREACHED:
        return _reported_before(command, work)
    if one.stage not in (Stage.APPROVED, Stage.SCHEDULED, Stage.TAKEN_DOWN, Stage.BREACHED) or one.setting is None:
        raise work.refuse("content.not_approved")
    mark, day = _mark(command, work), _day(work)
    form = form_of(one.terms.platform)
    if _bare(form, command.text, one.label, day) != _bare(form, one.text, one.label, day):
        raise work.refuse("content.text_differs_from_approved")
    creator_id = work.contract.creator_id
    check_unclaimed(one.terms.platform, command.post_id, one.terms.deliverable_id, creator_id, work.context)
    author_sha256 = author_on(one.terms.platform, creator_id, work.context)
    return [replace(_published(command, one.setting, work, mark), author_sha256=author_sha256)]


def _reported_before(command: PublishContent, work: Work) -> Sequence[WorkEvent]:
    """Only the same report is a repeat: another address or text of the post would be lost without a word."""
    one = work.deliverable
    if (command.post_url, digest(form_of(one.terms.platform), command.text)) != (one.post_url, one.post_sha256):
        raise work.refuse("content.already_published")
    return []


def _day(work: Work) -> date:
    """Today where the campaign is: the law of that day says what may stand in the place of the label."""
    return local_day(work.contract.brief.value, work.context.at)


def _mark(command: PublishContent, work: Work) -> tuple[str, LabelPlacement | None]:
    """What shows that the post is paid, and where: a spelling of the label in the text, else what the creator says shows it."""
    one, day = work.deliverable, _day(work)
    if work.context.at < posting_window(work.contract.brief.value)[0]:
        raise work.refuse("content.before_posting_window")
    if not one.label:
        raise work.refuse("content.label_not_recorded")
    if spelling := shown(one.label, command.text, day):
        return spelling, one.placement
    mark = toggle(one.label, one.terms.platform, day)
    if mark and (command.disclosure is Disclosure.PLATFORM_TOGGLE or one.placement is LabelPlacement.PLATFORM_TOGGLE):
        return mark, LabelPlacement.PLATFORM_TOGGLE
    if command.disclosure is Disclosure.OVERLAY and one.placement is LabelPlacement.OVERLAY:
        return one.label, LabelPlacement.OVERLAY
    if command.disclosure is not Disclosure.TEXT:
        raise Refused("content.disclosure_not_accepted", label=one.label, disclosure=command.disclosure.value)
    raise Refused("content.label_missing", label=one.label)


def _bare(form: str, text: str, label: str, day: date) -> str:
    """The text in the platform's normal form, without its label and white space: what both versions must share."""
    return "".join(normal(form, without(label, text, day)).split())


def _published(
    command: PublishContent, deal: Setting, work: Work, mark: tuple[str, LabelPlacement | None]
) -> ContentPublished:
    one, clocks = work.deliverable, work.contract.terms.value.clocks
    form = form_of(deal.platform)
    return ContentPublished(
        parties=work.contract.parties,
        deliverable_id=command.deliverable_id,
        submission_id=one.submission_id,
        setting=deal,
        post_id=command.post_id,
        post_url=command.post_url,
        label=mark[0],
        placement=mark[1],
        text_sha256=digest(form, command.text),
        published_at=work.context.at,
        live_check_after_s=clocks.live_check_after_s,
        protection_s=_protection_s(work),
        fee_minor=one.terms.fee_minor,
        currency=work.contract.currency,
        due_at=work.after(clocks.verify_s),
        normal_form=form,
    )


def _protection_s(work: Work) -> int:
    """A paid post that is put up again is protected for what is left of its days, as before."""
    until = work.deliverable.protected_until
    if work.deliverable.stage is not Stage.BREACHED or until is None:
        return work.contract.terms.value.clocks.protection_s
    return max(1, int((until - work.context.at).total_seconds()))


def verify(command: VerifyContent, work: Work) -> Sequence[WorkEvent]:
    """A look found the post as approved; from now on it is owed."""
    work.context.actor.require("system")
    one = work.deliverable
    if one.stage in BREACH:
        return [cured(command, work)]
    if one.stage in (*OWED, *CLOSED):
        return []
    if one.stage is not Stage.PUBLISHED:
        raise work.refuse("content.not_published")
    return [verified(command.look_id, work)]


def verified(look_id: str, work: Work) -> ContentVerified:
    """The work is owed; without a look ("") because nobody looked at it in time."""
    one, terms = work.deliverable, work.contract.terms.value
    return ContentVerified(
        work.contract.parties,
        one.terms.deliverable_id,
        one.submission_id,
        look_id,
        one.terms.fee_minor,
        one.terms.brand_fee_minor,
        terms.creator_fee_bps,
        work.contract.currency,
        work.after(terms.clocks.settlement_delay_s),
    )


def take_down(command: TakeDownContent, work: Work) -> Sequence[WorkEvent]:
    """A look found it otherwise. Before it was paid it may be published again, or it lapses; later it is a breach."""
    work.context.actor.require("system")
    reason_code(command.reason)
    if work.deliverable.stage in (Stage.SETTLED, Stage.CURING):
        return notice(command, work)
    if work.deliverable.stage not in (Stage.PUBLISHED, Stage.VERIFIED):
        return []
    due_at = work.after(work.contract.terms.value.clocks.revision_s)
    where = (work.contract.parties, command.deliverable_id, command.reason, due_at)
    return [ContentTakenDown(*where, work.deliverable.terms.platform.value, work.deliverable.post_id)]


def settle(command: SettleDeliverable, work: Work) -> Sequence[WorkEvent]:
    """The ledger has paid: as it was asked to, or by finance's hand at any stage before the end."""
    work.context.actor.require("system")
    if work.deliverable.stage in PAID:
        return []
    if work.deliverable.stage is Stage.ENDED:
        raise work.refuse("content.not_being_paid")
    return [settled(command.release_id, command.creator_net_minor, work)]


def end(command: EndDeliverable, work: Work) -> Sequence[WorkEvent]:
    """The ledger has returned the money, by its clock or by finance's hand: there is nothing left to work for."""
    work.context.actor.require("system")
    reason_code(command.reason)
    if work.deliverable.stage in CLOSED:
        return []
    return [returned(work.deliverable, work.contract, command.reason, work.context.at, command.returned_minor)]


def settled(release_id: str, creator_net_minor: int, work: Work) -> DeliverableSettled:
    """The end of a paid deliverable; what its variable part did not use goes back to the budget."""
    terms = work.deliverable.terms
    freed_minor = terms.committed_minor - terms.escrow_minor
    where = (work.contract.parties, terms.deliverable_id)
    return DeliverableSettled(*where, release_id, creator_net_minor, work.contract.currency, freed_minor)
