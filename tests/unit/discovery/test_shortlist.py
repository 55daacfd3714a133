"""Shortlists: begun, named, filled and emptied by their owner, with a note about each creator; there for nobody else."""

from collections.abc import Sequence

import pytest

from kernel.core.decider import Actor, DecidedEvent, GivenRows
from kernel.core.ids import derived_id
from services.discovery.domain.erasure import FORGOTTEN, ForgottenRow
from services.discovery.domain.shortlist.commands import (
    AT_ONCE,
    CREATORS_LIMIT,
    LISTS_LIMIT,
    AddToShortlist,
    Command,
    DeleteShortlist,
    NameShortlist,
    RemoveFromShortlist,
    WriteNote,
)
from services.discovery.domain.shortlist.events import (
    CreatorNoted,
    CreatorsShortlisted,
    CreatorsTakenOff,
    Event,
    ShortlistBegun,
    ShortlistDeleted,
    ShortlistRenamed,
)
from services.discovery.domain.shortlist.shortlist import INITIAL, SHORTLIST, SHORTLIST_COUNTS, ShortlistCount, fold
from services.discovery.wiring import SERVICE
from tests.kit import decide
from tests.unit.discovery.given import BRAND, CREATOR_ACTOR, ID, NOON, OPERATOR

STREAM = f"shortlist-{ID}"
OWNER = BRAND.tenant
MEI, LAN, QIU = (derived_id("creator", name) for name in ("mei", "lan", "qiu"))
NAME = NameShortlist(OWNER, "春季")
BEGUN = ShortlistBegun(OWNER, "春季")
BOTH = CreatorsShortlisted((MEI, LAN))
NOTED = CreatorNoted(MEI, "answers fast")
DELETED = ShortlistDeleted(OWNER)
MANY = tuple(derived_id("creator", str(at)) for at in range(CREATORS_LIMIT))


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([], NAME, BRAND, [BEGUN], id="begun"),
        pytest.param([BEGUN], NAME, BRAND, [], id="begun_already"),
        pytest.param([BEGUN], NameShortlist(OWNER, "夏季"), BRAND, [ShortlistRenamed("夏季")], id="renamed"),
        pytest.param([], NameShortlist(OWNER, ""), BRAND, "text.empty", id="no_name"),
        pytest.param([], NameShortlist("brand-2", "x"), BRAND, "shortlist.not_yours", id="for_somebody_else"),
        pytest.param([], NAME, CREATOR_ACTOR, "actor.role_missing", id="creators_have_none"),
        pytest.param([BEGUN], NameShortlist("platform", "x"), OPERATOR, "shortlist.id_taken", id="anothers_id"),
        pytest.param([BEGUN, DELETED], NAME, BRAND, "shortlist.id_taken", id="begun_after_its_end"),
        pytest.param([BEGUN], AddToShortlist((MEI, LAN)), BRAND, [BOTH], id="added"),
        pytest.param([BEGUN, BOTH], AddToShortlist((LAN, QIU, QIU)), BRAND, [CreatorsShortlisted((QIU,))], id="new_ones"),
        pytest.param([BEGUN, BOTH], AddToShortlist((LAN,)), BRAND, [], id="on_it_already"),
        pytest.param([BEGUN], AddToShortlist(("nobody",)), BRAND, "id.malformed", id="no_creator"),
        pytest.param([BEGUN], AddToShortlist(()), BRAND, "shortlist.creators_at_once", id="nobody_named"),
        pytest.param([BEGUN], AddToShortlist(MANY[: AT_ONCE + 1]), BRAND, "shortlist.creators_at_once", id="too_many_at_once"),
        pytest.param(
            [BEGUN, CreatorsShortlisted(MANY)], AddToShortlist((MEI,)), BRAND, "shortlist.full", id="a_full_list",
        ),
        pytest.param([BEGUN, BOTH], AddToShortlist((QIU,)), OPERATOR, "shortlist.not_found", id="added_by_a_stranger"),
        pytest.param([], AddToShortlist((MEI,)), BRAND, "shortlist.not_found", id="added_to_nothing"),
        pytest.param([BEGUN, BOTH], RemoveFromShortlist((LAN, QIU)), BRAND, [CreatorsTakenOff((LAN,))], id="taken_off"),
        pytest.param([BEGUN, BOTH], RemoveFromShortlist((QIU,)), BRAND, [], id="was_not_on_it"),
        pytest.param([BEGUN, BOTH], WriteNote(MEI, "answers fast"), BRAND, [NOTED], id="noted"),
        pytest.param([BEGUN, BOTH, NOTED], WriteNote(MEI, "answers fast"), BRAND, [], id="noted_already"),
        pytest.param([BEGUN, BOTH, NOTED], WriteNote(MEI, ""), BRAND, [CreatorNoted(MEI, "")], id="note_taken_away"),
        pytest.param([BEGUN, BOTH], WriteNote(QIU, "x"), BRAND, "shortlist.creator_not_on_it", id="noted_of_nobody"),
        pytest.param([BEGUN, BOTH], WriteNote(MEI, "x" * 501), BRAND, "text.too_long", id="a_long_note"),
        pytest.param([BEGUN, BOTH], DeleteShortlist(OWNER), BRAND, [DELETED], id="deleted"),
        pytest.param([BEGUN, DELETED], DeleteShortlist(OWNER), BRAND, [], id="deleted_already"),
        pytest.param([BEGUN, DELETED], AddToShortlist((MEI,)), BRAND, "shortlist.not_found", id="added_after_its_end"),
        pytest.param([BEGUN], DeleteShortlist("platform"), OPERATOR, "shortlist.not_found", id="deleted_by_a_stranger"),
    ],
)  # fmt: skip
def test_decisions(given: Sequence[Event], when: Command, actor: Actor, then: Sequence[Event] | str) -> None:
    told = then if isinstance(then, str) else list(then)
    decide.check(SERVICE, given, when, told, at=NOON, actor=actor, stream=STREAM, tenant=OWNER)


