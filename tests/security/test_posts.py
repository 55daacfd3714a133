"""One post is paid once, to the creator whose verified account posted it."""

from dataclasses import replace
from typing import Any

import pytest
from dandelion_posts.authors import author_digest, is_author

from kernel.core.canonical import Hashed
from kernel.core.faults import Refused
from services.campaigns.domain.collaboration.commands import (
    CancelCollaboration,
    EndDeliverable,
    PublishContent,
    SettleDeliverable,
    TakeDownContent,
    VerifyContent,
)
from services.campaigns.domain.creators.causes import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    CreatorRegistered,
)
from services.campaigns.domain.creators.creators import decide as heard
from services.campaigns.domain.creators.creators import loser
from services.campaigns.domain.creators.creators import route as taker
from services.campaigns.domain.creators.events import AccountHeard
from services.campaigns.domain.settlement.causes import ContentLookedAt
from services.campaigns.domain.settlement.events import TakeDownRequested
from services.campaigns.domain.settlement.settlement import Settlement
from services.campaigns.domain.settlement.settlement import decide as settle
from services.campaigns.domain.shared.contract import Contract, Parties, draw_up
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.wiring import SERVICE
from services.compliance.domain.live import Post
from services.compliance.effects import record_of
from services.compliance.ports import Seen
from tests.kit.campaigns import BRAND, BRIEF, CREATOR, CREATOR_ID, NOON, SYSTEM, bookable
from tests.kit.decide import World
from tests.unit.campaigns.test_processes import caused
from tests.unit.campaigns.working import (
    APPROVED,
    D1,
    LABEL,
    PAY,
    PUBLISHED,
    STREAM,
    VERIFY,
    contracted,
    publish,
)

OTHER_CAMPAIGN = "01890a5d-ac96-774b-bcce-b302099a8099"
OTHER_BRAND = "018f3a10-0000-7000-8000-00000000b009"
OTHER_CREATOR = "018f3a10-0000-7000-8000-00000000c009"


def another(campaign_id: str, creator_id: str) -> Contract:
    parties = Parties(campaign_id, OTHER_BRAND, creator_id)
    return draw_up(parties, (100_000,), 1, Hashed.of(BRIEF), Hashed.of(Terms())).value


def as_in(contract: Contract, step: Any) -> Any:
    """A step of the one story told in another contract."""
    actor, command = step
    tenants = {CREATOR_ID: contract.creator_id}
    actor = replace(
        actor, tenant=tenants.get(actor.tenant, actor.tenant if actor.tenant == "platform" else OTHER_BRAND)
    )
    if hasattr(command, "deliverable_id"):
        command = replace(command, deliverable_id=contract.deliverables[0].deliverable_id)
    return actor, command


def led(world: World, contract: Contract) -> tuple[str, Any]:
    """Another collaboration, led until its content is approved; its stream, and the report of a post."""
    stream = f"collaboration-{contract.collaboration_id}"
    for actor, command in [contracted(contract), *(as_in(contract, step) for step in APPROVED[1:])]:
        world.execute(stream, command, actor)
    return stream, as_in(contract, publish())


def told(post_id: str = "p1") -> World:
    world = World(SERVICE, NOON, {**bookable(), **bookable(OTHER_CREATOR)})
    for actor, command in [*APPROVED, publish(post_id)]:
        world.execute(STREAM, command, actor)
    return world


@pytest.mark.parametrize("creator_id", [CREATOR_ID, OTHER_CREATOR], ids=["the_same_creator", "another_creator"])
def test_a_post_counts_for_one_deliverable(creator_id: str) -> None:
    world = told()
    stream, (actor, report) = led(world, another(OTHER_CAMPAIGN, creator_id))
    with pytest.raises(Refused) as caught:
        world.execute(stream, report, actor)
    assert caught.value.code == "content.post_reported_before"
    assert set(caught.value.facts) == {"do"}


