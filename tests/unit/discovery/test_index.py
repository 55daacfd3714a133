"""The search index answers as a look at every creator does, whatever segments it is made of."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from subprocess import PIPE, Popen

import pytest

from kernel.core.faults import Internal
from services.discovery.search.index import stored
from services.discovery.search.index.columns import bits
from services.discovery.search.index.questions import Behind, Column, Order, Question
from services.discovery.search.index.rows import words
from services.discovery.search.index.snapshot import Snapshot
from services.discovery.search.index.stored import Head
from tests.unit.discovery import plain_index as plain
from tests.unit.discovery.plain_index import LABELS, MEASURES, Plain


def filled(chance: Random, count: int) -> tuple[Snapshot, Plain]:
    known, oracle = words(LABELS), Plain()
    oracle.creators = {plain.creator_id(chance): plain.creator(chance) for _ in range(count)}
    return Snapshot(known).changed(plain.rows(known, oracle.creators)), oracle


def changed(chance: Random, index: Snapshot, oracle: Plain) -> Snapshot:
    """A batch of changes, of new creators and of erasures, in both."""
    ids = list(oracle.creators)
    told = {one: plain.creator(chance) for one in chance.sample(ids, min(len(ids), chance.randrange(20)))}
    told |= {plain.creator_id(chance): plain.creator(chance) for _ in range(chance.randrange(1, 6))}
    gone = [one for one in chance.sample(ids, min(len(ids), 3)) if one not in told]
    oracle.creators |= told
    for one in gone:
        del oracle.creators[one]
    return index.changed(plain.rows(index.words, told), gone)


@pytest.mark.parametrize("seed", range(10))
def test_answers_as_a_look_at_every_creator_does_while_creators_change(seed: int) -> None:
    chance = Random(seed)
    index, oracle = filled(chance, 400 if seed % 2 else 30)
    for _ in range(25):
        for _ in range(20):
            asked = plain.question(chance, list(oracle.creators))
            assert index.answer(asked) == oracle.answer(asked), asked
        index = changed(chance, index, oracle)
    assert index.size == len(oracle.creators)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("falling", [True, False])
def test_pages_repeat_and_leave_out_no_creator_that_stays_as_it_is(measure: Column, falling: bool) -> None:
    chance = Random(7)
    index, oracle = filled(chance, 300)
    asked = Question((), Order(measure, falling), 20.0, 11)
    began, changes, seen = dict(oracle.creators), set[str](), list[str]()
    wanted = [one for one, _ in oracle.answer(replace(asked, size=1000)).hits]
    while True:
        page = index.answer(asked)
        seen += [one for one, _ in page.hits]
        if not page.more:
            break
        asked = replace(asked, behind=Behind(page.hits[-1][1], page.hits[-1][0]))
        index = changed(chance, index, oracle)
        changes |= {one for one in began if oracle.creators.get(one) != began[one]}
    assert [one for one in seen if one not in changes and one in began] == [one for one in wanted if one not in changes]


@pytest.mark.parametrize("work", [Snapshot.compacted, Snapshot.purged])
def test_what_is_merged_beside_changes_loses_and_repeats_none(
    work: Callable[[Snapshot], Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.discovery.search.index.snapshot.SMALL", 30)
    chance, merged = Random(11), 0
    index, oracle = filled(chance, 200)
    for _ in range(12):
        index = changed(chance, index, oracle)
        before, after = index, work(index)
        for _ in range(chance.randrange(3)):
            index = changed(chance, index, oracle)
        based = index.rebased(before, after)
        merged += based is not index and len(before.parts) > len(after.parts)
        index = based
        for _ in range(20):
            asked = plain.question(chance, list(oracle.creators))
            assert index.answer(asked) == oracle.answer(asked), asked
    assert merged or work is Snapshot.purged
    whole = index.purged().purged(small=True)
    assert all(bits.count(part.standing) == part.segment.size for part in whole.parts)


KEY = bytes(range(32))


def test_a_file_gives_the_same_answers_and_follows_on(tmp_path: Path) -> None:
    chance, path, head = Random(3), tmp_path / "index", Head("file-1", "form")
    index, oracle = filled(chance, 200)
    index = changed(chance, index, oracle)
    stored.write(path, head, KEY, index, 42)
    assert stored.head_of(path) == head
    index, mark = stored.read(path, head, KEY)
    assert mark == 42
    for _ in range(5):
        for _ in range(50):
            asked = plain.question(chance, list(oracle.creators))
            assert index.answer(asked) == oracle.answer(asked), asked
        index = changed(chance, index, oracle)


def test_no_word_stands_in_the_file_and_another_key_or_a_changed_byte_is_said(tmp_path: Path) -> None:
    chance, path, head = Random(4), tmp_path / "index", Head("file-1", "form")
    index, _ = filled(chance, 50)
    stored.write(path, head, KEY, index, 1)
    whole = path.read_bytes()
    assert b"category1" not in whole
    for broken in (whole[:-1], whole[:-40], whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]):
        path.write_bytes(broken)
        with pytest.raises(Internal, match=r"search\.file_unreadable"):
            stored.read(path, head, KEY)
    path.write_bytes(whole)
    with pytest.raises(Internal, match=r"search\.file_unreadable"):
        stored.read(path, head, bytes(32))
    path.write_bytes(b"something else\n")
    assert stored.head_of(path) is None


def test_a_label_that_nobody_has_any_more_is_in_no_memory_and_in_no_file(tmp_path: Path) -> None:
    """A tag may be a person's own words: it goes with the person."""
    chance, path, head = Random(5), tmp_path / "index", Head("file-1", "form")
    index, oracle = filled(chance, 40)
    erased, told = plain.creator_id(chance), plain.creator(chance)
    own = replace(told, labels={**told.labels, "tag": frozenset({"her own words"})})
    index = index.changed(plain.rows(index.words, {erased: own}))
    index = index.changed(plain.rows(index.words, {}), [erased]).purged().purged(small=True)
    index.forget_labels()
    stored.write(path, head, KEY, index, 1)
    for kept in (index, stored.read(path, head, KEY)[0]):
        assert "her own words" not in kept.words.vocabularies["tag"].labels
        assert "her own words" not in kept.words.vocabularies["tag"].code_of
    for _ in range(5):
        for _ in range(20):
            asked = plain.question(chance, list(oracle.creators))
            assert index.answer(asked) == oracle.answer(asked), asked
        index = changed(chance, index, oracle)
        index.purged().purged(small=True).forget_labels()


KILLED = """
import sys, pathlib, random
from services.discovery.search.index import stored
from tests.unit.discovery import test_index
index, _ = test_index.filled(random.Random(1), 3000)
while True:
    stored.write(pathlib.Path(sys.argv[1]), stored.Head("file-1", "form"), test_index.KEY, index, 2)
    print("written", flush=True)
"""


def size_of(path: Path) -> int:
    """-1 for a file that is not there; the writer renames it between two looks."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def test_who_is_killed_while_writing_leaves_the_file_before(tmp_path: Path) -> None:
    path, head = tmp_path / "index", Head("file-1", "form")
    index, _ = filled(Random(1), 30)
    stored.write(path, head, KEY, index, 1)
    for place in range(4):
        with Popen([sys.executable, "-c", KILLED, str(path)], stdout=PIPE) as writing:
            assert writing.stdout is not None
            writing.stdout.readline()
            while size_of(path.with_name("index.new")) < place * 50_000:
                pass
            writing.kill()
        _, mark = stored.read(path, head, KEY)
        assert mark == 2
