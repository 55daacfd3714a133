"""Whose account it is: by the platform's own id, by a handle held all along, or by staff; never by a handle used again."""

from dataclasses import replace
from typing import Any

import pytest
from dandelion_posts.authors import author_digest

from kernel.core.decider import Actor, DecidedEvent
from kernel.eventlog.decide import LayeredRows
from services.discovery.domain.commands import (
    ChangeProfile,
    Command,
    ForgetCreator,
    IdentifyAccount,
    ImportCreator,
    LinkAccount,
    RegisterCreator,
    VerifyAccount,
)
from services.discovery.domain.events import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    CreatorForgotten,
    CreatorProfileChanged,
    CreatorRegistered,
    Event,
    FollowersReported,
)
from services.discovery.domain.handles import HANDLES, VERIFIED, VerifiedRow
from services.discovery.domain.profile import Account, Platform
from services.discovery.wiring import SERVICE
from tests.kit import decide
from tests.kit.rows import NoRows
from tests.unit.discovery.given import (
    CREATOR_ACTOR,
    FOLLOWERS,
    ID,
    NOON,
    OPERATOR,
    OTHER,
    PROFILE,
    RED,
    REGISTERED,
    STREAM,
    SYSTEM,
    check,
    fold,
    handles,
)

NEW = Account(Platform.XIAOHONGSHU, "mei.new")
FREED = AccountLinked(NEW, RED.handle)


def identified(account_id: str, replaces: str = "") -> AccountIdentified:
    platform = Platform.XIAOHONGSHU
    return AccountIdentified(platform, account_id, replaces, author_digest(ID, platform.value, account_id=account_id))


KNOWN = identified("uid-1")


def row(account: Account, account_id: str = "") -> ImportCreator:
    return ImportCreator(RegisterCreator(ID, PROFILE, (account,)), (), account_id)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([], row(RED), [REGISTERED], id="a_new_creator"),
        pytest.param([], row(RED, "uid-1"), [REGISTERED, KNOWN], id="a_new_creator_with_an_id"),
        pytest.param([REGISTERED], row(RED), [], id="the_same_handle"),
        pytest.param([REGISTERED], row(RED, "uid-1"), [KNOWN], id="an_id_is_learnt_while_the_handle_is_held"),
        pytest.param([REGISTERED, KNOWN], row(RED), [], id="a_file_without_ids"),
        pytest.param([REGISTERED, KNOWN], row(NEW, "uid-1"), [AccountRenamed(NEW, RED.handle)], id="renamed"),
        pytest.param([REGISTERED, FREED], row(RED), "creator.handle_reused", id="a_freed_handle"),
        pytest.param([REGISTERED, FREED], row(RED, "uid-2"), "creator.handle_reused", id="a_freed_handle_with_an_id"),
        pytest.param([REGISTERED, KNOWN], row(RED, "uid-2"), "creator.handle_reused", id="the_handle_of_another_id"),
        pytest.param([REGISTERED], row(NEW), "creator.handle_reused", id="a_handle_that_is_not_the_creators"),
        pytest.param([REGISTERED], row(RED, "a b"), "creator.account_id_malformed", id="no_id"),
        pytest.param(
            [REGISTERED], row(RED, "1.84747E+17"), "creator.account_id_malformed", id="rounded_by_a_spreadsheet"
        ),
        pytest.param([REGISTERED], row(RED, "1E+17"), "creator.account_id_malformed", id="rounded_to_one_digit"),
    ],
)
def test_import(given: list[Event], when: Command, then: list[Event] | str) -> None:
    check(given, when, then, OPERATOR)


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([REGISTERED], IdentifyAccount(RED, "uid-1"), OPERATOR, [KNOWN], id="an_id"),
        pytest.param(
            [REGISTERED],
            IdentifyAccount(NEW, "uid-1"),
            OPERATOR,
            [AccountRenamed(NEW, RED.handle), KNOWN],
            id="renamed",
        ),
        pytest.param(
            [REGISTERED, KNOWN],
            IdentifyAccount(NEW, "uid-2"),
            OPERATOR,
            [AccountLinked(NEW, RED.handle), identified("uid-2", "uid-1")],
            id="another_account",
        ),
        pytest.param(
            [REGISTERED, KNOWN, AccountVerified(RED, "oauth")],
            IdentifyAccount(RED, "uid-2"),
            OPERATOR,
            [AccountLinked(RED, RED.handle), identified("uid-2", "uid-1")],
            id="another_account_of_the_same_handle",
        ),
        pytest.param([REGISTERED], IdentifyAccount(RED, "uid-1"), CREATOR_ACTOR, "actor.role_missing", id="not_itself"),
        pytest.param([], IdentifyAccount(RED, "uid-1"), OPERATOR, "creator.not_registered", id="nobody"),
        pytest.param(
            [REGISTERED, KNOWN],
            LinkAccount(NEW),
            CREATOR_ACTOR,
            [FREED, AccountIdentified(Platform.XIAOHONGSHU, "", "uid-1")],
            id="another_account_by_the_creator",
        ),
    ],
)
def test_identify(given: list[Event], when: Command, actor: Actor, then: list[Event] | str) -> None:
    check(given, when, then, actor)


