"""The position guard on its own: repeats, holes, healing, and an open hole that a batch of repeats does not close."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.guard import Guard


@dataclass(frozen=True)
class Seen:
    offset: int
    position: int
    previous: int


def chain(*positions: int, offset: int = 0) -> list[Seen]:
    """Records in order, each naming the one before it."""
    before = (0, *positions[:-1])
    return [Seen(offset + i, at, previous) for i, (at, previous) in enumerate(zip(positions, before, strict=True))]


def test_a_chain_is_fresh_once() -> None:
    guard, records = Guard(), chain(3, 5, 9)
    admitted = guard.admit(records)
    assert (admitted.fresh, admitted.next_offset, admitted.last_position) == (records, 3, 9)
    guard.move(admitted)
    assert guard.admit([Seen(3 + i, r.position, r.previous) for i, r in enumerate(records)]).fresh == []


def test_nothing_behind_a_hole_is_fresh_until_it_is_sent_again() -> None:
    guard, one, two, three = Guard(), Seen(0, 1, 0), Seen(2, 2, 1), Seen(3, 3, 2)
    holed = guard.admit([one, Seen(1, 3, 2)])
    assert (holed.fresh, holed.next_offset, holed.hole, holed.held) == ([one], 1, 1, 1)
    guard.move(holed)
    healed = guard.admit([two, three])
    assert (healed.fresh, healed.next_offset, healed.hole) == ([two, three], 4, None)


def test_repeats_do_not_close_a_hole() -> None:
    guard = Guard()
    guard.move(guard.admit([Seen(0, 1, 0), Seen(1, 3, 2)]))
    repeats = guard.admit([Seen(2, 1, 0)])
    assert (repeats.fresh, repeats.next_offset, repeats.hole) == ([], 1, 1)


@given(st.lists(st.integers(1, 8), max_size=8), st.integers(1, 6))
def test_a_relay_that_repeats_runs_is_applied_once_in_order(starts: list[int], batch: int) -> None:
    """Whatever runs are sent again, in whatever batches, each position is applied once and in order."""
    positions = list(range(1, 10))
    sent = positions + [at for start in starts for at in range(start, 10)]
    records = [Seen(offset, at, at - 1) for offset, at in enumerate(sent)]
    guard, applied = Guard(), []
    for first in range(0, len(records), batch):
        admitted = guard.admit(records[first : first + batch])
        applied += [record.position for record in admitted.fresh]
        guard.move(admitted)
    assert applied == positions
    assert guard.next_offset == len(records)


@pytest.mark.parametrize("offset", [0, 7])
def test_a_chosen_start_takes_the_previous_of_its_first_record(offset: int) -> None:
    guard = Guard(offset, 4)
    assert guard.admit([Seen(offset, 6, 4)]).fresh == [Seen(offset, 6, 4)]