def test_a_post_that_was_not_confirmed_is_given_back() -> None:
    world = told()
    world.execute(STREAM, TakeDownContent(D1, "content.author_differs", "look-1"), SYSTEM)
    stream, (actor, report) = led(world, another(OTHER_CAMPAIGN, OTHER_CREATOR))
    assert world.execute(stream, report, actor)
    with pytest.raises(Refused):
        world.execute(STREAM, PublishContent(D1, "p1", "https://post.test/1", f"{LABEL} A serum I like"), CREATOR)


THIRD_CAMPAIGN = "01890a5d-ac96-774b-bcce-b302099a8098"


def can_report(world: World, creator_id: str = OTHER_CREATOR, campaign_id: str = OTHER_CAMPAIGN) -> bool:
    """Whether another creator, or the same in another campaign, may report the post `p1`."""
    stream, (actor, report) = led(world, another(campaign_id, creator_id))
    try:
        return bool(world.execute(stream, report, actor))
    except Refused:
        return False


ENDED: Any = [
    pytest.param([(CREATOR, CancelCollaboration("changed_mind"))], True, id="left_by_the_creator"),
    pytest.param([(BRAND, CancelCollaboration("budget_cut"))], False, id="paid_by_the_brand_that_cancels"),
    pytest.param([(SYSTEM, EndDeliverable(D1, "escrow.expired", 110_000))], True, id="returned_by_the_ledger"),
    pytest.param([(SYSTEM, EndDeliverable(D1, "escrow.expired", 109_999))], False, id="paid_one_minor_unit"),
]


@pytest.mark.parametrize(("steps", "unpaid"), ENDED)
def test_a_report_that_ended_before_a_look_locks_nobody_out(steps: Any, unpaid: bool) -> None:
    """Who reports another's post and is paid a kill fee for it, however little, keeps its owner from nothing."""
    world = told()
    for actor, command in steps:
        assert world.execute(STREAM, command, actor)
    assert can_report(world)


@pytest.mark.parametrize(("steps", "unpaid"), ENDED)
def test_a_kill_fee_is_all_that_its_creator_gets_for_the_post(steps: Any, unpaid: bool) -> None:
    world = told()
    for actor, command in steps:
        world.execute(STREAM, command, actor)
    assert can_report(world, CREATOR_ID) is unpaid


def test_a_report_of_somebody_else_between_does_not_make_it_forgotten() -> None:
    world = told()
    world.execute(STREAM, CancelCollaboration("budget_cut"), BRAND)
    stream, (actor, report) = led(world, another(OTHER_CAMPAIGN, OTHER_CREATOR))
    world.execute(stream, report, actor)
    world.execute(stream, CancelCollaboration("changed_mind"), actor)
    assert not can_report(world, CREATOR_ID)
    assert can_report(world, campaign_id=THIRD_CAMPAIGN)


def test_what_a_look_confirmed_counts_for_good() -> None:
    world = told()
    world.execute(STREAM, VerifyContent(D1, "look-1"), SYSTEM)
    assert not can_report(world)


def test_a_breach_is_no_way_to_hold_anothers_post() -> None:
    """A paid creator reports another's post in the place of its own: the look gives it back, and its own stays counted."""
    world = told("own")
    gone = (SYSTEM, TakeDownContent(D1, "content.gone", "look-2"))
    settle_ = (SYSTEM, SettleDeliverable(D1, "release-1", 95_000))
    for actor, command in [VERIFY, PAY, settle_, gone, publish("p1")]:
        world.execute(STREAM, command, actor)
    assert world.row("posts", "xiaohongshu", "p1") is not None
    world.execute(STREAM, TakeDownContent(D1, "content.author_differs", "look-3"), SYSTEM)
    assert world.row("posts", "xiaohongshu", "p1") is None
    assert world.row("posts", "xiaohongshu", "own") is not None
    assert can_report(world)


@pytest.mark.parametrize("accounts", [
    pytest.param((), id="none"),
    pytest.param((AccountHeard("xiaohongshu", "x"),), id="not_verified"),
    pytest.param((AccountHeard("douyin", "x", verified=True),), id="elsewhere"),
])  # fmt: skip
def test_nobody_reports_a_post_without_a_verified_account(accounts: Any) -> None:
    world = World(SERVICE, NOON, bookable(accounts=accounts))
    for actor, command in APPROVED:
        world.execute(STREAM, command, actor)
    with pytest.raises(Refused) as caught:
        world.execute(STREAM, publish()[1], CREATOR)
    assert caught.value.code == "creator.account_not_verified"