def test_nothing_is_noted_of_who_was_erased() -> None:
    world = decide.World(SERVICE, NOON, {(FORGOTTEN.name, (MEI,)): ForgottenRow(MEI)})
    world.given(STREAM, [BEGUN, BOTH, NOTED], BRAND)
    assert world.tried(STREAM, WriteNote(MEI, "again"), BRAND) == "creator.asked_to_be_forgotten"
    assert world.execute(STREAM, WriteNote(MEI, ""), BRAND) == [CreatorNoted(MEI, "")]
    assert world.execute(STREAM, WriteNote(LAN, "fast"), BRAND) == [CreatorNoted(LAN, "fast")]


def test_who_comes_back_has_no_note() -> None:
    state = INITIAL
    for event in (BEGUN, BOTH, NOTED, CreatorsTakenOff((MEI,)), CreatorsShortlisted((MEI,))):
        state = SHORTLIST.evolve(state, event)
    assert dict(state.notes) == {LAN: "", MEI: ""}


def test_an_owner_has_so_many_lists() -> None:
    world = decide.World(SERVICE, NOON)
    streams = [f"shortlist-{derived_id('list', str(at))}" for at in range(LISTS_LIMIT + 1)]
    for stream in streams[:LISTS_LIMIT]:
        world.execute(stream, NAME, BRAND)
    assert world.tried(streams[-1], NAME, BRAND) == "shortlist.too_many"
    world.execute(streams[0], DeleteShortlist(OWNER), BRAND)
    world.execute(streams[-1], NAME, BRAND)


def test_the_count_goes_down_with_a_list() -> None:
    rows = GivenRows({(SHORTLIST_COUNTS.name, (OWNER,)): ShortlistCount(OWNER, 3)})
    assert list(fold(DecidedEvent(STREAM, OWNER, 2, NOON, DELETED), rows)) == [((OWNER,), ShortlistCount(OWNER, 2))]
