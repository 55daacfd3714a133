"""Saved searches: saved and changed by their owner, looked at by discovery, each creator told once for the same criteria."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.decider import Actor, Context, GivenRows
from kernel.core.ids import derived_id
from services.discovery.domain.saved_search.commands import (
    Command,
    DeleteSavedSearch,
    MarkMatchesSeen,
    ReportMatches,
    SaveSearch,
)
from services.discovery.domain.saved_search.events import (
    Event,
    MatchesSeen,
    SavedSearchDeleted,
    SavedSearchLooked,
    SavedSearchMatched,
    SearchSaved,
)
from services.discovery.domain.saved_search.saved_search import (
    REPORT_LIMIT,
    SAVED_SEARCH,
    TOLD_LIMIT,
    WATCHED_LIMIT,
    State,
)
from services.discovery.wiring import SERVICE
from tests.kit import decide
from tests.unit.discovery.given import BRAND, CREATOR_ACTOR, ID, NOON, OPERATOR, SYSTEM

STREAM = f"search-{ID}"
OWNER = BRAND.tenant
MEI, LAN, QIU = (derived_id("creator", name) for name in ("mei", "lan", "qiu"))
SAVE = SaveSearch("护肤", '{"categories":["美妆"]}', "categories=美妆")
SAVED = SearchSaved(OWNER, SAVE.name, SAVE.criteria, SAVE.view, True, 1)
LOOKED = SavedSearchLooked(1, (MEI,), 1)
MATCHED = SavedSearchMatched(OWNER, "护肤", 1, (LAN,))
RENAMED = replace(SAVED, name="护肤 KOC")
AGAIN = replace(SAVED, criteria='{"categories":["美食"]}', revision=2)
DELETED = SavedSearchDeleted(OWNER)
TOO_WIDE = SavedSearchLooked(1, (), WATCHED_LIMIT + 1)


def found(*ids: str, revision: int = 1, total: int = 3) -> ReportMatches:
    return ReportMatches(revision, ids, total)


def reported(report: ReportMatches, state: State) -> Sequence[Event]:
    return SAVED_SEARCH.decide(report, state, Context(NOON, SYSTEM, GivenRows({}), STREAM, OWNER))


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([], SAVE, BRAND, [SAVED], id="saved"),
        pytest.param([SAVED], SAVE, BRAND, [], id="saved_already"),
        pytest.param([SAVED, LOOKED], replace(SAVE, name="护肤 KOC"), BRAND, [RENAMED], id="renamed"),
        pytest.param([SAVED], replace(SAVE, criteria=AGAIN.criteria), BRAND, [AGAIN], id="other_criteria"),
        pytest.param(
            [replace(SAVED, watched=False)], SAVE, BRAND, [replace(SAVED, revision=2)], id="watched_from_now_on",
        ),
        pytest.param([], SAVE, CREATOR_ACTOR, "actor.role_missing", id="creators_save_none"),
        pytest.param([SAVED], SAVE, OPERATOR, "saved_search.not_yours", id="somebody_elses"),
        pytest.param([SAVED], DeleteSavedSearch(), OPERATOR, "saved_search.unknown", id="deleted_by_a_stranger"),
        pytest.param([SAVED], DeleteSavedSearch(), BRAND, [DELETED], id="deleted"),
        pytest.param([SAVED, DELETED], DeleteSavedSearch(), BRAND, [], id="deleted_already"),
        pytest.param([SAVED, DELETED], SAVE, BRAND, "saved_search.unknown", id="saved_after_its_end"),
        pytest.param([], DeleteSavedSearch(), BRAND, "saved_search.unknown", id="never_saved"),
        pytest.param([], replace(SAVE, name=""), BRAND, "text.empty", id="no_name"),
        pytest.param([], replace(SAVE, name="x" * 61), BRAND, "text.too_long", id="long_name"),
        pytest.param([SAVED], found(MEI, total=1), SYSTEM, [LOOKED], id="first_look"),
        pytest.param([SAVED], found(total=0), SYSTEM, [SavedSearchLooked(1, (), 0)], id="nobody_yet"),
        pytest.param([SAVED], found(MEI, total=TOO_WIDE.total), SYSTEM, [TOO_WIDE], id="too_many_to_watch"),
        pytest.param([SAVED, TOO_WIDE], found(MEI), SYSTEM, [], id="nothing_is_told_of_too_many"),
        pytest.param([SAVED, LOOKED], found(LAN), SYSTEM, [MATCHED], id="came_to_match"),
        pytest.param([SAVED, LOOKED], found(MEI), SYSTEM, [], id="matched_before"),
        pytest.param([SAVED, LOOKED, MATCHED], found(LAN), SYSTEM, [], id="told_already"),
        pytest.param(
            [SAVED, LOOKED, MATCHED], found(LAN, QIU), SYSTEM, [SavedSearchMatched(OWNER, "护肤", 2, (QIU,))],
            id="numbered_on",
        ),
        pytest.param([SAVED, LOOKED, AGAIN], found(LAN), SYSTEM, [], id="of_other_criteria"),
        pytest.param([SAVED, LOOKED, DELETED], found(LAN), SYSTEM, [], id="deleted_meanwhile"),
        pytest.param([SAVED, LOOKED, replace(SAVED, watched=False)], found(LAN), SYSTEM, [], id="not_watched"),
        pytest.param([], found(LAN), SYSTEM, [], id="reported_before_it_was_saved"),
        pytest.param([SAVED], found(LAN), BRAND, "actor.role_missing", id="reported_by_a_brand"),
        pytest.param([SAVED, LOOKED], found("nobody"), SYSTEM, "id.malformed", id="no_creator"),
        pytest.param([SAVED, LOOKED, MATCHED], MarkMatchesSeen(9), BRAND, [MatchesSeen(1)], id="seen"),
        pytest.param([SAVED, LOOKED, MATCHED, MatchesSeen(1)], MarkMatchesSeen(1), BRAND, [], id="seen_already"),
        pytest.param([SAVED, LOOKED], MarkMatchesSeen(1), BRAND, [], id="nothing_to_see"),
    ],
)  # fmt: skip
def test_decisions(given: Sequence[Event], when: Command, actor: Actor, then: Sequence[Event] | str) -> None:
    told = then if isinstance(then, str) else list(then)
    decide.check(SERVICE, given, when, told, at=NOON, actor=actor, stream=STREAM, tenant=OWNER)


@given(st.lists(st.lists(st.integers(0, 60), max_size=40), max_size=12))
def test_each_creator_is_told_once_and_numbers_have_no_gap(reports: list[list[int]]) -> None:
    """Whatever looks report, in any order, repeated or by several processes."""
    state, numbers, told = SAVED_SEARCH.evolve(State(), SAVED), list[int](), list[str]()
    for ids in reports:
        when = found(*(derived_id("creator", str(one)) for one in ids), total=len(ids))
        for event in reported(when, state):
            state = SAVED_SEARCH.evolve(state, event)
            if isinstance(event, SavedSearchMatched):
                numbers += range(event.first, event.first + len(event.creator_ids))
                told += event.creator_ids
    assert numbers == list(range(1, len(told) + 1))
    assert len(set(told)) == len(told)
    assert state.matches == len(told)


def test_a_report_and_a_search_have_their_limits() -> None:
    many = tuple(derived_id("creator", str(at)) for at in range(REPORT_LIMIT + 1))
    state = SAVED_SEARCH.evolve(SAVED_SEARCH.evolve(State(), SAVED), LOOKED)
    (one,) = reported(found(*many), state)
    assert one == SavedSearchMatched(OWNER, "护肤", 1, many[:REPORT_LIMIT])
    full = replace(state, told=frozenset(map(str, range(TOLD_LIMIT - 1))))
    (last,) = reported(found(*many), full)
    assert last == SavedSearchMatched(OWNER, "护肤", 1, many[:1])
