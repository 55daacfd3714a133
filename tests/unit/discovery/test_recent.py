"""Whom an index took in lately: those after a turn, or everybody where that is not remembered."""

from hypothesis import given
from hypothesis import strategies as st

from services.discovery.search.following.recent import LIMIT, Recent

CREATORS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4)


@given(st.lists(CREATORS, max_size=8), st.integers(0, 8))
def test_who_changed_after_a_turn_is_known(taken: list[list[str]], at: int) -> None:
    recent = Recent()
    for ids in taken:
        recent.note(ids)
    turn = min(at, len(taken))
    assert recent.since(turn) == frozenset(one for ids in taken[turn:] for one in ids)


def test_nothing_changed_since_now() -> None:
    recent = Recent()
    recent.reset()
    assert recent.since(recent.turn) == frozenset()


def test_a_load_may_have_changed_everybody() -> None:
    recent = Recent()
    recent.note(["a"])
    before = recent.turn
    recent.reset()
    assert recent.since(before) is None
    begun = recent.turn
    recent.note(["b"])
    assert recent.since(before) is None
    assert recent.since(begun) == frozenset("b")


def test_more_than_is_remembered_may_be_everybody() -> None:
    recent = Recent()
    recent.note(["first"])
    recent.note([str(one) for one in range(LIMIT)])
    assert recent.since(0) is None
    assert len(recent.since(1) or ()) == LIMIT
    recent.note(["last"])
    assert recent.since(1) is None
    assert recent.since(2) == frozenset({"last"})