def test_the_report_carries_the_account_that_is_expected() -> None:
    world = World(SERVICE, NOON, bookable(accounts=(AccountHeard("xiaohongshu", "handle", "id", True),)))
    for actor, command in PUBLISHED:
        world.execute(STREAM, command, actor)
    assert world.events[-1].event.author_sha256 == "id"


def account(*events: Any) -> AccountHeard:
    state = None
    for event in (CreatorRegistered(CREATOR_ID), *events):
        for made in heard(caused(event), state, None):  # type: ignore[arg-type]
            state = made
    assert state is not None
    return state.accounts[0]


def test_an_account_stays_verified_only_as_long_as_it_is_the_same() -> None:
    where = (CREATOR_ID, "weibo")
    verified = (AccountLinked(*where, "a"), AccountVerified(*where, "a"))
    assert account(*verified).verified
    assert account(*verified, AccountRenamed(*where, "b")) == AccountHeard("weibo", "b", "", True)
    assert account(*verified, AccountIdentified(*where, "i")).verified
    assert not account(*verified, AccountLinked(*where, "b")).verified
    assert not account(*verified, AccountIdentified(*where, "i"), AccountIdentified(*where, "j")).verified


def test_an_account_whose_handle_another_took_is_not_verified_any_more() -> None:
    """Unless the platform's own id is known, by which its posts are known whatever the handle is."""
    where, mine = (CREATOR_ID, "weibo"), author_digest(CREATOR_ID, "weibo", handle="a")
    taken = AccountRenamed(OTHER_CREATOR, "weibo", "b", CREATOR_ID, mine)
    verified = (AccountLinked(*where, mine), AccountVerified(*where, mine))
    assert not account(*verified, taken).verified
    assert account(*verified, AccountIdentified(*where, "i"), taken).verified
    assert account(*verified, AccountRenamed(*where, "c"), taken).verified, "it has another handle by now"
    assert account(*verified, taken, AccountVerified(*where, mine)).verified
    assert (taker(caused(taken)), loser(caused(taken))) == (f"creator-{OTHER_CREATOR}", f"creator-{CREATOR_ID}")


AUTHOR = author_digest(CREATOR_ID, "weibo", account_id="77")
POST = Post("weibo", "p1", "https://post.test/1", "广告", "CN", "", author_hash=AUTHOR)


@pytest.mark.parametrize(("seen", "differs"), [
    pytest.param(Seen("广告 x", author_id="77"), False, id="own"),
    pytest.param(Seen("广告 x", author_id="78"), True, id="anothers"),
    pytest.param(Seen("广告 x", author_id="78", author_handle="77"), True, id="a_handle_like_an_id"),
])  # fmt: skip
def test_a_look_compares_the_author(seen: Seen, differs: bool) -> None:
    looked = record_of(1, POST, seen, NOON.date(), CREATOR_ID)
    assert looked.author_differs is differs


def test_a_platform_that_names_no_author_says_nothing_for_or_against_anybody() -> None:
    looked = record_of(1, POST, Seen("广告 x"), NOON.date(), CREATOR_ID)
    assert (looked.found, looked.author_differs, looked.unreadable) == (False, False, "platform.author_unknown")


def test_an_author_is_of_one_creator_and_handles_are_folded() -> None:
    mine = author_digest(CREATOR_ID, "weibo", handle="@Ｃlara")
    assert is_author(mine, CREATOR_ID, "weibo", account_id="", handle="clara")
    assert not is_author(mine, OTHER_CREATOR, "weibo", account_id="", handle="clara")


def test_another_author_is_a_verdict_with_its_reason_and_no_payment() -> None:
    look = ContentLookedAt("c", "d", "l", True, True, True, NOON, author_differs=True)
    (asked,) = settle(caused(look), Settlement(), None)  # type: ignore[arg-type]
    assert isinstance(asked, TakeDownRequested)
    assert asked.reason == "content.author_differs"
