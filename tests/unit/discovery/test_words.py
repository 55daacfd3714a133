"""The text index: what a text is found by, and that it is found by exactly that, whatever came before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.ids import derived_id
from services.discovery.search.following.answers import fields_of, named_by
from services.discovery.search.following.loading import TEXTS as TEXT_FIELDS
from services.discovery.search.following.loading import said
from services.discovery.search.index.rows import rows_of, words
from services.discovery.search.index.segment import packed_ids
from services.discovery.search.index.snapshot import Snapshot
from services.discovery.search.words import asked, normal

LONG_NAME = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv"
"""Forty-eight letters."""
LONG_HANDLE = "x" * 64
TEXTS = {
    "one": {"display_name": "林小满", "bio": "上海｜口红测评，只说真话"},
    "two": {"display_name": "Mei Lin", "bio": "Skincare from London, daily"},
    "three": {"display_name": "口述红楼", "bio": "文化艺术"},
    "four": {"display_name": "ＭＥＩ林", "bio": "mascara; MASKS"},
    "five": {"display_name": "Beyoncé", "bio": "护肤，裡面 Smørrebrød Straße Αθήνα ёлка がっこう", "tags": "護膚"},
    "six": {"display_name": LONG_NAME, "handle": LONG_HANDLE},
    "eight": {"display_name": "İstanbul", "bio": "ครีมกันแดด हिन्दी। عَرَبِيّ"},
    "seven": {"display_name": LONG_NAME[:40] + "yy"},
}


class Said:
    """The texts of an index by creator, changed one creator at a time."""

    def __init__(self) -> None:
        self.snapshot = Snapshot(words(()))

    def put(self, name: str, fields: dict[str, str]) -> None:
        texts = [normal(fields.get(field, "")) for field in TEXT_FIELDS]
        followers = {"followers": (np.zeros(1, np.int32), np.zeros(1))}
        rows = rows_of(self.snapshot.words, packed_ids([derived_id("words", name)]), followers, {}, texts)
        self.snapshot = self.snapshot.changed(rows)

    def find(self, query: str) -> set[str]:
        found = named_by(self.snapshot, query)
        return {name for name in (*TEXTS, *"xyz") if derived_id("words", name) in found}

    def matched(self, name: str, query: str) -> list[str]:
        return fields_of(self.snapshot, derived_id("words", name), query)


@pytest.fixture
def index() -> Said:
    made = Said()
    for name, fields in TEXTS.items():
        made.put(name, fields)
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("口红", {"one"}),
        ("口", {"one", "three"}),
        ("红楼", {"three"}),
        ("口述红楼", {"three"}),
        ("上海 口红", {"one"}),
        ("上海 红楼", set()),
        ("mei", {"two", "four"}),
        ("MEI", {"two", "four"}),
        ("mei林", {"four"}),
        ("林", {"one", "four"}),
        ("ski", {"two"}),
        ("mas", {"four"}),
        ("kincare", set()),
        ("london daily", {"two"}),
        ("daily, LONDON!", {"two"}),
        ("无", set()),
        ("護膚", {"five"}),
        ("护肤", {"five"}),
        ("護肤", {"five"}),
        ("beyonce", {"five"}),
        ("BEYONCÉ", {"five"}),
        ("beyonce\u0301", {"five"}),
        ("smorrebrod", {"five"}),
        ("strasse", {"five"}),
        ("裡面", {"five"}),
        ("里面", {"five"}),
        ("αθηνα", {"five"}),
        ("елка", {"five"}),
        ("がっこう", {"five"}),
        ("かっこう", set()),
        ("istanbul", {"eight"}),
        ("İSTANBUL", {"eight"}),
        ("กัน", {"eight"}),
        ("กนแ", set()),
        ("हिन्दी", {"eight"}),
        ("हन", set()),
        ("عربي", {"eight"}),
        (LONG_NAME, {"six"}),
        (LONG_NAME[:45], {"six"}),
        (LONG_NAME[:40], {"six", "seven"}),
        (LONG_NAME[:41] + "z", set()),
        (LONG_HANDLE, {"six"}),
    ],
)
def test_queries(index: Said, query: str, found: set[str]) -> None:
    assert index.find(query) == found


def test_a_query_without_words_finds_nobody(index: Said) -> None:
    assert index.find("!?｜ ") == set()


def test_pairs_that_do_not_stand_together_are_no_match(index: Said) -> None:
    index.put("five", {"bio": "口红 红楼"})
    assert index.find("口红楼") == set()


def test_the_fields_in_which_words_stand_are_told(index: Said) -> None:
    assert index.matched("one", "口红") == ["bio"]
    assert index.matched("two", "mei skincare") == ["display_name", "bio"]
    assert index.matched("nobody", "mei") == []


def test_what_is_replaced_or_emptied_is_found_no_more(index: Said) -> None:
    index.put("one", {"display_name": "新名"})
    assert (index.find("口红"), index.find("新名")) == (set(), {"one"})
    index.put("one", {"display_name": ""})
    assert index.find("新名") == set()


FIELD = st.text(st.sampled_from("口红林小满ab c｜"), max_size=12)


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), FIELD), max_size=12),
    st.text(st.sampled_from("口红林ab"), min_size=1, max_size=3),
)
def test_an_index_kept_up_is_one_made_anew(changes: list[tuple[str, str]], query: str) -> None:
    kept, latest = Said(), dict(changes)
    for name, text in changes:
        kept.put(name, {"bio": text})
    fresh = Said()
    for name, text in latest.items():
        fresh.put(name, {"bio": text})
    assert kept.find(query) == fresh.find(query)
    for run, unspaced in asked(query):
        if unspaced:
            assert fresh.find(run) == {name for name, text in latest.items() if run in normal(text)}


def test_labels_are_words_too_a_category_in_english_a_place_by_its_last_part() -> None:
    assert said("category", "美妆/口红") == ("categories", "美妆 口红 makeup beauty")
    assert [said("location", place)[1] for place in ("cn", "cn/浙江", "cn/浙江/杭州")] == ["", "浙江", "杭州"]
    assert said("handle", "lin.mei") == ("handle", "lin.mei")