HELD = [VerifiedRow("xiaohongshu", "mei.new", OTHER)]


@pytest.mark.parametrize(
    ("given", "when", "actor"),
    [
        pytest.param([REGISTERED], LinkAccount(NEW), CREATOR_ACTOR, id="link"),
        pytest.param([REGISTERED], IdentifyAccount(NEW, "uid-1"), OPERATOR, id="an_account_not_known_by_its_id"),
        pytest.param([REGISTERED, KNOWN], IdentifyAccount(NEW, "uid-2"), OPERATOR, id="another_account"),
        pytest.param([REGISTERED, FREED], VerifyAccount(NEW, "oauth"), OPERATOR, id="verify"),
        pytest.param([], row(NEW), OPERATOR, id="a_file"),
    ],
)
def test_a_handle_that_another_was_verified_for_is_not_taken(given: list[Event], when: Command, actor: Actor) -> None:
    check(given, when, "creator.handle_taken", actor, HELD)


def test_claims_exclude_nobody_and_verification_decides() -> None:
    """Two creators claim a handle; the one that is verified has it, and the other can be verified no more."""
    verified = AccountVerified(NEW, "oauth")
    claimed: list[Event] = [REGISTERED, FREED]
    check([REGISTERED], LinkAccount(NEW), [FREED], taken=[])
    check(claimed, VerifyAccount(NEW, "oauth"), [verified], OPERATOR)
    assert handles([*claimed, verified])["verified_handles", ("xiaohongshu", "mei.new")] == VerifiedRow(
        "xiaohongshu", "mei.new", ID
    )


def test_who_lost_a_handle_is_verified_anew_and_refused_while_another_has_it() -> None:
    """Verified, then another's account was renamed to the handle: verifying it decides again, and is never silently nothing."""
    verified = AccountVerified(NEW, "oauth")
    claimed: list[Event] = [REGISTERED, FREED]
    verify = VerifyAccount(NEW, "oauth")
    rows = {**handles([*claimed, verified])}
    decide.check(SERVICE, [*claimed, verified], verify, [], at=NOON, actor=OPERATOR, stream=STREAM, rows=rows)
    key = ("verified_handles", ("xiaohongshu", "mei.new"))
    lost: list[tuple[VerifiedRow | None, list[Event] | str]] = [(HELD[0], "creator.handle_taken"), (None, [verified])]
    for row_, then in lost:
        decide.check(
            SERVICE, [*claimed, verified], verify, then, at=NOON, actor=OPERATOR, stream=STREAM, rows={key: row_}
        )


def test_another_account_of_the_same_handle_is_claimed_and_verified_anew() -> None:
    """What was proven of an account is not proven of the next one, and the handle stays claimed."""
    replaced = AccountLinked(RED, RED.handle)
    given: list[Event] = [REGISTERED, KNOWN, AccountVerified(RED, "oauth"), replaced, identified("uid-2", "uid-1")]
    assert fold(given).verified == ()
    assert fold(given).accounts == (RED,)
    assert handles(given)["verified_handles", ("xiaohongshu", RED.handle)] is None
    claims = dict(HANDLES.fold(DecidedEvent(STREAM, ID, 4, NOON, replaced), NoRows()))
    assert claims[RED.platform, RED.handle, ID] is not None


def test_the_account_of_that_id_has_its_handle_whoever_had_it_before() -> None:
    """Swapped handles: each rename takes the handle from the other, and a verified account stays verified under the new one."""
    digest = author_digest(OTHER, "xiaohongshu", handle=NEW.handle)
    took = AccountRenamed(NEW, RED.handle, taken_from=OTHER, taken_digest=digest)
    check([REGISTERED, KNOWN], row(NEW, "uid-1"), [took], OPERATOR, HELD)
    proven: list[Event] = [REGISTERED, KNOWN, AccountVerified(RED, "oauth"), AccountRenamed(NEW, RED.handle)]
    rows = handles(proven, HELD)
    assert rows["verified_handles", ("xiaohongshu", "mei.new")] == VerifiedRow("xiaohongshu", "mei.new", ID)
    assert rows["verified_handles", ("xiaohongshu", RED.handle)] is None
    swapped: list[Event] = [
        AccountVerified(RED, "oauth"),
        replace(took, verified=True),
    ]
    lost_before = handles([REGISTERED, KNOWN, swapped[1]], [*HELD, VerifiedRow("xiaohongshu", RED.handle, OTHER)])
    assert lost_before["verified_handles", ("xiaohongshu", "mei.new")] == VerifiedRow("xiaohongshu", "mei.new", ID)
    assert lost_before["verified_handles", ("xiaohongshu", RED.handle)] == VerifiedRow("xiaohongshu", RED.handle, OTHER)
    check([REGISTERED, KNOWN, swapped[0]], row(NEW, "uid-1"), [swapped[1]], OPERATOR, HELD)
    unproven = handles([REGISTERED, KNOWN, AccountRenamed(NEW, RED.handle)], HELD)
    assert unproven["verified_handles", ("xiaohongshu", "mei.new")] is None


