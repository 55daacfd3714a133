"""Whose account it is: by the platform's own id, by a handle held all along, or by staff; never by a handle used again."""

from dataclasses import replace
from typing import Any

import pytest

from kernel.core.decider import Actor
from services.discovery.domain.commands import Command, IdentifyAccount, ImportCreator, LinkAccount, RegisterCreator
from services.discovery.domain.events import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    Event,
    FollowersReported,
)
from services.discovery.domain.handles import HandleRow
from services.discovery.domain.profile import Account, Platform
from tests.unit.discovery.given import (
    CREATOR_ACTOR,
    FOLLOWERS,
    ID,
    OPERATOR,
    OTHER,
    PROFILE,
    RED,
    REGISTERED,
    check,
    fold,
)

NEW = Account(Platform.XIAOHONGSHU, "mei.new")
FREED = AccountLinked(NEW, RED.handle)
KNOWN = AccountIdentified(Platform.XIAOHONGSHU, "uid-1", "")


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
            [AccountLinked(NEW, RED.handle), AccountIdentified(Platform.XIAOHONGSHU, "uid-2", "uid-1")],
            id="another_account",
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


def test_a_handle_of_another_creator_is_not_taken() -> None:
    held = [HandleRow("xiaohongshu", "mei.new", OTHER)]
    check([REGISTERED, KNOWN], row(NEW, "uid-1"), "creator.handle_taken", OPERATOR, held)


def test_a_renamed_account_keeps_its_followers_and_its_verification() -> None:
    given: list[Any] = [REGISTERED, FollowersReported(FOLLOWERS), AccountVerified(RED, "oauth")]
    before, after = fold(given), fold([*given, AccountRenamed(NEW, RED.handle)])
    assert after == replace(before, accounts=(NEW,))
    assert fold([*given, KNOWN]).account_id_on(Platform.XIAOHONGSHU) == "uid-1"
