"""What the hash chain sees: an edit, a swap, a hole, a lost tail against an anchor; and that batches do not matter."""

from dataclasses import replace

import pytest

from services.ledger.domain.hashchain import START, Chained, Link, link_hash, mismatched, walk

LINKS = [Link(n, f"deposit-{n}", 1, "chain.posted@1", b'{"a":%d}' % n, b"{}") for n in range(1, 8)]


def test_batches_do_not_change_the_hash() -> None:
    whole = walk(Chained(), LINKS)
    assert whole == walk(walk(Chained(), LINKS[:3]), LINKS[3:])
    assert (whole.position, whole.broken_at, len(whole.hash)) == (7, 0, 64)


@pytest.mark.parametrize(
    "changed",
    [
        replace(LINKS[3], data=b'{"a":5}'),
        replace(LINKS[3], meta=b"[]"),
        replace(LINKS[3], stream="deposit-9"),
        replace(LINKS[3], version=2),
        replace(LINKS[3], name="chain.posted@2"),
        replace(LINKS[3], data=b'{"a":4}{', meta=b"}"),
    ],
)
def test_an_edit_changes_every_later_hash(changed: Link) -> None:
    assert walk(Chained(), [*LINKS[:3], changed, *LINKS[4:]]).hash != walk(Chained(), LINKS).hash


def test_a_hole_a_swap_and_a_repeat_are_seen_at_their_position() -> None:
    assert walk(Chained(), LINKS[:3] + LINKS[4:]).broken_at == 4
    assert walk(Chained(), [LINKS[0], LINKS[2], LINKS[1]]).broken_at == 2
    assert walk(Chained(), [LINKS[0], LINKS[0]]).broken_at == 2
    broken = walk(Chained(), LINKS[1:])
    assert (broken.position, broken.hash, broken.broken_at) == (0, START, 1)


def test_a_rewritten_tail_is_seen_against_an_anchor_only() -> None:
    rewritten = walk(Chained(), [*LINKS[:6], replace(LINKS[6], data=b"{}")])
    assert rewritten.broken_at == 0
    anchor = [(7, walk(Chained(), LINKS).hash)]
    assert mismatched(anchor, {7: rewritten.hash}) == 7
    assert mismatched(anchor, {6: rewritten.hash}) == 7
    assert mismatched(anchor, {7: anchor[0][1]}) == 0


def test_the_formula_version_is_part_of_the_hash() -> None:
    assert link_hash(LINKS[0], START, formula=1) != link_hash(LINKS[0], START, formula=2)
    assert link_hash(LINKS[0], START) == "c310b6ddad2bda6d957cadd9a95f55681c3ce965a322e5dca355f92466283e27"