def test_another_account_gives_up_what_was_verified_and_nothing_of_others() -> None:
    rows = handles([REGISTERED, AccountVerified(RED, "oauth"), FREED], HELD)
    assert rows["verified_handles", ("xiaohongshu", RED.handle)] is None
    assert rows["verified_handles", ("xiaohongshu", "mei.new")] == HELD[0]
    theirs = [VerifiedRow("xiaohongshu", RED.handle, OTHER)]
    assert handles([REGISTERED, FREED], theirs)["verified_handles", ("xiaohongshu", RED.handle)] == theirs[0]


def test_a_renamed_account_keeps_its_followers_and_its_verification() -> None:
    given: list[Any] = [REGISTERED, FollowersReported(FOLLOWERS), AccountVerified(RED, "oauth")]
    before, after = fold(given), fold([*given, AccountRenamed(NEW, RED.handle)])
    assert after == replace(before, accounts=(NEW,))
    assert fold([*given, KNOWN]).account_id_on(Platform.XIAOHONGSHU) == "uid-1"


FORGOTTEN = CreatorForgotten((RED,), ((Platform.XIAOHONGSHU, "uid-1"),))


@pytest.mark.parametrize(
    ("given", "when", "then", "actor"),
    [
        pytest.param([REGISTERED, KNOWN], ForgetCreator(), [FORGOTTEN], SYSTEM, id="forgets"),
        pytest.param([], ForgetCreator(), [], SYSTEM, id="forgets_nobody"),
        pytest.param([REGISTERED], ForgetCreator(), "actor.role_missing", CREATOR_ACTOR, id="staff_only"),
        pytest.param([REGISTERED, KNOWN, FORGOTTEN], ForgetCreator(), [], SYSTEM, id="forgets_once"),
        pytest.param(
            [REGISTERED, FORGOTTEN], ChangeProfile(PROFILE), [CreatorProfileChanged(PROFILE)], CREATOR_ACTOR,
            id="comes_back_itself",
        ),
        pytest.param(
            [REGISTERED, FORGOTTEN], ChangeProfile(PROFILE), "creator.asked_to_be_forgotten", OPERATOR,
            id="is_not_brought_back",
        ),
        pytest.param(
            [REGISTERED, FORGOTTEN], IdentifyAccount(RED, "uid-1"), "creator.asked_to_be_forgotten", OPERATOR,
            id="is_not_identified",
        ),
        pytest.param(
            [REGISTERED, FORGOTTEN], LinkAccount(RED), "creator.asked_to_be_forgotten", CREATOR_ACTOR,
            id="tells_a_profile_before_an_account",
        ),
        pytest.param(
            [REGISTERED, FORGOTTEN, CreatorProfileChanged(PROFILE)], LinkAccount(RED), [AccountLinked(RED, "")],
            CREATOR_ACTOR, id="links_anew_when_back",
        ),
    ],
)  # fmt: skip
def test_forgetting(given: list[Event], when: Command, then: list[Event] | str, actor: Actor) -> None:
    check(given, when, then, actor)


def test_of_who_is_forgotten_figures_are_left_and_accounts_are_free() -> None:
    verified = AccountVerified(RED, "oauth")
    given: list[Event] = [CreatorRegistered(ID, PROFILE, (RED,)), verified, FollowersReported(FOLLOWERS), FORGOTTEN]
    state = fold(given)
    assert state.profile is not None
    assert (state.profile.city, state.profile.display_name_revision, state.profile.country) == ("", "", "CN")
    assert (state.accounts, state.account_ids, state.largest_followers()) == ((), (), FOLLOWERS.count)
    assert handles(given)["verified_handles", (RED.platform, RED.handle)] is None
    freed = HANDLES.fold(DecidedEvent(f"creator-{ID}", ID, 4, NOON, FORGOTTEN), NoRows())
    assert dict(freed) == {(RED.platform, RED.handle, ID): None}


def test_events_whose_key_is_gone_take_no_handle() -> None:
    blank = Account(RED.platform, "")
    assert handles([CreatorRegistered(ID, PROFILE, (blank,)), AccountLinked(blank, "")]) == {}


def test_a_rename_whose_key_is_gone_still_takes_the_handle_from_who_had_it() -> None:
    """Exactly that row: not another's, and not the loser's on another platform."""
    others = [*HELD, VerifiedRow("weibo", "mei.new", OTHER), VerifiedRow("xiaohongshu", "third", "somebody")]
    blank = AccountRenamed(Account(RED.platform, ""), "", taken_from=OTHER)
    before = handles([], others)
    assert handles([blank], others) == {**before, ("verified_handles", ("xiaohongshu", "mei.new")): None}
    assert handles([replace(blank, taken_from="")], others) == before
    assert handles([blank], others[1:]) == handles([], others[1:])
    with pytest.raises(LookupError):
        list(VERIFIED.fold(DecidedEvent(f"creator-{ID}", ID, 1, NOON, blank), LayeredRows(())))
